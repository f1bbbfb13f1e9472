"""EDN, as Clojure writes it: values out of a text of any author, bounded in depth and size.

Iterative: nesting costs no stack. Keywords and symbols become Symbol (a str without the colon
of a keyword), vectors, lists and sets tuples, maps dicts, tagged values their value, chars and
strings str, integers int; floats and ratios stay text, for nothing here may round a number.
See github.com/edn-format/edn.
"""

import re
from collections.abc import Iterator
from typing import NoReturn

from analysis.cells import quoted
from history.errors import UserError

DEPTH_MAX = 64
TOKEN_CHARACTERS_MAX = 2**20
_INTEGER_CHARACTERS_MAX = 100

_TOKEN = re.compile(
    r"""
    [\s,]*+ (?: ;[^\n]*+ [\s,]*+ )*+
    (?: (?P<atom> [^\s,;"\[\](){}\\#^@`~] [^\s,;"\[\](){}\\^@`~]*+ )
      | (?P<open> \#?\{ | [\[(] )
      | (?P<close> [\])}] )
      | (?P<string> "[^"\\]*+(?:\\.[^"\\]*+)*+" )
      | (?P<discard> \#_ )
      | (?P<tag> \#[A-Za-z][^\s,;"\[\](){}\\#]*+ )
      | (?P<char> \\(?: [A-Za-z0-9]++ | . ) )
      | (?P<symbolic> \#\#[A-Za-z]++ )
      | (?P<end> \Z )
    )
    """,
    re.VERBOSE | re.DOTALL,
)
_SPACE = re.compile(r"[\s,]*+")
_INTEGER = re.compile(r"([+-]?\d++)N?+", re.ASCII)
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|(.))", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_CHARS = {"newline": "\n", "space": " ", "tab": "\t", "return": "\r"}
_CLOSE = {"[": "]", "(": ")", "{": "}", "#{": "}"}
_WORDS: dict[str, object] = {"nil": None, "true": True, "false": False}
_KNOWN_MAX = 10_000
_SHORT = 19

Value = object


class Symbol(str):
    """A keyword (without its colon), a symbol, or a number that is no integer."""

    __slots__ = ()


class _Frame:
    """A collection that is being read; `prefixes` are the tags and discards before its next.

    What is in a frame that is `spread` are values of their own: the top, and a vector at it.
    """

    __slots__ = ("items", "kind", "prefixes", "spread", "start")

    def __init__(self, kind: str, start: int, *, spread: bool) -> None:
        self.kind = kind
        self.start = start
        self.spread = spread
        self.items: list[Value] = []
        self.prefixes: list[bool] = []


def values(text: str, where: str) -> Iterator[Value]:
    """Give the values of a text one by one; those of a vector that is all of it, likewise.

    Raises UserError naming the line where the text is no EDN, or goes beyond the bounds.
    """
    reader = _Reader(text, where)
    known = reader.known
    position = 0
    for match in _TOKEN.finditer(text):
        if match.start() != position:
            break
        position = match.end()
        kind = match.lastgroup or ""
        token = match[kind]
        frame = reader.frame
        if token in known and not frame.prefixes:
            frame.items.append(known[token])  # the same few words over and over: keys
        elif kind == "end":
            reader.end(position)
            return
        else:
            reader.take(kind, token, match.start(kind))
            frame = reader.frame
        if frame.spread and frame.items:
            whole, frame.items = frame.items, []
            yield from whole
    space = _SPACE.match(text, position)
    position = space.end() if space else position
    reader.refuse(position, f"found {quoted(text[position : position + 60])}, expected EDN")


