"""Measure what Gapless claims: judge, record, clients, punctuality, bursts, the local target.

    python -m bench [judge] [recording] [clients] [lag] [burst] [target] [--write]
    python -m bench judge [--operations 1e6 1e7 1e8] [--write]
    python -m bench crash [--kills 200]
    python -m bench disturbances [--runs 50]
    python -m bench sensitivity FOLDER [--write]

Every figure stands beside a floor from the same run: the ratio carries over to another machine, the
seconds do not.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path

from bench import judge, sensitivity
from bench.burst import burst
from bench.clients import clients
from bench.counter import compiled
from bench.crash import main as crash
from bench.disturbances import main as disturbances
from bench.document import write_parts
from bench.lag import lag
from bench.machine import described
from bench.recording import recording
from bench.tables import Table
from bench.target import require_wrk, target
from history.errors import run_main
from runner.provenance import REPOSITORY

PARTS = ("judge", "recording", "clients", "lag", "burst", "target")
WRITTEN = ("recording", "clients", "lag", "burst")
APART: Mapping[str, Callable[[Sequence[str]], int]] = {
    "crash": crash,
    "disturbances": disturbances,
    "sensitivity": sensitivity.main,
}
"""Series that have their own options, and no part in `make bench`."""

COMPILED = frozenset({"clients", "lag"})
PAGE = REPOSITORY / "docs" / "performance.md"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=(__doc__ or "").splitlines()[0],
        epilog="examples: python -m bench clients lag --rounds 5; python -m bench --write. Not one "
        "of these parts, since they take long: python -m bench crash and python -m bench "
        "disturbances, see their own --help",
    )
    add = parser.add_argument
    add("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)} [default: all]")
    add(
        "--runs",
        type=int,
        default=5,
        help="of judge, recording, burst and target [default: %(default)s]",
    )
    add("--rounds", type=int, default=3, help="of clients and lag [default: %(default)s]")
    add("--seconds", type=int, default=5, help="of each load [default: %(default)s]")
    add(
        "--write",
        action="store_true",
        help=f"put {', '.join(WRITTEN)}, measured in this run, into {PAGE.name}",
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the measurements that were asked for, all by default."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    if words and words[0] in APART:
        return APART[words[0]](words[1:])
    if words[:1] == ["judge"] and not set(words[1:]) & set(PARTS):
        return judge.main(words[1:])
    parser = _parser()
    options = parser.parse_args(words)
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    asked = [part for part in PARTS if part in (options.parts or PARTS)]
    if options.write and (left_out := [part for part in WRITTEN if part not in asked]):
        parser.error(f"--write puts one run's figures together: ask for {', '.join(left_out)} too")
    if "target" in asked:
        require_wrk()
    written = {"bench machine": f"{described()}.\n"}
    with compiled() if COMPILED.intersection(asked) else nullcontext(Path()) as program:
        print(described(), flush=True)
        for part in asked:
            table = _measure(part, options, program)
            if table is not None:
                print(table.text(), flush=True)
                written[f"bench {part}"] = table.markdown()
    if options.write:
        write_parts(PAGE, written)
        print(f"written: {PAGE.relative_to(REPOSITORY)}")
    return 0


def _measure(part: str, options: argparse.Namespace, program: Path) -> Table | None:
    """Measure one part; give its table, None if it has printed its own figures."""
    match part:
        case "judge":
            return judge.table(judge.judge(judge.SIZES, options.runs), options.runs)
        case "recording":
            return recording(options.runs)
        case "clients":
            return clients(program, rounds=options.rounds, seconds=options.seconds)
        case "lag":
            return lag(program, rounds=options.rounds)
        case "burst":
            return burst(options.runs)
        case _:
            target(options.runs, options.seconds)
    return None


if __name__ == "__main__":
    run_main(main)
