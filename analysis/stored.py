"""From a run's folder to a Run: sealing it first if nobody did."""

from pathlib import Path

from analysis.load import load_record
from analysis.run import Run
from history.errors import UserError
from history.health import read_health
from history.run import RunFolder, seal


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
        manifest=manifest,
        health=read_health(folder.health),
    )


def _initial(path: Path, value: int | None) -> int:
    if value is None:
        raise UserError(
            f"{path}: the run ended before the counter's initial value was known, so nothing can "
            "be judged; run make loadtest again"
        )
    return value
