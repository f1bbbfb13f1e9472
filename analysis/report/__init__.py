"""The report: one self-contained HTML page about one judged run.

It draws and words what the judgement says; it never judges, and never contacts a network.
"""

from pathlib import Path

from analysis.report import page
from analysis.run import Run
from analysis.verdict import Judgement
from history.files import write_text_whole


def write_report(path: Path, *, run: Run, judgement: Judgement) -> None:
    """Write the report of a judged run.

    Links to the run's other files are relative to `path`. Raises UserError when the file
    cannot be written.
    """
    write_text_whole(path, page.render(run, judgement, path.parent))


__all__ = ["write_report"]
