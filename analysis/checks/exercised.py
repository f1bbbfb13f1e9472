"""Could the run have failed at all?

A counter that is never asked twice at once looks atomic whatever it does. On a recorded run
this check keeps a weak run from passing; on a plain history file it only informs.

`pressure` says how hard the counter was pressed, `asked` what must have been sent, `witness` when
a client was too slow to see anything. A late send in an open loop is no trouble: it is stamped
when it is sent. What was never sent is.
"""

from collections.abc import Sequence

from analysis.asked import unmet
from analysis.clients import Client, at_peak, clients_of
from analysis.evidence import duration
from analysis.pressure import Pressure, generators, weaknesses
from analysis.run import Run
from analysis.verdict import Evidence, Finding, Verdict
from analysis.witness import too_slow, unrecorded
from history.manifest import ENDED_WELL, Manifest
from history.operation import Outcome

NAME = "exercised"


def check(run: Run) -> Finding:
    """INCONCLUSIVE when the run could not have failed, or was not what was asked for.

    That is: too few operations, hardly any overlapped or met its neighbour, none had completed
    before another was sent, the generators did not press at the same time, one died, got no answer,
    sent nothing, fell silent, did not use all its users or connections, was too slow to see
    anything or left no record of how it fared, the run was interrupted or too short, or too little
    of an open-loop schedule was sent.
    """
    pressure = Pressure.of(run)
    clients = at_peak(run, clients_of(run))
    counts = pressure.counts()
    weak = []
    if run.manifest is not None:
        weak = _troubles(run, run.manifest, clients)
        counts |= _client_counts(clients) | _fault_counts(run.manifest)
    weak += weaknesses(run, pressure)
    tried = f"{pressure.told()}{_slowest(run, clients)}"
    return Finding(
        check=NAME,
        verdict=Verdict.INCONCLUSIVE if weak else Verdict.PASS,
        summary=f"{tried}." if not weak else f"{weak[0]} ({tried}).",
        counts=counts,
        evidence=tuple(Evidence(summary=sentence) for sentence in weak),
        evidence_total=len(weak),
        decides=run.manifest is not None,
    )


def _client_counts(clients: Sequence[Client]) -> dict[str, float | None]:
    """Give how slow the slowest process was, and how many requests waited for all of them.

    None where it is not known.
    """
    lags = [client.health.loop_lag_ns_p50 for client in clients if client.health]
    shares = [client.own_share for client in clients if client.own_share is not None]
    late = [client.schedule.lag_ns_p50 for client in clients if client.schedule]
    return {
        "loop_lag_ms_p50": round(max(lags) / 1e6, 3) if lags else None,
        "client_share_of_latency": round(max(shares), 4) if shares else None,
        "in_client_mean": round(sum(client.in_client_mean for client in clients), 2)
        if shares
        else None,
    } | ({"schedule_lag_ms_p50": round(max(late) / 1e6, 3)} if late else {})


def _fault_counts(manifest: Manifest) -> dict[str, float | None]:
    """Give how often an intermediary did what it was asked for, where there was one."""
    if not manifest.fault:
        return {}
    return {"faults_injected": manifest.fault_counts.get("injected")}


def _slowest(run: Run, clients: Sequence[Client]) -> str:
    if run.manifest is None:
        return ""
    known = [client for client in clients if client.own_share is not None]
    if not known:
        return "; how the clients themselves fared was not recorded"
    slowest = max(known, key=lambda client: client.own_share or 0.0)
    lag_ns = slowest.health.loop_lag_ns_p50 if slowest.health else 0
    return (
        f"; {slowest.process}, the slowest client, was {duration(lag_ns)} late where a request "
        f"took {duration(slowest.latency_ns_p50 or 0)} (medians)"
    )


def _troubles(run: Run, manifest: Manifest, clients: Sequence[Client]) -> list[str]:
    troubles = [f"The run was {manifest.interrupted}"] if manifest.interrupted else []
    troubles += [
        f"{process.process} {process.exit_state}"
        for process in manifest.processes
        if process.exit_state != ENDED_WELL
    ]
    by_source = run.scan.by_source
    troubles += [
        f"The {source} generator got no answer at all"
        for source in generators(manifest)
        if not by_source.get(source, {}).get(Outcome.OK)
    ]
    troubles += unmet(run, manifest, clients)
    return troubles + too_slow(manifest, clients) + unrecorded(run, clients)
