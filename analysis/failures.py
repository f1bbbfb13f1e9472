"""Why something was not judged, in a sentence."""

import os

from history.errors import UserError


def sentence(path: str, error: Exception) -> str:
    """Say why a PATH was not judged; a crash is told like that too, and never looks like FAIL."""
    if isinstance(error, UserError):
        return str(error)
    text = " ".join(str(error).split())[:300]
    if isinstance(error, OSError):
        return f"{path} cannot be read: {error.strerror or text}"
    return f"{path} could not be judged: {type(error).__name__}: {text} (GAPLESS_DEBUG=1 tells all)"


def raise_in_debug(error: Exception) -> None:
    """Let a crash show its traceback where GAPLESS_DEBUG asks for it."""
    if os.environ.get("GAPLESS_DEBUG") and not isinstance(error, UserError):
        raise error
