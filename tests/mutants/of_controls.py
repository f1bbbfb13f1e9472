"""Wrong comparisons of a control's verdict with the one that was expected."""

from tests.mutants.mutant import Mutant

FILE = "analysis/controls.py"
TESTS = ("tests/analysis/test_controls.py",)
SERIES = ("tests/analysis/test_controls_series.py",)

MUTANTS = (
    Mutant(
        name="controls-silent-undecided",
        file=FILE,
        old="silent = got == Verdict.PASS",
        new="silent = False",
        wrong="calls an alarm that did not ring undecided",
        tests=TESTS,
    ),
    Mutant(
        name="controls-false-alarm",
        file=FILE,
        old="seen.verdict == Verdict.FAIL and control.expected != Verdict.FAIL",
        new="seen.verdict == Verdict.FAIL and control.expected == Verdict.PASS",
        wrong="takes a FAIL for an INCONCLUSIVE that was expected",
        tests=TESTS,
    ),
    Mutant(
        name="controls-any-check",
        file=FILE,
        old="named = seen.checks.get(control.check) if control.check else expected",
        new="named = expected",
        wrong="takes any check's alarm for the one that was to ring",
        tests=TESTS,
    ),
    Mutant(
        name="controls-never-injected",
        file=FILE,
        old="elif does_harm(control.fault) and not seen.injected:",
        new="elif does_harm(control.fault) and seen.injected is None:",
        wrong="counts a fault that was never injected as found",
        tests=TESTS,
    ),
    Mutant(
        name="controls-uncounted",
        file=FILE,
        old="elif does_harm(control.fault) and not seen.injected:",
        new="elif does_harm(control.fault) and seen.injected == 0:",
        wrong="believes in a fault that nobody counted",
        tests=TESTS,
    ),
    Mutant(
        name="controls-another-fault",
        file=FILE,
        old="elif spelled(seen.fault) != spelled(control.fault):",
        new="elif seen.fault and spelled(seen.fault) != spelled(control.fault):",
        wrong="takes a run without the fault for the control",
        tests=TESTS,
    ),
    Mutant(
        name="controls-cut-off",
        file=FILE,
        old="if series.ended_utc is None:",
        new="if False:",
        wrong="lets a series that was cut off count as whole",
        tests=TESTS,
    ),
    Mutant(
        name="controls-none-run",
        file=FILE,
        old="elif not results:",
        new="elif False:",
        wrong="takes a series of which nothing was run for a good one",
        tests=TESTS,
    ),
    Mutant(
        name="controls-best-counts",
        file=FILE,
        old="if results & set(_WRONG):",
        new="if results <= set(_WRONG) and results:",
        wrong="forgives a wrong control beside a good one",
        tests=TESTS,
    ),
    Mutant(
        name="controls-stored-always",
        file="analysis/series.py",
        old="if stored and (told",
        new="if (told",
        wrong="takes stored verdicts unasked",
        tests=SERIES,
    ),
)
