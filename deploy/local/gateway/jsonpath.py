"""The JSONPath that mapping templates use: `$`, `.name`, `['name']`, `[0]`, `[-1]`, `[*]`, `.*`.

Anything else (filters, `..`, slices) is refused when the template first asks for it, rather than
answered wrongly.
"""

import re
from functools import lru_cache

from deploy.local.json_values import Json

STEP = re.compile(
    r"""\.(?P<name>[A-Za-z_][\w-]*)
      | \[\s*'(?P<single>(?:[^'\\]|\\.)*)'\s*\]
      | \[\s*"(?P<double>(?:[^"\\]|\\.)*)"\s*\]
      | \[\s*(?P<index>-?\d+)\s*\]
      | (?P<every>\.\*|\[\s*\*\s*\])""",
    re.VERBOSE,
)
Step = str | int | None
"""A member's name, a list's index, or None for every member."""


@lru_cache(maxsize=1024)
def steps_of(path: str) -> tuple[Step, ...]:
    """Parse a path. Raises ValueError for what this dialect does not have."""
    if not path.startswith("$"):
        raise ValueError(f"a JSONPath starts with $, found {path!r}")
    steps: list[Step] = []
    position = 1
    while position < len(path):
        match = STEP.match(path, position)
        if match is None:
            raise ValueError(f"JSONPath {path!r} is not understood from {path[position:]!r} on")
        position = match.end()
        if match["every"]:
            steps.append(None)
        elif match["index"]:
            steps.append(int(match["index"]))
        else:
            quoted = match["single"] if match["name"] is None else match["name"]
            steps.append(re.sub(r"\\(.)", r"\1", match["double"] if quoted is None else quoted))
    return tuple(steps)


def find(document: Json, path: str, missing: Json = None) -> Json:
    """Return what `path` points at, `missing` if nothing; a list once `*` was passed."""
    found = document
    steps = steps_of(path)
    for position, step in enumerate(steps):
        if step is None:
            return spread([found], steps[position:])
        if isinstance(step, str):
            if not isinstance(found, dict) or step not in found:
                return missing
            found = found[step]
        elif isinstance(found, list) and -len(found) <= step < len(found):
            found = found[step]
        else:
            return missing
    return found


def spread(found: list[Json], steps: tuple[Step, ...]) -> list[Json]:
    """Follow the steps from the first `*` on, with all the values it leads to."""
    for step in steps:
        found = [member for value in found for member in members(value, step)]
    return found


def members(value: Json, step: Step) -> list[Json]:
    """Return the members of one value that one step leads to."""
    if step is None:
        if isinstance(value, dict):
            return list(value.values())
        return list(value) if isinstance(value, list) else []
    if isinstance(step, str):
        return [value[step]] if isinstance(value, dict) and step in value else []
    if isinstance(value, list) and -len(value) <= step < len(value):
        return [value[step]]
    return []
