"""From a run's folder to a Run: sealing it first if nobody did."""

from pathlib import Path

from analysis.load import load_record
from analysis.run import Run
from history.errors import UserError
from history.health import read_health
from history.manifest import Manifest
from history.run import RunFolder, seal

MARGIN_S = 60.0
"""Beyond all time-outs: TCP has long sent again what was lost, a paused machine gone on."""


def load_run(folder: RunFolder, *, allow_unanswered: int = 0) -> Run:
    """Load a stored run, sealing it first when its runner did not live to do so.

    Raises UserError when the folder holds no run, or its record is gone.
    """
    manifest = seal(folder)
    if not folder.operations.is_file():
        raise UserError(
            f"{folder.operations} does not exist although the run was sealed: the record is gone, "
            "so nothing can be judged; run make loadtest again"
        )
    return Run(
        run_id=manifest.run_id,
        record=load_record(folder.operations),
        initial=_initial(folder.path, manifest.initial.value),
        final=manifest.final.value,
        returns=manifest.returns,
        allow_unanswered=allow_unanswered,
        window_ns=_window_ns(manifest),
        window_of="the integration's time-out and a margin",
        clocks={bound.host: bound for bound in manifest.clocks},
        manifest=manifest,
        health=read_health(folder.health),
    )


def _window_ns(manifest: Manifest) -> int | None:
    """Give how long after it was sent an unanswered request can still act, where that is known.

    A request may lie in buffers on its way for as long as its client waits, then the integration
    waits for the database for so long, and what it has sent on to there may still be under way.
    """
    timeout_ms = manifest.integration_timeout_ms
    if timeout_ms is None:
        return None
    return int((timeout_ms / 1e3 + manifest.load.timeout_s + MARGIN_S) * 1e9)


def _initial(path: Path, value: int | None) -> int:
    if value is None:
        raise UserError(
            f"{path}: the run ended before the counter's initial value was known, so nothing can "
            "be judged; run make loadtest again"
        )
    return value