class _Reader:
    """What is open while a text is read, and what is whole."""

    def __init__(self, text: str, where: str) -> None:
        self._text = text
        self._where = where
        self._outer: list[_Frame] = []  # what is open around `frame`
        self.frame = _Frame("", 0, spread=True)
        self.known: dict[str, Value] = dict(_WORDS)

    def take(self, kind: str, token: str, start: int) -> None:
        """Take the next token."""
        if len(token) > TOKEN_CHARACTERS_MAX:
            self.refuse(start, f"found a token of {len(token):,} characters, expected less")
        if kind == "atom":
            short = len(token) < _SHORT and token.isascii() and token.isdecimal()
            value = int(token) if short else self._word(token)
            _put(self.frame, value)
        elif kind == "open":
            if len(self._outer) == DEPTH_MAX:
                self.refuse(start, f"found brackets {DEPTH_MAX + 1} deep, expected a history")
            outer = self.frame
            spread = not self._outer and token in {"[", "("} and True not in outer.prefixes
            self._outer.append(outer)
            self.frame = _Frame(token, start, spread=spread)
        elif kind == "close":
            self._close(token, start)
        elif kind in {"tag", "discard"}:
            self.frame.prefixes.append(kind == "discard")
            if len(self.frame.prefixes) > DEPTH_MAX:
                self.refuse(start, f"found {DEPTH_MAX + 1} prefixes in a row, expected a value")
        else:
            _put(self.frame, _text(kind, token))

    def _word(self, token: str) -> Value:
        value = _atom(token)
        if isinstance(value, Symbol) and len(self.known) < _KNOWN_MAX:
            self.known[token] = value
        return value

    def end(self, position: int) -> None:
        """Refuse a text that ends within a value."""
        if self._outer:
            line = self._line(self.frame.start)
            self.refuse(
                position, f"found the end of the file, expected what line {line} opens to be closed"
            )
        if self.frame.prefixes:
            self.refuse(position, "found the end of the file, expected a value after a tag")

    def refuse(self, position: int, told: str) -> NoReturn:
        """Say what is wrong, and in which line."""
        raise UserError(f"{self._where}:{self._line(position)}: {told}")

    def _line(self, position: int) -> int:
        return self._text.count("\n", 0, position) + 1

    def _close(self, token: str, start: int) -> None:
        frame = self.frame
        if _CLOSE.get(frame.kind) != token:
            self.refuse(start, f"found {token!r} that closes nothing, expected EDN")
        if frame.prefixes:
            self.refuse(start, f"found {token!r} after a tag, expected a value")
        outer = self.frame = self._outer.pop()
        if frame.kind == "{":
            if len(frame.items) % 2:
                self.refuse(start, "found a map with a key without a value, expected pairs")
            _put(outer, _map(frame.items))
        elif frame.spread:
            outer.prefixes.clear()  # its elements are given already
        else:
            _put(outer, tuple(frame.items))


def _put(frame: _Frame, value: Value) -> None:
    """Add a value to what is open, unless the nearest discard before it is for it."""
    while frame.prefixes:
        if frame.prefixes.pop():
            return
    frame.items.append(value)


def _map(items: list[Value]) -> dict[Value, Value]:
    found: dict[Value, Value] = {}
    for key, value in zip(items[::2], items[1::2], strict=True):
        try:
            found[key] = value
        except TypeError:  # a map, or what holds one, as a key: nothing here asks for it
            found[repr(key)] = value
    return found


def _atom(token: str) -> Value:
    if token[0] == ":":
        return Symbol(token[1:])
    integer = _INTEGER.fullmatch(token) if len(token) <= _INTEGER_CHARACTERS_MAX else None
    return int(integer[1]) if integer else Symbol(token)


def _text(kind: str, token: str) -> Value:
    if kind == "string":
        return _ESCAPE.sub(_unescaped, token[1:-1]) if "\\" in token else token[1:-1]
    if kind == "char":
        return _CHARS.get(token[1:], token[1:])
    return Symbol(token)


def _unescaped(match: re.Match[str]) -> str:
    return chr(int(match[1], 16)) if match[1] else _ESCAPED.get(match[2], match[2])
