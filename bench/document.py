"""Pages of docs/ that are written by hand, with parts that a program writes."""

from collections.abc import Mapping
from pathlib import Path

from history.errors import UserError
from history.files import write_text_whole


def replaced(page: str, name: str, text: str) -> str:
    """Give a page with other text between its two marks of a name.

    Raises ValueError if the page has no such marks, or not both.
    """
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->\n"
    before, found_begin, rest = page.partition(begin)
    _, found_end, after = rest.partition(end)
    if not found_begin or not found_end:
        raise ValueError(f"no {begin.strip()} and {end.strip()}")
    return before + begin + text + end + after


def write_parts(path: Path, parts: Mapping[str, str]) -> None:
    """Write parts into a page, by name, all or none. Raises UserError for a missing mark."""
    page = path.read_text(encoding="utf-8")
    try:
        for name, text in parts.items():
            page = replaced(page, name, text)
    except ValueError as error:
        raise UserError(
            f"{path.name} does not say where the measured part belongs ({error}): put the two "
            "lines back, git log has them, then run again"
        ) from error
    write_text_whole(path, page)
