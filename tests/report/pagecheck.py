"""A page taken apart, and what must hold for every report."""

import base64
import hashlib
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

FILES = {
    *("operations.parquet", "verdict.json", "junit.xml", "manifest.json", "health.csv"),
    "locust.html",
}
_VOID = {"meta", "img", "source"}
_ALLOWED_IN_SVG = re.compile(r"^(#|data:)|^$")


@dataclass
class Page(HTMLParser):
    """Tags with their attributes, the text, the ids; open tags must close in order."""

    source: str
    tags: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    style: str = ""
    _open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.feed(self.source)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open[-1:] == ["style"]:
            self.style += data
        else:
            self.words.append(data)

    @property
    def text(self) -> str:
        """Everything there is to read, with single spaces."""
        return " ".join("".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str]]:
        """Attributes of every element of one kind."""
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def images(self) -> list[str]:
        """The documents of every figure, wide and narrow."""
        uris = [image["src"] for image in self.all("img")]
        uris += [source["srcset"] for source in self.all("source")]
        prefix = "data:image/svg+xml;base64,"
        assert all(uri.startswith(prefix) for uri in uris)
        return [base64.b64decode(uri.removeprefix(prefix)).decode() for uri in uris]


def checked(source: str, links: frozenset[str] = frozenset()) -> Page:
    """Take a page apart and assert what holds for all: self-contained, inert, accessible.

    `links` are those that lead to other files than a run's.
    """
    page = Page(source)
    names = {name for name, _ in page.tags}
    assert not names & {"script", "iframe", "object", "embed", "form", "link", "base"}
    for _, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for anchor in page.all("a"):
        target = anchor["href"]
        assert target in FILES | links or target.removeprefix("#") in ids
    policy = page.all("meta")[1]["content"]
    digest = base64.b64encode(hashlib.sha256(page.style.encode()).digest()).decode()
    assert policy.startswith(f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'")
    assert all(image["alt"] for image in page.all("img"))
    assert all("scope" in header for header in page.all("th"))
    assert page.all("html") == [{"lang": "en"}]
    assert [name for name, _ in page.tags].count("h1") == 1
    for svg in page.images:
        for element in ET.fromstring(svg).iter():  # noqa: S314 -- what we have just drawn
            for name, value in element.attrib.items():
                assert not name.endswith("href") or _ALLOWED_IN_SVG.match(value)
    return page
