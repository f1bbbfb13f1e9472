"""Measure what Gapless claims: the judge, the record, the local target.

    python -m bench [judge] [recording] [target] [--operations 1000000] [--runs 5]

Every figure stands beside a floor from the same run: the ratio carries over to another machine, the
seconds do not.
"""

import argparse
import os
import platform

from bench.judge import judge
from bench.recording import recording
from bench.target import require_wrk, target
from history.errors import run_main

PARTS = ("judge", "recording", "target")


def main() -> int:
    """Run the measurements that were asked for, all by default."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)} [all]")
    parser.add_argument("--operations", type=int, default=1_000_000, help="[default: %(default)s]")
    parser.add_argument("--runs", type=int, default=5, help="[default: %(default)s]")
    parser.add_argument(
        "--seconds", type=int, default=5, help="of each load [default: %(default)s]"
    )
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    cores = len(os.sched_getaffinity(0))
    print(f"Python {platform.python_version()}, {cores} cores, {platform.platform()}")
    asked = options.parts or PARTS
    if "target" in asked:
        require_wrk()
    if "judge" in asked:
        judge(options.operations, options.runs)
    if "recording" in asked:
        recording(options.runs)
    if "target" in asked:
        target(options.runs, options.seconds)
    return 0


if __name__ == "__main__":
    run_main(main)
