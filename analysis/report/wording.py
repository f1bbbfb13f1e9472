"""What the report says in words: of every check, and of every verdict. Text only."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from analysis.power import bound_words
from analysis.report import formats
from analysis.verdict import Finding, Judgement, Verdict

_SUMMARY_LIMIT = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckWords:
    """A check in plain words.

    `proves` is what a PASS establishes; `holds`, `broken` and `unknown` are clauses that
    finish a sentence about this run; `decide` is the advice when it is undecided.
    """

    proves: str
    holds: str
    broken: str
    unknown: str
    decide: str


CHECKS: Mapping[str, CheckWords] = {
    "well-formed": CheckWords(
        proves="The record can be trusted: every recorded operation is complete and free of "
        "contradictions, and no process lost any of its records.",
        holds="the record is complete",
        broken="the record contradicts itself: mend the recording before judging the counter",
        unknown="the record is incomplete or contradicts itself",
        decide="Look at the records named below, repair or remove their cause, and run again.",
    ),
    "unique": CheckWords(
        proves="No two operations were answered with the same number. One repeated number is "
        "enough for a FAIL: two events would have shared it.",
        holds="no number was handed out twice",
        broken="the counter handed out the same number more than once: do not use these numbers "
        "as unique event numbers",
        unknown="there are no numbers that could have been repeated",
        decide="Run a load that gets answers.",
    ),
    "bounded": CheckWords(
        proves="Every number lies between the counter's value before the run and its value "
        "after it, so none was invented and none came from another counter.",
        holds="every number lies within the counter's range",
        broken="the counter handed out numbers that it cannot have held: another writer, another "
        "counter or a broken answer",
        unknown="the range of legal numbers is not known",
        decide="Make the initial and the final value readable, and run again.",
    ),
    "gap-free": CheckWords(
        proves="No number is missing, except where a request without an answer may have taken "
        "it: there must be enough such requests, sent early enough, one for every hole.",
        holds="no number is missing without explanation",
        broken="numbers are missing that no unanswered request can explain: do not rely on the "
        "sequence being without gaps",
        unknown="numbers are missing that requests without an answer, or without a record, may "
        "have taken",
        decide="Run again until every request is answered, or accept that many explained holes "
        "with ALLOW_UNANSWERED.",
    ),
    "conserved": CheckWords(
        proves="The counter moved by exactly the number of increments applied: at least the "
        "answered ones, at most those and the uncertain ones. This also finds losses at the end, "
        "which leave no hole.",
        holds="the counter moved by as much as was applied",
        broken="the counter's final value does not match the increments applied: updates were "
        "lost, or something else wrote to it",
        unknown="the final value could not be compared with the increments applied",
        decide="Make the final value readable (the target must answer after the load), and run "
        "again.",
    ),
    "ordered": CheckWords(
        proves="Numbers follow real time: whenever one request was answered before another was "
        "sent, the earlier one has the smaller number. Requests that overlap may be numbered "
        "either way. With decrements, whose numbers return: one order of all requests was found "
        "that gives every answer.",
        holds="every number agrees with real time",
        broken="numbers and real time contradict each other: do not use these numbers to order "
        "events",
        unknown="the order could not be compared with real time",
        decide="Record all generators on one host, or supply bounds for their clocks; where a "
        "search gave up, its summary says what would decide it.",
    ),
    "balanced": CheckWords(
        proves="With increments and decrements mixed, numbers legally return. What must still "
        "hold: between any two neighbouring values the counter went up and down equally often, "
        "but for the way from its first to its last value.",
        holds="every step up is matched by a step down",
        broken="the steps up and down do not add up: updates were lost or applied twice",
        unknown="the steps up and down add up only with requests without an answer, or could not "
        "be matched",
        decide="Run again until every request is answered, or accept that many of them with "
        "ALLOW_UNANSWERED.",
    ),
    "exercised": CheckWords(
        proves="The run was able to fail: enough operations, enough of them at the same time and "
        "met in the counter, all generators pressing together and alive until the end, none so "
        "slow itself that it could not see what came first. It says how strong the other checks' "
        "PASS is.",
        holds="the load was able to expose a fault",
        broken="the load did not put the counter under test",
        unknown="the load was too weak, broke off too early, or came from too slow a client to "
        "have shown a fault",
        decide="Change what its summary says, and see that every generator lives until the end.",
    ),
}

MIXED: Mapping[str, CheckWords] = {
    **CHECKS,
    "bounded": dataclasses.replace(
        CHECKS["bounded"],
        proves="Every number lies where the counter can have been: no higher than all increments, "
        "no lower than all decrements take it from its value before the run.",
    ),
    "conserved": dataclasses.replace(
        CHECKS["conserved"],
        proves="The counter moved by exactly the increments applied less the decrements applied, "
        "give or take the uncertain ones.",
        broken="the counter's final value does not match the increments and decrements applied: "
        "updates were lost, or something else wrote to it",
        unknown="the final value could not be compared with the increments and decrements applied",
    ),
    "ordered": CheckWords(
        proves="There is an order of all increments and decrements that agrees with real time and "
        "gives every request the number that it was answered.",
        holds="all numbers fit one order that agrees with real time",
        broken="no order of the increments and decrements that agrees with real time gives the "
        "numbers that were answered: the counter is not atomic",
        unknown="whether the numbers fit an order that agrees with real time is not decided",
        decide="Its summary says why it is undecided. Fewer requests at the same time (USERS, "
        "CONNECTIONS) or a longer search (SEARCH_BUDGET_S) make it easier to decide.",
    ),
}
"""Of a history with decrements, where numbers legally come back."""

_OTHER = CheckWords(
    proves="This report has no description of this check; its summary says what was found.",
    holds="",
    broken="a check failed that this report has no description of; see its summary",
    unknown="a check could not be decided; see its summary",
    decide="Its summary says why it is undecided.",
)


def check_words(check: str, *, mixed: bool = False) -> CheckWords:
    """Give the words of a check; a check this report does not know gets general ones.

    `mixed`: the history has decrements.
    """
    return (MIXED if mixed else CHECKS).get(check, _OTHER)


@dataclass(frozen=True, slots=True, kw_only=True)
class BannerPoint:
    """One check that decided the verdict: its name, what was found, and what to do."""

    check: str
    verdict: Verdict
    summary: str
    advice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BannerWords:
    """The verdict's meaning for the reader, and the checks that made it.

    `bound` says of a PASS how rare a fault can be that this run would have shown, else "".
    """

    meaning: str
    points: tuple[BannerPoint, ...]
    bound: str = ""


def banner_words(judgement: Judgement, *, mixed: bool = False) -> BannerWords:
    """Say what a verdict means to someone who has to decide on it; `mixed` as in check_words."""
    words = partial(check_words, mixed=mixed)
    deciding = [finding for finding in judgement.findings if finding.decides]
    failed = [finding for finding in deciding if finding.verdict is Verdict.FAIL]
    open_ = [finding for finding in deciding if finding.verdict is Verdict.INCONCLUSIVE]
    if judgement.verdict is Verdict.PASS:
        one_in = judgement.bound_one_in
        bound = f"No fault was found; {bound_words(one_in)}." if one_in else ""
        return BannerWords(meaning=_pass(deciding, words), points=(), bound=bound)
    if judgement.verdict is Verdict.FAIL:
        clauses = [words(finding.check).broken for finding in failed]
        meaning = _sentences(clauses) or "A check failed."
    else:
        clauses = [words(finding.check).unknown for finding in open_]
        undecided = _sentences(clauses) or "No check was decided."
        meaning = (
            f"{undecided} Nothing was shown to be wrong, but this run is no evidence that the "
            "counter is safe to use."
        )
    return BannerWords(meaning=meaning, points=tuple(_point(f, words) for f in failed + open_))


def _pass(findings: list[Finding], words: Callable[[str], CheckWords]) -> str:
    clauses = [words(finding.check).holds for finding in findings]
    told = [clause for clause in clauses if clause]
    if not told:
        return "Every check holds."
    listed = told[0] if len(told) == 1 else f"{', '.join(told[:-1])}, and {told[-1]}"
    return f"In this run {listed}."


def _sentences(clauses: list[str]) -> str:
    return " ".join(f"{clause[0].upper()}{clause[1:]}." for clause in dict.fromkeys(clauses))


def _point(finding: Finding, words: Callable[[str], CheckWords]) -> BannerPoint:
    undecided = finding.verdict is Verdict.INCONCLUSIVE
    return BannerPoint(
        check=formats.plain(finding.check),
        verdict=finding.verdict,
        summary=formats.plain(finding.summary, _SUMMARY_LIMIT),
        advice=f"What would decide it: {words(finding.check).decide}" if undecided else "",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One thing a reader must know before relying on a verdict."""

    heading: str
    text: str


