"""Could the run have failed at all?

A counter that is never asked twice at once looks atomic whatever it does. On a recorded run
this check keeps a weak run from passing; on a plain history file it only informs.
"""

from collections.abc import Mapping

import numpy as np

from analysis.evidence import plural
from analysis.run import NEVER_NS, Int64s, Run
from analysis.verdict import Evidence, Finding, Verdict
from history.manifest import ENDED_WELL, Manifest
from history.operation import Outcome

NAME = "exercised"
MIN_OPERATIONS = 1_000
MIN_OVERLAP_SHARE = 0.10
MIN_RATE_SHARE = 0.90
"""Open loop: a generator that sent less than this share of its schedule was too slow."""

MIN_LOAD_SHARE = 0.90
"""A generator whose last request ended before this share of the load fell silent."""

RUNNER = "runner"
"""The source of the requests that bracket a load; all others are generators."""


def check(run: Run) -> Finding:
    """INCONCLUSIVE when the run could not have failed, or was not what was asked for.

    That is: too few operations, hardly any overlapped, a generator died, got no answer, fell
    silent or did not use all its users or connections, the run was interrupted, or the client
    fell behind its open-loop schedule.
    """
    start, end = _completed(run)
    counts = {
        "completed": len(start),
        "overlapping_share": round(overlapping_share(start, end), 4),
        "in_flight_peak": peak_in_flight(start, end),
        "in_flight_mean": round(_mean_in_flight(start, end), 2),
    }
    weak = _troubles(run, run.manifest) if run.manifest is not None else []
    weak += _weaknesses(counts)
    tried = (
        f"{plural(len(start), 'completed operation')}, {counts['overlapping_share']:.0%} of them "
        f"overlapping another, {counts['in_flight_mean']:g} in flight on average and "
        f"{counts['in_flight_peak']} at the peak"
    )
    return Finding(
        check=NAME,
        verdict=Verdict.INCONCLUSIVE if weak else Verdict.PASS,
        summary=f"{tried}." if not weak else f"{weak[0]} ({tried}).",
        counts=counts,
        evidence=tuple(Evidence(summary=sentence) for sentence in weak),
        evidence_total=len(weak),
        decides=run.manifest is not None,
    )


def _fell_silent(run: Run, manifest: Manifest) -> list[str]:
    """Name the generators that had nothing in flight in the last part of the load.

    One that stops sending and then exits in good order looks well from outside.
    """
    if manifest.load_started_ns is None or manifest.load_ended_ns is None:
        return []
    if manifest.load.by_page:
        return []  # whoever stopped it there meant to
    length_ns = manifest.load_ended_ns - manifest.load_started_ns
    late_ns = manifest.load_started_ns + int(MIN_LOAD_SHARE * length_ns)
    ends = run.frame["end_ns"].to_numpy(dtype=np.int64, na_value=NEVER_NS)
    processes = run.frame["process"].to_numpy()
    silent = []
    for process in manifest.processes:
        own = ends[processes == process.process]
        if process.source != RUNNER and len(own) and own.max() < late_ns:
            after_s = (int(own.max()) - manifest.load_started_ns) / 1e9
            silent.append(
                f"{process.process} fell silent after {after_s:.1f} s of {length_ns / 1e9:.1f} s"
            )
    return silent


def _idle(run: Run, manifest: Manifest) -> list[str]:
    """Name the generators of which fewer users or connections sent than were asked for."""
    load = manifest.load
    asked = {
        "locust": (load.users, "Locust users", "raise SPAWN_RATE or DURATION"),
        "swarm": (load.connections, "swarm connections", "raise RATE or DURATION"),
    }
    idle = []
    for source, (count, clients, advice) in asked.items():
        sent = run.frame.loc[(run.frame["source"] == source).to_numpy(), "worker"].nunique()
        if sent < count:
            idle.append(f"Only {sent:,} of {count:,} {clients} sent a request: {advice}")
    return idle


def _completed(run: Run) -> tuple[Int64s, Int64s]:
    """Give starts and ends of what was answered, without rows whose times are contradictory."""
    parts = (run.increments, run.decrements, run.reads)
    whole = ~run.inconsistent[np.concatenate([part.row for part in parts])]
    start = np.concatenate([part.start for part in parts])[whole]
    end = np.concatenate([part.end for part in parts])[whole]
    order = np.argsort(start, kind="stable")
    return start[order], end[order]


def overlapping_share(start: Int64s, end: Int64s) -> float:
    """Give the share of operations that overlap at least one other; sorted by start."""
    if len(start) < 2:  # noqa: PLR2004
        return 0.0
    overlaps_next = start[1:] <= end[:-1]
    overlaps_earlier = start[1:] <= np.maximum.accumulate(end)[:-1]
    touched = np.zeros(len(start), dtype=bool)
    touched[1:] |= overlaps_earlier
    touched[:-1] |= overlaps_next
    return float(touched.mean())


def peak_in_flight(start: Int64s, end: Int64s) -> int:
    """Give the largest number of operations in flight at one instant; sorted by start."""
    if not len(start):
        return 0
    ended_before = np.searchsorted(np.sort(end), start, side="left")
    return int((np.arange(1, len(start) + 1) - ended_before).max())


def _mean_in_flight(start: Int64s, end: Int64s) -> float:
    if not len(start):
        return 0.0
    span = float(end.max()) - float(start.min())
    return float((end.astype(float) - start.astype(float)).sum() / span) if span > 0 else 0.0


def _weaknesses(counts: Mapping[str, float]) -> list[str]:
    weak = []
    if counts["completed"] < MIN_OPERATIONS:
        weak.append(
            f"Only {plural(int(counts['completed']), 'operation')} completed, fewer than "
            f"{MIN_OPERATIONS:,}: run longer (DURATION)"
        )
    elif counts["overlapping_share"] < MIN_OVERLAP_SHARE:
        weak.append(
            "Hardly any operations overlapped, so a race had no chance to show: use more "
            "CONNECTIONS and USERS"
        )
    return weak


def _generators(manifest: Manifest) -> list[str]:
    """Name the generators that the run had, each once."""
    sources = dict.fromkeys(process.source for process in manifest.processes)
    return [source for source in sources if source != RUNNER]


def _troubles(run: Run, manifest: Manifest) -> list[str]:
    troubles = [f"The run was {manifest.interrupted}"] if manifest.interrupted else []
    troubles += [
        f"{process.process} {process.exit_state}"
        for process in manifest.processes
        if process.exit_state != ENDED_WELL
    ]
    answered = run.frame.loc[run.mask(outcome=Outcome.OK), "source"].value_counts()
    troubles += [
        f"The {source} generator got no answer at all"
        for source in _generators(manifest)
        if not int(answered.get(source, 0))
    ]
    troubles += _fell_silent(run, manifest) + _idle(run, manifest)
    due = manifest.load.rate_per_s * manifest.load.duration_s
    # Locust's users have intended times as well when they fire in volleys.
    swarm = (run.frame["source"] == "swarm").to_numpy()
    scheduled = int(run.frame["intended_ns"].notna().to_numpy()[swarm].sum())
    if scheduled < MIN_RATE_SHARE * due:
        troubles.append(
            f"The client sent {scheduled:,} of {due:,.0f} requests of its schedule: the client "
            "was too slow or the server held all connections, so lower RATE or raise PROCESSES "
            "or CONNECTIONS"
        )
    return troubles
