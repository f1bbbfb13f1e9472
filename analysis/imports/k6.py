"""k6's metric points, as `k6 run --out json` and `--out csv` write them.

k6 keeps no body. A value is there if the script put it there, in one of two ways:

tagged: one point of a metric of the script's own a request, with the tags `value` (the body as
text), `start` (Date.now() before the request) and `status`. From its start to the point's time
is the whole request, and the text is exact beyond 2**53.

bare: a metric named `value`, `counter`, `counter_value` or `sequence` whose number is the value.
Nothing says when its request was sent, so it is taken as sent at the beginning of the file: the
order of values cannot be judged, all else can. What was not answered comes from the points of
http_req_duration, which are stamped at the end of each request.

CSV cuts times to seconds unless K6_CSV_TIME_FORMAT says otherwise: an end is then taken as late
as it can have been, never narrower than the truth.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from analysis.evidence import duration, plural
from analysis.imports.k6_points import Point, points
from analysis.imports.requests import kind_of, named_kind, seen, status_of
from analysis.imports.rows import Imported, Rows, Tally
from analysis.imports.times import MS, decimal
from history.classify import Classified, classify_answer, classify_failure
from history.errors import UserError
from history.operation import INT64_MAX, Kind, Outcome, Reason

BARE_METRICS = ("value", "counter", "counter_value", "sequence")
_VALUE_TAGS = ("value", "counter")
_DURATION = "http_req_duration"
_EXACT_END = 2**53
_OK = 200
_WHOLE = re.compile(r"(-?[0-9]{1,25})(?:\.0*)?")
_ADVICE = (
    "give the script a Trend and add(res.timings.duration, {value: res.body, status: "
    "String(res.status), start: String(start)}) to it, start being Date.now() before the request"
)
_ALWAYS = (
    "k6's HTTP client sends a GET again, unseen, when a kept connection broke, and k6 writes "
    "nothing of a request that it interrupts: a number that is missing may have been taken so"
)
_UNORDERED = (
    "nothing says when the requests were sent: all were taken as sent at the beginning, so the "
    f"order of values was not judged ({_ADVICE})"
)


@dataclass(slots=True)
class _Found:
    """The points that matter: those with a value, and those of all requests."""

    tagged: dict[str, list[Point]] = field(default_factory=dict)
    bare: dict[str, list[Point]] = field(default_factory=dict)
    requests: list[Point] = field(default_factory=list)
    beginning_ns: int = INT64_MAX
    """A time by which no request had ended."""

    @property
    def step_ns(self) -> int:
        """The coarsest step in which times are written."""
        values = next(iter((self.tagged or self.bare).values()))
        return max(point.step_ns for point in values)

    def take(self, path: Path, point: Point) -> None:
        """Sort one point in."""
        begun = point.at_ns
        if point.metric == _DURATION:
            begun = _begun(path, point)
            if kind_of(point.tags.get("method", ""), "") is not None:
                self.requests.append(point)
        elif any(tag in point.tags for tag in _VALUE_TAGS):
            self.tagged.setdefault(point.metric, []).append(point)
        elif point.metric in BARE_METRICS:
            self.bare.setdefault(point.metric, []).append(point)
        else:
            return
        self.beginning_ns = min(self.beginning_ns, begun)


def _begun(path: Path, point: Point) -> int:
    """Give a time before a request of http_req_duration was sent."""
    took = decimal(point.number, MS, f"{path}:{point.line}")
    return point.at_ns - took.ns - took.step_ns


def read(path: Path) -> Imported:
    """Read k6's points; raises UserError where none carries a value."""
    found = _Found()
    for point in points(path):
        found.take(path, point)
    chosen = found.tagged or found.bare
    if not chosen:
        raise UserError(
            f"{path} carries no values: k6 keeps no bodies, and no metric of the script holds "
            f"them; {_ADVICE}"
        )
    if len(chosen) > 1:
        raise UserError(
            f"{path}: found values in the metrics {', '.join(sorted(chosen)[:5])}, expected one "
            "point a request: keep one of them"
        )
    (values,) = chosen.values()
    rows = Rows("k6")
    notes = (_tagged if found.tagged else _bare)(path, values, found, rows)
    if found.step_ns >= MS:
        notes.append(
            f"times are written in steps of {duration(found.step_ns)}: ends were taken as that "
            "much later (K6_CSV_TIME_FORMAT=unix_nano)"
        )
    return rows.imported([*notes, _ALWAYS])