LIMITS: tuple[Limit, ...] = (
    Limit(
        heading="A PASS speaks of this run only",
        text="It says that no fault showed among the operations counted here. It is evidence, as "
        "strong as the load was (see the check “exercised” and the figure of requests in "
        "flight), and no proof for other loads, other faults or other days.",
    ),
    Limit(
        heading="How rare a fault could hide",
        text="Faults that hit each request by itself with probability p spare all of n requests "
        "with probability (1 - p)^n, which is less than 5 % where p is above 1 - 0.05^(1/n), about "
        "3/n (the rule of three). “exercised” takes for n the requests that overlapped the one "
        "numbered next to them, the only ones that a race can hit, and says so how strong a run of "
        "this size is; as a result it stands in a PASS only. A number that is given twice or "
        "skipped always shows. An answer that is only too old shows where the two requests lie "
        "apart in time. Faults that come all at once, in an outage or a failover, do not come each "
        "by itself and are not bounded so.",
    ),
    Limit(
        heading="A FAIL is final",
        text="It rests on recorded operations, listed under Evidence. One of them is enough, and "
        "no later PASS takes it back.",
    ),
    Limit(
        heading="INCONCLUSIVE is not a weak PASS",
        text="What was recorded fits both a correct and a faulty counter.",
    ),
    Limit(
        heading="Requests without an answer",
        text="A request that timed out or broke off may or may not have been applied. Such a "
        "request can explain a missing number, so a surplus of them can also hide a number that "
        "was really lost. The fewer there are, the more a PASS says.",
    ),
    Limit(
        heading="Order is judged on one clock",
        text="Start and end are stamped by the generators' host, just before the first byte was "
        "sent and just after the last one was read. Requests that overlap are not ordered; slow "
        "clients make intervals wide, which hides inversions but never invents one.",
    ),
    Limit(
        heading="Foreign traffic",
        text="Someone else's requests to the same counter take numbers too. They appear here as "
        "missing numbers (beside decrements: as steps that do not add up), and so as a FAIL.",
    ),
    Limit(
        heading="Retries outside the generators",
        text="A proxy or client that repeats a GET on its own makes the counter skip a number. The "
        "generators here never repeat a request; other callers in production may.",
    ),
)
"""How to read the report, and what it does not say."""
