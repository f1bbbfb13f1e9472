"""Judge stored runs and history files: python -m analysis verify PATH..."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from analysis.index import write_index
from analysis.judge import judge_run
from analysis.load import load_history
from analysis.outputs import junit_xml, verdict_block, verdict_json
from analysis.report import write_report
from analysis.run import Run
from analysis.stored import load_run
from analysis.verdict import EXIT_CODES, Judgement, worst
from history.errors import EXIT_USAGE, UserError, run_main
from history.files import write_text_whole
from history.operation import Returns
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
        default=0,
        metavar="N",
        help="history files: the counter before the first increment [default: %(default)s]",
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
        default=str(Returns.NEW),
        help="history files: an increment answers the value after (new) or before it "
        "[default: %(default)s]",
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
    if options.allow_unanswered < 0:
        raise UserError(
            f"--allow-unanswered {options.allow_unanswered}: expected a number of at least 0"
        )
    verdicts = []
    unreadable = False
    for path in options.paths:
        try:
            judgement = _judge_path(path, options)
        except UserError as error:
            print(f"gapless: {error}", file=sys.stderr)
            unreadable = True
            if options.json:
                print(json.dumps({"run_id": path, "verdict": None, "error": str(error)}))
            continue
        print(verdict_json(judgement) if options.json else verdict_block(judgement))
        if not options.json and Path(path).is_dir():
            print(f"  report       {Path(path).resolve() / 'report.html'}")
        verdicts.append(judgement.verdict)
    return EXIT_USAGE if unreadable else EXIT_CODES[worst(verdicts)]


def _judge_path(path: str, options: argparse.Namespace) -> Judgement:
    if Path(path).is_file():
        run = Run(
            run_id=Path(path).name,
            frame=load_history(Path(path)),
            initial=options.initial,
            final=options.final,
            returns=Returns(options.returns),
            allow_unanswered=options.allow_unanswered,
        )
        return judge_run(run)
    if Path(path).suffix and not Path(path).exists() and not (options.reports / path).exists():
        raise UserError(f"{path} does not exist: name a run folder or a history file")
    folder = find_run(options.reports, path)
    judgement = judge_folder(folder, allow_unanswered=options.allow_unanswered)
    if options.index:
        write_index(folder.path.parent)
    return judgement


def judge_folder(folder: RunFolder, *, allow_unanswered: int) -> Judgement:
    """Judge a stored run and write verdict.json, junit.xml and report.html into its folder.

    Raises UserError when the run cannot be read or its folder cannot be written.
    """
    run = load_run(folder, allow_unanswered=allow_unanswered)
    judgement = judge_run(run)
    write_text_whole(folder.verdict, verdict_json(judgement, indent=1) + "\n")
    write_text_whole(folder.junit, junit_xml(judgement))
    write_report(folder.report, run=run, judgement=judgement)
    return judgement


if __name__ == "__main__":
    run_main(main)
