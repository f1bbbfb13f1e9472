"""Where a result comes from: versions, commit, machine, time."""

import datetime as dt
import importlib.metadata
import platform
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
_PACKAGES = (
    "aiohttp",
    "boto3",
    "gevent",
    "httptools",
    "locust",
    "ministack",
    "numpy",
    "pandas",
    "pyarrow",
    "uvloop",
)


def versions() -> dict[str, str]:
    """Give the versions of Python and of every package whose behaviour a result rests on."""
    found = {"python": platform.python_version(), "platform": platform.platform()}
    return found | {name: importlib.metadata.version(name) for name in _PACKAGES}


def commit() -> tuple[str, bool]:
    """Give the repository's commit ("" outside git) and whether files differ from it."""
    try:
        head = _git("rev-parse", "HEAD")
        return head, bool(_git("status", "--porcelain"))
    except (OSError, subprocess.CalledProcessError):
        return "", False


def _git(*arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=REPOSITORY, check=True, capture_output=True, text=True
    ).stdout.strip()


def utc_now() -> str:
    """Give the time now, UTC, ISO 8601 to the millisecond."""
    now = dt.datetime.now(dt.UTC)
    return now.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def new_run_id(commit_id: str) -> str:
    """Name a run: UTC time and short commit."""
    now = dt.datetime.now(dt.UTC)
    return f"{now:%Y%m%dT%H%M%SZ}-{commit_id[:7] or 'nogit'}"
