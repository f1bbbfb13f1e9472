"""The judge: a stored run or any history, to checks, to a verdict, to a report.

Nothing here contacts a network. `analysis.checks` are pure functions; files are read by
`analysis.load`, `analysis.imports` and `analysis.stored`, and written by the command line. In a
notebook:

    from analysis import judge
    judge(frame, initial=1)
"""

from analysis.library import judge

__all__ = ["judge"]
