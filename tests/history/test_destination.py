import pytest

from history.destination import encode_request, parse_destination, require_allowed
from history.errors import UserError
from history.operation import Kind


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


@pytest.mark.parametrize(
    ("url", "decrement"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/decrement"),
        ("http://127.0.0.1:80/v1/", "http://127.0.0.1/v1/decrement"),
        ("https://[::1]/a/b?key=1&x=/", "https://[::1]/a/b/decrement?key=1&x=/"),
    ],
)
def test_decrements_go_below_the_counters_own_path(url: str, decrement: str) -> None:
    counter = parse_destination(url)
    assert counter.of(Kind.DECREMENT).url == decrement
    assert counter.of(Kind.INCREMENT) == counter


def test_a_request_is_spelled_once_for_all() -> None:
    counter = parse_destination("http://[::1]:81/v1/")
    assert encode_request(counter, Kind.INCREMENT, user_agent="me").split(b"\r\n") == [
        b"GET /v1/ HTTP/1.1",
        b"Host: [::1]:81",
        b"User-Agent: me",
        b"Accept: */*",
        b"Accept-Encoding: identity",
        b"",
        b"",
    ]
    assert encode_request(counter, Kind.DECREMENT, user_agent="me").split(b"\r\n") == [
        b"POST /v1/decrement HTTP/1.1",
        b"Host: [::1]:81",
        b"User-Agent: me",
        b"Accept: */*",
        b"Accept-Encoding: identity",
        b"Content-Length: 0",
        b"",
        b"",
    ]
