"""Judge stored runs and history files: python -m analysis verify PATH..."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from analysis.index import write_index
from analysis.judging import judge_run
from analysis.load import load_record
from analysis.outputs import junit_xml, verdict_json
from analysis.run import Run
from analysis.stored import load_run
from analysis.verdict import EXIT_CODES, Judgement, worst
from history.errors import EXIT_USAGE, UserError, run_main
from history.files import write_text_whole
from history.operation import INT64_MAX, INT64_MIN, Returns
from history.run import RunFolder, find_run

_EPILOG = """\
exit codes: 0 PASS, 1 FAIL, 3 INCONCLUSIVE, 2 bad usage or unreadable input; over several
PATHs the worst: unreadable, then FAIL, then INCONCLUSIVE, then PASS.

examples:
  python -m analysis verify reports/latest
  python -m analysis verify orders.csv --initial 100 --final 4711 --json
"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m analysis",
        description="Judge whether a recorded counter handed out every number once, without "
        "gaps and in real-time order.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    verify = commands.add_parser(
        "verify",
        help="judge run folders and history files",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verify.add_argument(
        "paths",
        metavar="PATH",
        nargs="+",
        help="run folder, or history file (.csv .jsonl .parquet)",
    )
    verify.add_argument(
        "--reports",
        type=Path,
        default=Path("reports"),
        help="where run ids are looked up [default: %(default)s]",
    )
    verify.add_argument(
        "--json", action="store_true", help="print one verdict object per PATH, one a line"
    )
    verify.add_argument(
        "--index",
        action="store_true",
        help="also list all runs in the index.html beside a run folder",
    )
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
    verify.add_argument(
        "--allow-unanswered",
        type=int,
        default=0,
        metavar="N",
        help="missing values explained by unanswered requests that still pass "
        "[default: %(default)s]",
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; give its exit code."""
    options = _parser().parse_args(arguments)
    _refuse_wrong_numbers(options)
    verdicts = []
    unreadable = False
    for path in options.paths:
        try:
            judgement, report = _judge_path(path, options)
        except Exception as error:
            if os.environ.get("GAPLESS_DEBUG") and not isinstance(error, UserError):
                raise
            sentence = _sentence(path, error)
            _say(f"gapless: {sentence}", to=sys.stderr)
            unreadable = True
            if options.json:
                _say(json.dumps({"run_id": path, "verdict": None, "error": sentence}))
            continue
        _say(verdict_json(judgement) if options.json else str(judgement))
        if report and not options.json:
            _say(f"  report       {report}")
        verdicts.append(judgement.verdict)
    return EXIT_USAGE if unreadable else EXIT_CODES[worst(verdicts)]


def _refuse_wrong_numbers(options: argparse.Namespace) -> None:
    if options.allow_unanswered < 0:
        raise UserError(
            f"--allow-unanswered {options.allow_unanswered}: expected a number of at least 0"
        )
    for name in ("initial", "final"):
        value = getattr(options, name)
        if value is not None and not INT64_MIN <= value <= INT64_MAX:
            raise UserError(f"--{name} {value}: expected an integer of at most 64 bits")


def _sentence(path: str, error: Exception) -> str:
    """Say why a PATH was not judged; a crash is told like that too, and never looks like FAIL."""
    if isinstance(error, UserError):
        return str(error)
    text = " ".join(str(error).split())[:300]
    if isinstance(error, OSError):
        return f"{path} cannot be read: {error.strerror or text}"
    return f"{path} could not be judged: {type(error).__name__}: {text} (GAPLESS_DEBUG=1 tells all)"


def _say(text: str, *, to: TextIO | None = None) -> None:
    """Print; what is not text in a file's name is printed as JSON escapes it, too."""
    print(text.encode(errors="backslashreplace").decode(), file=to)


def _judge_path(path: str, options: argparse.Namespace) -> tuple[Judgement, Path | None]:
    """Judge one PATH; a run's report is written, and named."""
    folder = _run_folder(path, options.reports)
    if folder is None:
        return judge_run(_history(Path(path), options)), None
    given = [name for name in ("initial", "final", "returns") if getattr(options, name) is not None]
    if given:
        raise UserError(
            f"--{given[0]} is for history files: {path} is a run, which knows its own; leave it out"
        )
    judgement = judge_folder(folder, allow_unanswered=options.allow_unanswered)
    if options.index:
        write_index(folder.path.parent)
    return judgement, folder.report


def _run_folder(path: str, reports: Path) -> RunFolder | None:
    """Give the run that a PATH names, by its folder or its record; None for a history file."""
    named = Path(path)
    if named.is_file():
        around = RunFolder(named.resolve().parent)
        is_its_record = named.name == around.operations.name and around.manifest.is_file()
        return around if is_its_record else None
    is_run = any(RunFolder(folder).manifest.is_file() for folder in (named, reports / path))
    if not is_run and named.exists():
        raise UserError(
            f"{path} holds no run (no manifest.json): name a run folder or a history file"
        )
    if not is_run and named.suffix:
        raise UserError(f"{path} does not exist: name a run folder or a history file")
    return find_run(reports, path)


def _history(path: Path, options: argparse.Namespace) -> Run:
    return Run(
        run_id=path.name,
        record=load_record(path),
        initial=options.initial or 0,
        final=options.final,
        returns=Returns(options.returns or Returns.NEW),
        allow_unanswered=options.allow_unanswered,
    )


def judge_folder(folder: RunFolder, *, allow_unanswered: int) -> Judgement:
    """Judge a stored run and write verdict.json, junit.xml and report.html into its folder.

    Raises UserError when the run cannot be read or its folder cannot be written.
    """
    run = load_run(folder, allow_unanswered=allow_unanswered)
    judgement = judge_run(run)
    write_text_whole(folder.verdict, verdict_json(judgement, indent=1) + "\n")
    write_text_whole(folder.junit, junit_xml(judgement))
    # What draws takes longer to import than a million operations take to be judged.
    from analysis.report import write_report  # noqa: PLC0415

    write_report(folder.report, run=run, judgement=judgement)
    return judgement


if __name__ == "__main__":
    run_main(main)
