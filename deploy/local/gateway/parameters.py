"""The parameters of a method request: path, query string and headers, by their exact names."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from deploy.local.gateway.velocity import ReadOnlyMap


class Pairs(Protocol):
    """Names and values in the order they were sent; a name may come more than once."""

    def items(self) -> Iterable[tuple[str, str]]:
        """Return the pairs."""
        ...

    def __iter__(self) -> Iterator[str]:
        """Go through the names."""
        ...


class Parameters:
    """What a request was sent with.

    Names are case-sensitive, and duplicates are not supported (AWS: "Amazon API Gateway important
    notes"); which of two values counts is not documented, here it is the last.
    """

    __slots__ = ("_header", "_path", "_query")

    def __init__(self, *, path: Mapping[str, str], query: Pairs, header: Pairs) -> None:
        self._path = path
        self._query = query
        self._header = header

    def first(self, name: str) -> str:
        """Search the path, the query string and the headers, in that order; "" if nowhere."""
        for kind in ("path", "querystring", "header"):
            found = self.get(kind, name)
            if found is not None:
                return found
        return ""

    def get(self, kind: str, name: str) -> str | None:
        """Return one parameter of one kind, None if it was not sent."""
        if kind == "path":
            return self._path.get(name)
        values = self.all(kind, name)
        return values[-1] if values else None

    def all(self, kind: str, name: str) -> list[str]:
        """Return every value of a query string parameter or header."""
        pairs = self._query if kind == "querystring" else self._header
        return [value for found, value in pairs.items() if found == name]

    def by_kind(self) -> ReadOnlyMap:
        """Return the maps that `$input.params()` has."""
        return ReadOnlyMap(
            path=ReadOnlyMap(self._path),
            querystring=ReadOnlyMap(self._query.items()),
            # The HTTP server's names are strings of a kind of its own.
            header=ReadOnlyMap((str(name), value) for name, value in self._header.items()),
        )
