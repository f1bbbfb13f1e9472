"""Was the counter pressed hard enough for a fault to show? Pure.

A fault of concurrency needs operations that meet in the counter; an inversion needs others that do
not, or it cannot be seen. Both are told by the history alone.
"""

from dataclasses import dataclass

from analysis.effort import Effort
from analysis.evidence import plural
from analysis.neighbours import contended, order_resolution
from analysis.power import detectable_one_in
from analysis.run import Run
from analysis.sent import RUNNER
from history.manifest import Manifest
from history.operation import Outcome

MIN_OPERATIONS = 1_000
MIN_OVERLAP_SHARE = 0.10

MIN_CONTENDED = 299
"""With fewer, faults in one request of a hundred stay unseen more often than once in twenty."""

MIN_ABREAST_SHARE = 0.10
"""Of generators that press at the same time, whichever sends less overlaps the other all the time:
100 % at the default load, and of the swarm at RATE=1, where 2 % of all do [measured]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressure:
    """How hard a run tried.

    `contended` operations overlapped the one numbered next to theirs; from `order_resolution`
    numbers on an answer that is too old shows (analysis.neighbours). None where numbers
    legally return, or several hosts' clocks stamped the times: nothing tells them.
    """

    effort: Effort
    contended: int | None
    order_resolution: int | None

    @classmethod
    def of(cls, run: Run) -> "Pressure":
        """Measure a run."""
        answers = run.scan.answers
        known = not run.is_mixed and len(run.hosts) <= 1
        return cls(
            effort=run.scan.effort,
            contended=contended(answers) if known else None,
            order_resolution=order_resolution(answers) if known else None,
        )

    @property
    def detectable_one_in(self) -> int | None:
        """The largest N such that this run shows faults in one request of N with 95 %."""
        return detectable_one_in(self.contended or 0)

    def counts(self) -> dict[str, int | float | None]:
        """Give it as a finding's counts."""
        effort = self.effort
        measured, abreast = effort.concurrency, effort.abreast
        return {
            "completed": measured.operations,
            "client_processes": effort.processes,
            "overlapping_share": round(measured.overlapping_share, 4),
            "overlapping_pairs": measured.pairs,
            "other_generator_share": round(abreast.share, 4) if abreast.generators > 1 else None,
            "in_flight_peak": measured.in_flight_peak,
            "in_flight_mean": round(measured.in_flight_mean, 2),
            "contended": self.contended,
            "detectable_one_in": self.detectable_one_in,
            "order_resolution": self.order_resolution,
            "interval_ms_p01": _milliseconds(effort.width_ns_p01),
            "interval_ms_p50": _milliseconds(effort.width_ns_p50),
        }

    def told(self) -> str:
        """Say it in a clause."""
        effort = self.effort
        measured, abreast = effort.concurrency, effort.abreast
        of = f" of {plural(effort.processes, 'process', 'processes')}" if effort.processes else ""
        others = f", {abreast.share:.0%} one of another generator" * (abreast.generators > 1)
        return (
            f"{plural(measured.operations, 'completed operation')}{of}, "
            f"{measured.overlapping_share:.0%} of them overlapping another{others}, "
            f"{round(measured.in_flight_mean, 2):g} in flight on average and "
            f"{measured.in_flight_peak} at the peak{self._shows()}"
        )

    def _shows(self) -> str:
        one_in, resolution = self.detectable_one_in, self.order_resolution
        can = [f"faults in one request of {one_in:,}"] if one_in else []
        can += [f"an answer {plural(resolution, 'number')} too old"] if resolution else []
        return f"; such a run shows {' and '.join(can)} with probability 95 %" if can else ""


def _milliseconds(duration_ns: int | None) -> float | None:
    return None if duration_ns is None else round(duration_ns / 1e6, 3)


def weaknesses(run: Run, pressure: Pressure) -> list[str]:
    """Say why the run could hardly have failed, and what to change."""
    few = _too_few(pressure.effort.concurrency.operations)
    if few:
        return [few]
    apart = _apart(run, run.manifest, pressure) if run.manifest else ""
    return [sentence for sentence in (_not_met(pressure), apart) if sentence]


def _too_few(completed: int) -> str:
    if completed >= MIN_OPERATIONS:
        return ""
    return (
        f"Only {plural(completed, 'operation')} completed, fewer than {MIN_OPERATIONS:,}: run "
        "longer (DURATION)"
    )


def _not_met(pressure: Pressure) -> str:
    """Say that operations hardly met in the counter, or that all of them did."""
    if pressure.effort.concurrency.overlapping_share < MIN_OVERLAP_SHARE:
        return (
            "Hardly any operations overlapped, so a race had no chance to show: use more "
            "CONNECTIONS and USERS"
        )
    if pressure.contended is None:
        return ""
    if pressure.contended < MIN_CONTENDED:
        return (
            f"Only {plural(pressure.contended, 'operation')} overlapped the one numbered next to "
            f"it, fewer than {MIN_CONTENDED}, so a race had hardly a chance to show: use more "
            "CONNECTIONS and USERS, or a longer DURATION"
        )
    if pressure.order_resolution is None:
        return (
            "Hardly any operation had completed before another was sent, so no wrong order could "
            "show: use a longer DURATION, or fewer CONNECTIONS and USERS"
        )
    return ""


def generators(manifest: Manifest) -> list[str]:
    """Name the generators that the run had, each once."""
    sources = dict.fromkeys(process.source for process in manifest.processes)
    return [source for source in sources if source != RUNNER]


def _apart(run: Run, manifest: Manifest, pressure: Pressure) -> str:
    """Say that the generators did not press at the same time, where there were several."""
    by_source, abreast = run.scan.by_source, pressure.effort.abreast
    pressed = [name for name in generators(manifest) if by_source.get(name, {}).get(Outcome.OK)]
    if len(pressed) < 2 or abreast.highest_share >= MIN_ABREAST_SHARE:  # noqa: PLR2004
        return ""
    return (
        f"The generators ({', '.join(pressed)}) did not press at the same time: of none did more "
        f"than {abreast.highest_share:.0%} of its operations overlap another generator's: use a "
        "longer DURATION, or more USERS and CONNECTIONS"
    )
