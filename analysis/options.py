"""The command line of the judge: its commands, their options, and what they may be."""

import argparse
import math
import re
from pathlib import Path

from analysis.imports import FORMATS, READERS
from history.errors import UserError
from history.operation import INT64_MAX, INT64_MIN, Returns

SEARCH_BUDGET_S = 30.0
_NUMBER = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,9})?")
_EXIT_CODES = """\
exit codes: 0 PASS, 1 FAIL, 3 INCONCLUSIVE, 2 bad usage or unreadable input; over several
PATHs the worst: unreadable, then FAIL, then INCONCLUSIVE, then PASS.
"""
_VERIFY_EXAMPLES = """\
examples:
  python -m analysis verify reports/latest
  python -m analysis verify orders.csv --initial 100 --final 4711 --json
  python -m analysis verify history.edn --search-budget-s 120
  python -m analysis verify results.json --format vegeta --effect-window-ms 30000
"""
_CONTROLS_EXAMPLES = """\
exit codes: 0 all as expected, 1 an alarm did not ring or rang falsely, 3 undecided (a control left
no run, its fault was never injected, the series was cut off, ...), 2 bad usage or unreadable input.

examples:
  python -m analysis controls controls-20261128T060838Z-f4de535
  python -m analysis controls reports/controls-20261128T060838Z-f4de535 --stored --json
"""
_SENSITIVITY_EXAMPLES = """\
exit codes: 0 measured, 1 a false alarm (FAIL without any fault injected), 3 something is missing (a
run could not be judged, the series was cut off), 2 bad usage or unreadable input.

examples:
  python -m analysis sensitivity sensitivity-20261128T060838Z-f4de535
  python -m analysis sensitivity reports/sensitivity-20261128T060838Z-f4de535 --json
"""
_CONVERT_EXAMPLES = """\
exit codes: 0 written, 2 bad usage, unreadable input or nothing written.

examples:
  python -m analysis convert results.json orders.csv
  python -m analysis convert store/latest/history.edn counter.parquet --force
"""


