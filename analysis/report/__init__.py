"""The report: one self-contained HTML page about one judged run.

It draws and words what the judgement says; it never judges, and never contacts a network.
"""

from pathlib import Path

from analysis.alarms import Heard, find_controls
from analysis.report import page
from analysis.run import Run
from analysis.verdict import Judgement
from history.files import write_text_whole


def write_report(
    path: Path, *, run: Run, judgement: Judgement, controls: Heard | None = None
) -> None:
    """Write the report of a judged run.

    Links to the run's other files are relative to `path`. `controls` are those of its stack; left
    out, they are looked for beside the run's folder. Raises UserError when the file cannot be
    written.
    """
    if controls is None and run.manifest is not None:
        controls = find_controls(path.parent, run.manifest)
    write_text_whole(path, page.render(run, judgement, path.parent, controls))


__all__ = ["write_report"]
