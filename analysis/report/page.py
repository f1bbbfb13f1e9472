"""The whole page: what the template is given, and the template rendered.

Pure, but for reading the template and its style, and looking which files lie beside it.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import jinja2
from markupsafe import Markup

from analysis.report import (
    clients,
    counts,
    evidence,
    figures,
    formats,
    outcomes,
    provenance,
    wording,
)
from analysis.report.evidence import Clock
from analysis.report.excerpt import drawn
from analysis.report.timeline import timeline
from analysis.run import Run
from analysis.verdict import Finding, Judgement, Verdict
from history.operation import Kind, Outcome

_HERE = Path(__file__).parent
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


def render(run: Run, judgement: Judgement, folder: Path) -> str:
    """Render the page; `folder` is where it will lie, for links to the files beside it."""
    shown = drawn(run, judgement)
    line = timeline(shown.run, first_row=shown.first_row, is_whole=shown.is_whole)
    style = (_HERE / "style.css").read_text(encoding="utf-8")
    sections = evidence.evidence_sections(judgement, Clock.of(run, line.origin_ns))
    anchors = {section.check: section.anchor for section in sections}
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            style=Markup(style),  # noqa: S704 -- our own file, and the policy names its hash
            style_hash=_hash(style),
            run_id=formats.plain(run.run_id),
            verdict=str(judgement.verdict),
            banner=wording.banner_words(judgement, mixed=run.is_mixed),
            anchors=anchors,
            banner_facts=_banner_facts(run, judgement),
            checks=[
                _check_row(finding, anchors, mixed=run.is_mixed) for finding in judgement.findings
            ],
            sections=sections,
            facts=provenance.facts(run),
            processes=provenance.processes(run),
            by_source=outcomes.by_source(line),
            by_reason=outcomes.by_reason(shown.run),
            excerpt=shown.note,
            latency=outcomes.latency(line),
            clients=clients.section(run, line),
            figures=figures.all_figures(shown.run, line, judgement),
            limits=wording.LIMITS,
            commands=provenance.commands(run),
            files=provenance.files(run, folder),
            operations=len(line),
        )
    )


def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _hash(style: str) -> str:
    digest = hashlib.sha256(style.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"


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
