"""vegeta's results, as `vegeta encode --to json` and `--to csv` write them.

JSON: one object a line. CSV: no heading; the columns are (vegeta's encode.go) timestamp in ns,
status, latency in ns, bytes out, bytes in, error, base64 body, attack, sequence number and,
since 12.8, method, URL and base64 headers. vegeta's clock is monotonic within one attack: the
timestamp is the start of the attack plus what passed since.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from analysis.cells import quoted
from analysis.imports.requests import kind_of, seen
from analysis.imports.rows import Imported, Rows, Tally
from analysis.imports.texts import csv_rows, is_json, json_objects
from analysis.imports.times import rfc3339
from history.errors import UserError
from history.operation import Outcome

CSV_CELLS = range(9, 13)
_CSV_NAMES = (
    "timestamp", "code", "latency", "bytes_out", "bytes_in", "error", "body", "attack", "seq",
    "method", "url", "headers",
)  # fmt: skip
_INTEGER = re.compile(r"-?\d{1,25}", re.ASCII)
_OK = 200
_LENGTH = re.compile(rb"^content-length:\s*(\d{1,19})\s*$", re.IGNORECASE | re.MULTILINE)
_RESENT = (
    "vegeta's HTTP client sends a GET again, unseen, when a kept connection broke: a number that "
    "is missing may have been taken so"
)


class _Hit(NamedTuple):
    line: int
    start_ns: int
    latency_ns: int
    code: int
    error: str
    body: bytes
    attack: str
    seq: int
    method: str
    url: str
    length: int | None


@dataclass(slots=True)
class _Notes:
    """What there is to say of a file besides its rows."""

    bodiless: Tally = field(default_factory=Tally)
    others: Tally = field(default_factory=Tally)
    attacks: dict[str, tuple[int, int]] = field(default_factory=dict)
    """By attack: its results, and one more than its largest sequence number."""
    resendable: bool = False

    def sentences(self) -> list[str]:
        told = self.bodiless.told(
            "taken as indeterminate",
            "answer",
            "with status 200 and no body (attack with -max-body unset)",
        )
        told += self.others.told("left out", "request", "that sets the counter or leaves it alone")
        if len(self.attacks) > 1 or any(count > end for count, end in self.attacks.values()):
            told.append(
                "the file joins several attacks: their times are compared as of one clock, which "
                "holds only if they ran on one machine"
            )
        return told + ([_RESENT] if self.resendable else [])


def read(path: Path) -> Imported:
    """Read a file of vegeta's results; raises UserError naming the line that is none."""
    rows, notes = Rows("vegeta"), _Notes()
    for hit in _hits(path):
        kind = kind_of(hit.method, hit.url)
        if kind is None:
            notes.others.add(f"line {hit.line}")
            continue
        count, end = notes.attacks.get(hit.attack, (0, 0))
        notes.attacks[hit.attack] = count + 1, max(end, hit.seq + 1)
        notes.resendable |= hit.method.upper() in {"", "GET"}
        cut = hit.length is not None and hit.length > len(hit.body)
        became = seen(hit.code, hit.body, hit.error or ("cut short" if cut else ""))
        if hit.code == _OK and not hit.body:
            notes.bodiless.add(f"line {hit.line}")
        rows.add(
            f"{path}:{hit.line}",
            start_ns=hit.start_ns,
            end_ns=hit.start_ns + hit.latency_ns if hit.code else None,
            outcome=became.outcome,
            value=became.value,
            kind=kind,
            status=hit.code or None,
            reason=became.reason,
            worker=hit.attack,
        )
    _refuse_without_values(path, rows, notes)
    return rows.imported(notes.sentences())


def _refuse_without_values(path: Path, rows: Rows, notes: _Notes) -> None:
    if notes.bodiless.count and not rows.count(Outcome.OK):
        raise UserError(
            f"{path} carries no values: none of its {notes.bodiless.count:,} answers with status "
            "200 has a body; attack again without -max-body and encode again"
        )


def _hits(path: Path) -> Iterator[_Hit]:
    return _json_hits(path) if is_json(path) else _csv_hits(path)


def _json_hits(path: Path) -> Iterator[_Hit]:
    for number, result in json_objects(path):
        where = f"{path}:{number}"
        headers = result.get("headers") or {}
        yield _Hit(
            line=number,
            start_ns=rfc3339(_string(result, "timestamp", where), where).ns,
            latency_ns=_integer(result, "latency", where),
            code=_integer(result, "code", where),
            error=str(result.get("error") or ""),
            body=_unpacked(str(result.get("body") or ""), where),
            attack=str(result.get("attack") or ""),
            seq=_integer(result, "seq", where) if "seq" in result else number,
            method=str(result.get("method") or ""),
            url=str(result.get("url") or ""),
            length=_content_length(headers) if isinstance(headers, Mapping) else None,
        )


def _csv_hits(path: Path) -> Iterator[_Hit]:
    for number, row in csv_rows(path):
        where = f"{path}:{number}"
        if len(row) not in CSV_CELLS:
            raise UserError(
                f"{where}: found {len(row)} cells, expected the {CSV_CELLS[0]} to {CSV_CELLS[-1]} "
                "of vegeta's CSV"
            )
        cells = dict(zip(_CSV_NAMES, [*row, "", "", ""], strict=False))
        sizes = _LENGTH.findall(_unpacked(cells["headers"], where))
        yield _Hit(
            line=number,
            start_ns=_integer(cells, "timestamp", where),
            latency_ns=_integer(cells, "latency", where),
            code=_integer(cells, "code", where),
            error=cells["error"],
            body=_unpacked(cells["body"], where),
            attack=cells["attack"],
            seq=_integer(cells, "seq", where),
            method=cells["method"],
            url=cells["url"],
            length=int(sizes[0]) if sizes else None,
        )


def _string(result: Mapping[str, object], name: str, where: str) -> str:
    found = result.get(name)
    if not isinstance(found, str):
        raise UserError(f"{where}: found {quoted(str(found))} for {name}, expected a text")
    return found


def _integer(result: Mapping[str, object], name: str, where: str) -> int:
    found = result.get(name)
    if isinstance(found, bool) or not _INTEGER.fullmatch(str(found).strip()):
        raise UserError(f"{where}: found {quoted(str(found))} for {name}, expected an integer")
    return int(str(found))


def _unpacked(text: str, where: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise UserError(f"{where}: found {quoted(text)}, expected base64 ({error})") from error


def _content_length(headers: Mapping[str, object]) -> int | None:
    """Give the length that the server announced: a body cut by -max-body is no whole number."""
    if any(name.lower() == "content-encoding" for name in headers):
        return None
    for name, values in headers.items():
        first = values[0] if isinstance(values, list) and values else values
        if name.lower() == "content-length" and _INTEGER.fullmatch(str(first)):
            return int(str(first))
    return None
