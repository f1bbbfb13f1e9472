"""Does the counter's growth agree with the answers that were given?"""

from analysis.completeness import unless_missing
from analysis.evidence import plural
from analysis.run import Run
from analysis.verdict import Finding, Verdict
from history.operation import Kind

NAME = "conserved"


def check(run: Run) -> Finding:
    """Compare final - initial with what the answers account for.

    FAIL when it is less than the ok operations, or more than they and the uncertain ones
    together; INCONCLUSIVE when the final value could not be read, or requests that are
    missing from the record can have made the difference.
    On a plain history file without a final value, the largest value returned stands for it.
    """
    found = run.scan
    final, how = run.final, "final value"
    if final is None and run.manifest is None and not run.is_mixed:
        final = found.extents[Kind.INCREMENT].high
        how = "largest value returned"
    (ups, downs), (perhaps_up, perhaps_down) = found.certainly, found.perhaps
    ok = ups - downs
    least = ok - perhaps_down
    most = ok + perhaps_up
    counts = {"ok": ok, "least": least, "most": most, "final": final, "initial": run.initial}
    if final is None:
        return Finding(
            check=NAME,
            verdict=Verdict.INCONCLUSIVE,
            summary="The counter's final value is not known, so the sum could not be checked: it "
            "would be decided by --final, or a read at the end.",
            counts=counts,
        )
    grown = final - run.initial
    counts["grown"] = grown
    accounted = f"{ups:,} up and {downs:,} down" if run.is_mixed else plural(ok, "increment")
    sentence = (
        f"the counter grew by {grown:,} (from {run.initial:,} to {how} {final:,}); the answers "
        f"account for {accounted}{_with_unanswered(least, ok, most)}"
    )
    if grown < least:
        more = "1 more was" if least - grown == 1 else f"{least - grown:,} more were"
        verdict, remark = Verdict.FAIL, f"{more} answered than happened"
    elif grown > most:
        verdict, remark = Verdict.FAIL, f"{grown - most:,} happened that no request can account for"
    else:
        verdict, remark = Verdict.PASS, "they agree"
    finding = Finding(
        check=NAME,
        verdict=verdict,
        summary=f"{sentence[0].upper()}{sentence[1:]}: {remark}.",
        counts=counts,
    )
    # What is missing can have added; taken off only where there are decrements.
    return unless_missing(run, finding) if grown > most or run.is_mixed else finding


def _with_unanswered(least: int, ok: int, most: int) -> str:
    if least < ok:
        return f", {least:,} to {most:,} in all with the unanswered ones"
    return f", up to {most:,} with the unanswered ones" if most > ok else ""