def _tagged(path: Path, values: Sequence[Point], found: _Found, rows: Rows) -> list[str]:
    """Take the points of one metric, each a request with its value; give notes."""
    others, unstarted, statusless = Tally(), Tally(), Tally()
    for point in values:
        where, tags = f"{path}:{point.line}", point.tags
        kind = _kind(tags, where)
        if kind is None:
            others.add(f"line {point.line}")
            continue
        body = tags.get("value", tags.get("counter", ""))
        if "status" not in tags:
            statusless.add(f"line {point.line}")
        status = status_of(tags.get("status", str(_OK)), where)
        if "start" in tags:
            start_ns = decimal(tags["start"], MS, where).ns
        else:
            start_ns = found.beginning_ns
            unstarted.add(f"line {point.line}")
        became = seen(status, body.encode(errors="replace"), tags.get("error", ""))
        _take(rows, where, point, became, kind=kind, status=status, start_ns=start_ns)
    notes = others.told("left out", "request", "that sets the counter")
    notes += unstarted.told("taken as sent at the beginning", "point", "without the tag start")
    notes += statusless.told("taken as status 200", "point", "without the tag status")
    return notes + _without_value(path, len(found.requests) - len(values), found, rows)


def _bare(path: Path, values: Sequence[Point], found: _Found, rows: Rows) -> list[str]:
    """Take the numbers of one metric, and the requests that answered none; give notes."""
    inexact, others = Tally(), 0
    beginning_ns = found.beginning_ns
    for point in values:
        where = f"{path}:{point.line}"
        whole = _WHOLE.fullmatch(point.number)
        if whole is None or abs(int(whole[1])) >= _EXACT_END:
            inexact.add(f"line {point.line}")
            became = classify_failure(Reason.MALFORMED_ANSWER)
        else:
            became = classify_answer(_OK, str(int(whole[1])).encode())
        _take(rows, where, point, became, start_ns=beginning_ns)
    for point in found.requests:
        where = f"{path}:{point.line}"
        status = status_of(point.tags.get("status", "0"), where)
        if status == _OK:
            others += 1
            continue
        became = seen(status, b"", point.tags.get("error", ""))
        _take(rows, where, point, became, status=status, start_ns=_begun(path, point))
    notes = inexact.told(
        "taken as indeterminate",
        "value",
        f"that is no integer below {_EXACT_END:,}, beyond which k6's floats are inexact",
    )
    return [*notes, _UNORDERED, *_without_value(path, others - len(values), found, rows)]


def _take(
    rows: Rows,
    where: str,
    point: Point,
    became: Classified,
    *,
    start_ns: int,
    kind: Kind = Kind.INCREMENT,
    status: int = _OK,
) -> None:
    rows.add(
        where,
        start_ns=start_ns,
        end_ns=point.latest_ns if status else None,
        outcome=became.outcome,
        value=became.value,
        kind=kind,
        status=status or None,
        reason=became.reason,
        worker=point.tags.get("vu", ""),
    )


def _without_value(path: Path, count: int, found: _Found, rows: Rows) -> list[str]:
    """Add requests of which there is a duration and no value: they may have taken one."""
    for _ in range(count):
        rows.add(
            str(path),
            start_ns=found.beginning_ns,
            outcome=Outcome.INDETERMINATE,
            reason=Reason.NO_ANSWER,
        )
    if count <= 0:
        return []
    return [f"taken as indeterminate: {plural(count, 'request')} without a value"]


def _kind(tags: Mapping[str, str], where: str) -> Kind | None:
    if "kind" in tags:
        return named_kind(tags["kind"], where)
    return kind_of(tags.get("method", ""), tags.get("url", tags.get("name", "")))
