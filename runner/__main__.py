"""The command line behind make loadtest and make verify-atomicity."""

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from deploy.settings import read_settings
from history.errors import EXIT_USAGE, UserError, run_main
from history.run import LATEST, RunFolder, find_run
from runner.controls import controls, read_controls
from runner.live.plain import PlainView
from runner.live.screen import ScreenView, can_draw
from runner.loadtest import loadtest
from runner.options import LoadOptions, read_options, read_page_options
from runner.provenance import REPOSITORY
from runner.sensitivity import read_measurement, sensitivity

REPORTS = REPOSITORY / "reports"

_EPILOG = """\
variables (make passes them on): TARGET URL ENDPOINT_URL STACK REGION DURATION USERS SPAWN_RATE
CONNECTIONS CONNECTIONS_MAX RATE ARRIVALS SHAPE TRANSPORT PROCESSES LOCUST_PROCESSES TIMEOUT
DECREMENTS FAIL_FAST INITIAL RETURNS ALLOW_UNANSWERED EFFECT_WINDOW_MS SEARCH_BUDGET_S ALLOW_HOST
SEED LIMITS FAULT LOCUST_UI_PORT RUN; of controls CONTROLS, of sensitivity RUNS FAULTS RATES; see
make help

exit codes: 0 PASS, 1 FAIL, 3 INCONCLUSIVE, 2 bad usage; of controls 0 all as expected, 1 an alarm
did not ring or rang falsely, 3 undecided; of sensitivity 0 measured, 1 a false alarm, 3 something
is missing
"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m runner",
        description="Conduct one experiment, or judge a recorded one again.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("loadtest", help="deploy if needed, load, seal, judge, report")
    commands.add_parser("verify", help="judge the run RUN (default latest); loadtest if none yet")
    commands.add_parser("report", help="the same for a run that there is")
    commands.add_parser("controls", help="see every alarm ring: wrong counters, the same load")
    commands.add_parser("sensitivity", help="measure how rare a fault is still caught")
    commands.add_parser("locust-ui", help="as loadtest, with the load made in Locust's page")
    parser.add_argument(
        "--reports", type=Path, default=REPORTS, help="where runs are kept [default: reports/]"
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; give its exit code, the verdict's."""
    options = _parser().parse_args(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    if options.command in {"controls", "sensitivity"}:
        return _series(options.command, options.reports)
    run_name = os.environ.get("RUN", "").strip() or LATEST
    try:
        page = options.command == "locust-ui"
        load = read_page_options(os.environ) if page else read_options(os.environ)
        stored = any(options.reports.glob("*/manifest.json"))
        judging = options.command == "verify" and (stored or run_name != LATEST)
        if judging or options.command == "report":
            run = find_run(options.reports, run_name)
        else:
            _refuse_series_name(load.run_id)
            _make_folder(options.reports)
            view = ScreenView(sys.stdout) if can_draw(sys.stdout, os.environ) else PlainView(_say)
            settings = read_settings(os.environ)
            run = loadtest(load, settings, reports=options.reports, say=_say, view=view)
    except KeyboardInterrupt:
        print("gapless: interrupted before the load began; nothing was recorded", file=sys.stderr)
        return EXIT_USAGE
    return _judge(run, load)


def _refuse_series_name(run_id: str) -> None:
    if "/" in run_id:
        raise UserError(
            f"RUN={run_id}: a new run has a name without a slash; one with it can be judged again"
        )


def _series(command: str, reports: Path) -> int:
    """Make a series of runs, and judge them all; what was run before a Ctrl-C is kept."""
    load, settings = read_options(os.environ), read_settings(os.environ)
    try:
        if command == "controls":
            chosen = read_controls(os.environ)
            _make_folder(reports)
            folder = controls(chosen, load, settings, reports=reports, say=_say)
        else:
            asked = read_measurement(os.environ)
            _make_folder(reports)
            folder = sensitivity(asked, load, settings, reports=reports, say=_say)
    except KeyboardInterrupt:
        print("gapless: interrupted before the first load; nothing was recorded", file=sys.stderr)
        return EXIT_USAGE
    try:
        return _analyse([command, str(folder.path)])
    except KeyboardInterrupt:
        again = f"python -m analysis {command} {folder.path}"
        print(f"gapless: interrupted while judging; again: {again}", file=sys.stderr)
        return EXIT_USAGE


def _say(line: str) -> None:
    """Tell how it goes; that nobody listens any more (`| head`) must not cost the record."""
    try:
        print(line, flush=True)
    except OSError:
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 -- until the end


def _make_folder(reports: Path) -> None:
    try:
        reports.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"--reports {reports}: cannot be made ({error.strerror}); name a folder"
        ) from error


def _judge(run: RunFolder, load: LoadOptions) -> int:
    """Judge offline, in a process of its own that knows nothing of how the run was made."""
    return _analyse(judge_arguments(run, load))


def _analyse(arguments: Sequence[str]) -> int:
    _say("")
    command = [sys.executable, "-m", "analysis", *arguments]
    return subprocess.run(command, cwd=REPOSITORY, check=False).returncode


def judge_arguments(run: RunFolder, load: LoadOptions) -> list[str]:
    """Spell what the judge is asked; what no variable says is left to its own defaults."""
    asked = ["verify", str(run.path), "--index", "--allow-unanswered", str(load.allow_unanswered)]
    if load.effect_window_ms:
        asked += ["--effect-window-ms", load.effect_window_ms]
    if load.search_budget_s is not None:
        asked += ["--search-budget-s", f"{load.search_budget_s:g}"]
    return asked


if __name__ == "__main__":
    run_main(main)
