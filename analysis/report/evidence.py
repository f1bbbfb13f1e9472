"""The operations behind the findings, as tables a reader can check line by line."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from analysis.report import formats
from analysis.report.tables import Column, RowGroup, Table, numbers
from analysis.run import Run
from analysis.verdict import Evidence, Finding, Judgement, Verdict

OPERATIONS_CAP = 20
"""Operations shown of one piece of evidence."""
_SUMMARY_LIMIT = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceSection:
    """What one check found: its verdict, its sentence, and its operations (if it has any)."""

    anchor: str
    check: str
    verdict: Verdict
    summary: str
    showing: str
    table: Table | None


def evidence_sections(judgement: Judgement, clock: "Clock") -> tuple[EvidenceSection, ...]:
    """Give a section for every finding that is not a PASS or has something to show."""
    shown = (f for f in judgement.findings if f.verdict is not Verdict.PASS or f.evidence)
    return tuple(_section(finding, f"evidence-{at}", clock) for at, finding in enumerate(shown, 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """How to write a time of the run: as UTC where the manifest relates the clocks."""

    origin_ns: int
    wall_minus_monotonic_ns: int = 0

    @classmethod
    def of(cls, run: Run, origin_ns: int) -> "Clock":
        """Take what the manifest knows of the clocks."""
        wall = run.manifest.wall_minus_monotonic_ns if run.manifest else 0
        return cls(origin_ns=origin_ns, wall_minus_monotonic_ns=wall)

    @property
    def unit(self) -> str:
        """What the times are, for a heading."""
        return "UTC" if self._wall(self.origin_ns) else "after the first"

    def write(self, time_ns: int | None) -> str:
        """Write a time; a blank is a dash."""
        if time_ns is None:
            return formats.BLANK
        wall = self._wall(self.origin_ns) and self._wall(time_ns)
        return wall or formats.after_origin(time_ns, self.origin_ns)

    def _wall(self, time_ns: int) -> str | None:
        if not self.wall_minus_monotonic_ns:
            return None
        return formats.wall_clock(time_ns + self.wall_minus_monotonic_ns)


def _section(finding: Finding, anchor: str, clock: Clock) -> EvidenceSection:
    shown = len(finding.evidence)
    total = max(finding.evidence_total, shown)
    showing = f"Showing {shown:,d} of {total:,d}." if shown else ""
    return EvidenceSection(
        anchor=anchor,
        check=formats.plain(finding.check),
        verdict=finding.verdict,
        summary=formats.plain(finding.summary, _SUMMARY_LIMIT),
        showing=showing,
        table=_table(finding, clock) if finding.evidence else None,
    )


def _table(finding: Finding, clock: Clock) -> Table:
    return Table(
        caption=f"Operations behind “{formats.plain(finding.check)}”",
        columns=(
            *numbers("row", "value"),
            Column("source"),
            Column("worker"),
            Column("kind"),
            Column("outcome"),
            Column("reason"),
            *numbers("status", f"start ({clock.unit})", f"end ({clock.unit})"),
            *numbers("duration (ms)", "sends"),
        ),
        groups=tuple(_group(piece, clock) for piece in finding.evidence),
        compact=True,
    )


def _group(piece: Evidence, clock: Clock) -> RowGroup:
    shown = piece.operations[:OPERATIONS_CAP]
    hidden = len(piece.operations) - len(shown)
    return RowGroup(
        heading=formats.plain(piece.summary, _SUMMARY_LIMIT),
        note=f"showing {len(shown)} of {len(piece.operations):,d} operations" if hidden else "",
        rows=tuple(_operation(operation, clock) for operation in shown),
    )


def _operation(operation: Mapping[str, Any], clock: Clock) -> tuple[str, ...]:
    start_ns, end_ns = operation.get("start_ns"), operation.get("end_ns")
    return (
        _cell(operation, "row", formats.integer),
        _cell(operation, "value", formats.integer),
        *(_cell(operation, name) for name in ("source", "worker", "kind", "outcome", "reason")),
        _cell(operation, "status"),
        clock.write(start_ns),
        clock.write(end_ns),
        _duration(start_ns, end_ns),
        _cell(operation, "attempts"),
    )


def _duration(start_ns: int | None, end_ns: int | None) -> str:
    if start_ns is None or end_ns is None:
        return formats.BLANK
    return formats.milliseconds(end_ns - start_ns)


def _cell(
    operation: Mapping[str, Any], name: str, write: Callable[[Any], str] = formats.plain
) -> str:
    found = operation.get(name)
    return formats.BLANK if found is None or found == "" else write(found)
