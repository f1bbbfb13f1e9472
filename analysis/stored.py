"""From a run's folder to a Run, sealing it first if nobody did; and its judgement put there."""

from pathlib import Path

from analysis.alarms import Heard
from analysis.judging import judge_run
from analysis.load import load_record
from analysis.outputs import junit_xml, verdict_json
from analysis.run import Run
from analysis.verdict import Judgement
from history.errors import UserError
from history.files import write_text_whole
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


def judge_folder(folder: RunFolder, run: Run, controls: Heard | None = None) -> Judgement:
    """Judge a stored run and write verdict.json, junit.xml and report.html into its folder.

    `controls` are those of its stack; left out, they are looked for beside the folder.

    Raises UserError when the run cannot be read or its folder cannot be written.
    """
    judgement = judge_run(run)
    write_text_whole(folder.verdict, verdict_json(judgement, indent=1) + "\n")
    write_text_whole(folder.junit, junit_xml(judgement))
    # What draws takes longer to import than a million operations take to be judged.
    from analysis.report import write_report  # noqa: PLC0415

    write_report(folder.report, run=run, judgement=judgement, controls=controls)
    return judgement


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
