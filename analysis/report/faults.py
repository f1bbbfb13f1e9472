"""What a report says of a fault that stood between the load and the counter."""

from dataclasses import dataclass

from analysis.controls import does_harm
from analysis.report import formats
from history.fault import parse_fault
from history.manifest import Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What the banner says of a fault: the words that must be seen, and the rest."""

    heading: str
    text: str


def notice(manifest: Manifest | None) -> Notice | None:
    """Say that a verdict was reached through an intermediary; None where none stood there."""
    if manifest is None or not manifest.fault:
        return None
    about = "this verdict is about the counter as seen through it."
    if not does_harm(manifest.fault):
        return Notice(
            heading="Through an intermediary:",
            text="one that passes every request and every answer on as it is stood between the "
            f"load and the counter; {about}",
        )
    return Notice(
        heading=f"Fault injected{_times(manifest)}:",
        text=f"{meaning(manifest.fault)}. An intermediary between the load and the counter did "
        f"that; {about}",
    )


def meaning(fault: str) -> str:
    """Give a fault's name and what it does; a name alone where it is not one of ours."""
    try:
        return f"{formats.plain(fault)}, which {parse_fault(fault).words}"
    except ValueError:
        return formats.plain(fault)


def _times(manifest: Manifest) -> str:
    injected = manifest.fault_counts.get("injected")
    return "" if injected is None else f" {formats.counted(injected, 'time')}"


def rows(manifest: Manifest) -> list[tuple[str, str]]:
    """Give what the table of facts says of a fault: what it was, and its own counts."""
    if not manifest.fault:
        return []
    counts = ", ".join(
        f"{formats.plain(name)} {formats.integer(count)}"
        for name, count in manifest.fault_counts.items()
    )
    return [("fault injected", meaning(manifest.fault)), ("the intermediary's counts", counts)]
