"""The whole page: what the template is given, and the template rendered.

Pure, but for reading the template and its style, and looking which files lie beside it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from analysis.alarms import Heard
from analysis.report import (
    alarms,
    clients,
    counts,
    evidence,
    faults,
    figures,
    formats,
    outcomes,
    provenance,
    reproduce,
    wording,
)
from analysis.report.evidence import Clock
from analysis.report.excerpt import drawn
from analysis.report.templates import filled
from analysis.report.timeline import timeline
from analysis.run import Run
from analysis.verdict import Finding, Judgement, Verdict
from history.operation import Kind, Outcome

_SUMMARY_LIMIT = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRow:
    """One check as the table of checks shows it."""

    name: str
    verdict: Verdict
    decides: bool
    summary: str
    counts: tuple[tuple[str, str], ...]
    proves: str
    anchor: str


def render(run: Run, judgement: Judgement, folder: Path, controls: Heard | None = None) -> str:
    """Render the page; `folder` is where it will lie, for links to the files beside it.

    `controls` are those that were run on the same stack, where there are any.
    """
    shown = drawn(run, judgement)
    line = timeline(shown.run, first_row=shown.first_row, is_whole=shown.is_whole)
    sections = evidence.evidence_sections(judgement, Clock.of(run, line.origin_ns))
    anchors = {section.check: section.anchor for section in sections}
    return filled(
        "report.html.j2",
        run_id=formats.plain(run.run_id),
        verdict=str(judgement.verdict),
        banner=wording.banner_words(judgement, mixed=run.is_mixed),
        fault=faults.notice(run.manifest),
        anchors=anchors,
        banner_facts=_banner_facts(run, judgement),
        checks=[_check_row(finding, anchors, mixed=run.is_mixed) for finding in judgement.findings],
        sections=sections,
        controls=alarms.section(run.manifest, controls),
        facts=provenance.facts(run),
        processes=provenance.processes(run),
        by_source=outcomes.by_source(line),
        by_reason=outcomes.by_reason(shown.run),
        excerpt=shown.note,
        latency=outcomes.latency(line),
        clients=clients.section(run, line),
        figures=figures.all_figures(shown.run, line, judgement),
        limits=wording.LIMITS,
        commands=reproduce.commands(run),
        files=provenance.files(run, folder),
        operations=len(line),
    )


def _check_row(finding: Finding, anchors: Mapping[str, str], *, mixed: bool) -> CheckRow:
    return CheckRow(
        name=formats.plain(finding.check),
        verdict=finding.verdict,
        decides=finding.decides,
        summary=formats.plain(finding.summary, _SUMMARY_LIMIT),
        counts=tuple(counts.count_words(name, count) for name, count in finding.counts.items()),
        proves=wording.check_words(finding.check, mixed=mixed).proves,
        anchor=anchors.get(formats.plain(finding.check), ""),
    )


def _banner_facts(run: Run, judgement: Judgement) -> list[tuple[str, str]]:
    manifest = run.manifest
    values = judgement.values
    facts = [("Run", formats.plain(run.run_id))]
    if manifest:
        facts += [
            ("Started", formats.utc(manifest.started_utc)),
            ("Target", formats.plain(manifest.target)),
        ]
    initial, final = (formats.integer(values.get(name)) for name in ("initial", "final"))
    first, last = values.get("first"), values.get("last")
    if run.is_mixed:
        first, last = _reached(run)
    handed_out = "none" if first is None else f"{formats.integer(first)} to {formats.integer(last)}"
    facts += [
        ("Operations", _operations(run)),
        ("Values handed out", handed_out),
        ("Counter", f"{initial} before, {final} after"),
    ]
    return [*facts, ("URL", formats.plain(manifest.url, 400))] if manifest else facts


def _reached(run: Run) -> tuple[int | None, int | None]:
    """Give the smallest and the largest number handed out, as answered."""
    answered = [
        (extent.low - shift, extent.high - shift)
        for kind, shift in ((Kind.INCREMENT, run.shift), (Kind.DECREMENT, -run.shift))
        if (extent := run.scan.extents[kind]).low is not None and extent.high is not None
    ]
    lows, highs = [low for low, _ in answered], [high for _, high in answered]
    return min(lows, default=None), max(highs, default=None)


def _operations(run: Run) -> str:
    counts = run.scan.outcomes()
    told = f"{run.record.rows:,d}: " + ", ".join(f"{counts[o]:,d} {o}" for o in Outcome)
    if run.is_mixed:
        down = sum(run.activity.decrements.values())
        told += f"; {formats.counted(down, 'decrement')} among them"
    return told