def parser() -> argparse.ArgumentParser:
    """Give the parser of `python -m analysis`."""
    top = argparse.ArgumentParser(
        prog="python -m analysis",
        description="Judge whether a recorded counter handed out every number once, without "
        "gaps and in real-time order.",
        epilog=f"{_EXIT_CODES}\n{_VERIFY_EXAMPLES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(dest="command", required=True)
    _add_verify(commands)
    _add_controls(commands)
    _add_sensitivity(commands)
    _add_convert(commands)
    return top


def _add_verify(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    verify = commands.add_parser(
        "verify",
        help="judge run folders and history files",
        epilog=f"{_EXIT_CODES}\n{_VERIFY_EXAMPLES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verify.add_argument(
        "paths",
        metavar="PATH",
        nargs="+",
        help="run folder, history file (.csv .jsonl .parquet), or what another tool recorded "
        f"({', '.join(READERS)}; docs/history-format.md)",
    )
    _add_reports(verify)
    verify.add_argument(
        "--json", action="store_true", help="print one verdict object per PATH, one a line"
    )
    verify.add_argument(
        "--index",
        action="store_true",
        help="also list all runs in the index.html beside a run folder",
    )
    _add_format(verify)
    _add_counter(verify)
    _add_judgement(verify)


def _add_controls(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    controls = commands.add_parser(
        "controls",
        help="judge a series of controls: did every alarm ring, and no other?",
        description="Judge every run of a series of controls (make controls), compare with what "
        "was expected, and write controls.html and controls.json into its folder.",
        epilog=_CONTROLS_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    controls.add_argument("folder", metavar="FOLDER", help="a series' folder, or its name")
    _add_reports(controls)
    controls.add_argument(
        "--stored",
        action="store_true",
        help="take the verdicts that there are, and judge only runs without one "
        "[default: judge all]",
    )
    controls.add_argument("--json", action="store_true", help="print controls.json, on one line")


def _add_sensitivity(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    measured = commands.add_parser(
        "sensitivity",
        help="judge a measurement of sensitivity: how rare a fault is still caught?",
        description="Judge every run of a measurement (make sensitivity) and every shorter run "
        "within, and write sensitivity.html and sensitivity.json into its folder.",
        epilog=_SENSITIVITY_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    measured.add_argument("folder", metavar="FOLDER", help="a measurement's folder, or its name")
    _add_reports(measured)
    measured.add_argument("--json", action="store_true", help="print sensitivity.json, on one line")


def _add_convert(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    convert = commands.add_parser(
        "convert",
        help="write a history file from what another tool recorded",
        description="Write IN as a history file: the format by OUT's ending, its rows exactly. "
        "What was left out or assumed is printed.",
        epilog=_CONVERT_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    convert.add_argument(
        "source",
        metavar="IN",
        help="run folder, history file, or what another tool recorded "
        f"({', '.join(READERS)}; docs/history-format.md)",
    )
    convert.add_argument("target", metavar="OUT", type=Path, help="a .csv, .jsonl or .parquet file")
    convert.add_argument(
        "--force", action="store_true", help="replace OUT if it exists [default: refuse]"
    )
    _add_reports(convert)
    _add_format(convert)


def _add_reports(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--reports",
        type=Path,
        default=Path("reports"),
        help="where run ids are looked up [default: %(default)s]",
    )


def _add_format(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--format",
        choices=FORMATS,
        default=None,
        help="what recorded a history file [default: told by its first lines]",
    )


def _add_counter(verify: argparse.ArgumentParser) -> None:
    verify.add_argument(
        "--initial",
        type=int,
        default=None,
        metavar="N",
        help="history files: the counter before the first increment [default: 0]",
    )
    verify.add_argument(
        "--final",
        type=int,
        default=None,
        metavar="N",
        help="history files: the counter after the last operation [default: not known]",
    )
    verify.add_argument(
        "--returns",
        choices=[str(returns) for returns in Returns],
        default=None,
        help="history files: an increment answers the value after (new) or before it "
        "[default: new]",
    )


def _add_judgement(verify: argparse.ArgumentParser) -> None:
    verify.add_argument(
        "--allow-unanswered",
        type=int,
        default=0,
        metavar="N",
        help="missing values explained by unanswered requests that still pass "
        "[default: %(default)s]",
    )
    verify.add_argument(
        "--effect-window-ms",
        type=_window,
        default=None,
        metavar="N|unbounded",
        help="how long after it was sent an unanswered request can still act, in ms "
        "[default: the integration's time-out and a margin where a run knows it, "
        "else unbounded]",
    )
    verify.add_argument(
        "--search-budget-s",
        type=_seconds,
        default=SEARCH_BUDGET_S,
        metavar="S",
        help="seconds for the search that decides histories with decrements; beyond them they "
        "are INCONCLUSIVE [default: %(default)g]",
    )
    verify.add_argument(
        "--clock-error-ms",
        type=_clock_error,
        default=None,
        metavar="E",
        help="the clocks of several hosts agree to within E ms [default: what a run's manifest "
        "says; without that they do not compare]",
    )


def _window(text: str) -> float:
    return math.inf if text == "unbounded" else _number("--effect-window-ms", text, " or unbounded")


def _seconds(text: str) -> float:
    return _number("--search-budget-s", text)


def _clock_error(text: str) -> float:
    return _number("--clock-error-ms", text)


def _number(option: str, text: str, other: str = "") -> float:
    if not _NUMBER.fullmatch(text):
        raise UserError(
            f"{option} {text}: expected a number of at least 0, such as 30 or 0.5{other}"
        )
    return float(text)


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """Give the options of a command line.

    Numbers that say nothing are None, `effect_window_ms` without a bound is math.inf. Raises
    UserError for numbers out of range, SystemExit where argparse itself has to say something.
    """
    options = parser().parse_args(arguments)
    if options.command == "verify":
        _refuse_wrong_numbers(options)
    return options


def _refuse_wrong_numbers(options: argparse.Namespace) -> None:
    if options.allow_unanswered < 0:
        raise UserError(
            f"--allow-unanswered {options.allow_unanswered}: expected a number of at least 0"
        )
    for name in ("initial", "final"):
        value = getattr(options, name)
        if value is not None and not INT64_MIN <= value <= INT64_MAX:
            raise UserError(f"--{name} {value}: expected an integer of at most 64 bits")
