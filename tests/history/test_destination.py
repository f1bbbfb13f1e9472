import pytest

from history.destination import parse_destination, require_allowed
from history.errors import UserError


@pytest.mark.parametrize(
    ("url", "host", "port", "path"),
    [
        ("http://127.0.0.1:8080", "127.0.0.1", 8080, "/"),
        ("http://127.9.9.9/a?b=c", "127.9.9.9", 80, "/a?b=c"),
        ("http://[::1]:81/", "::1", 81, "/"),
        ("https://localhost/v1/", "localhost", 443, "/v1/"),
    ],
)
def test_loopback_may_be_loaded(url: str, host: str, port: int, path: str) -> None:
    found = require_allowed(url)
    assert (found.host, found.port, found.path) == (host, port, path)


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1/",
        "http://192.0.2.7:8080/",
        "http://0.0.0.0/",
        "http://[2001:db8::1]/",
        "http://127.0.0.1.invalid/",
        "http://2130706433.invalid/",
    ],
)
def test_nothing_else_may(url: str) -> None:
    with pytest.raises(UserError, match="load is sent only to loopback addresses"):
        require_allowed(url)


def test_a_named_host_may() -> None:
    assert require_allowed("http://192.0.2.7/", ["192.0.2.7"]).host == "192.0.2.7"
    assert require_allowed("http://API.example/", ["", "api.example"]).host == "api.example"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("ftp://127.0.0.1/", "expected http://HOST:PORT/PATH"),
        ("127.0.0.1:8080", "expected http://HOST:PORT/PATH"),
        ("http:///x", "expected http://HOST:PORT/PATH"),
        ("http://127.0.0.1:99999/", "not a URL"),
        ("http://127.0.0.1:x/", "not a URL"),
        ("http://me:secret@127.0.0.1/", "user names, passwords and fragments are not supported"),
    ],
)
def test_urls_that_are_none(url: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        parse_destination(url)
    assert "secret" not in str(caught.value)
