"""What `deploy/template.yml` promises, against the real local cloud."""

import json

import pytest

from deploy.cloud import Cloud
from deploy.counter import read_counter
from deploy.creation import deploy_stack
from deploy.stack import Stack
from history.errors import UserError
from tests.deploy.support import ScriptedDynamo, put, request

pytestmark = pytest.mark.both_engines

JSON_TYPE = {"Content-Type": "application/json"}


def test_new_answers_the_value_after_the_update(new: Stack) -> None:
    assert put(new.url).status == 200
    answers = [request("GET", new.url) for _ in range(3)]
    assert [(reply.status, reply.body) for reply in answers] == [(200, "2"), (200, "3"), (200, "4")]
    assert request("POST", new.url + "decrement").body == "3"


def test_old_answers_the_value_before_the_update(cloud: Cloud, old: Stack) -> None:
    assert put(old.url).status == 200
    assert [request("GET", old.url).body for _ in range(3)] == ["1", "2", "3"]
    assert request("POST", old.url + "decrement").body == "4"
    assert read_counter(cloud, old) == 3


def test_the_returns_of_a_stack_are_read_from_what_is_deployed(new: Stack, old: Stack) -> None:
    assert (new.returns, old.returns) == ("new", "old")


@pytest.mark.parametrize(
    ("body", "value"),
    [
        pytest.param("", 1, id="no body"),
        pytest.param("{}", 1, id="empty object: how API Gateway may show no body"),
        pytest.param('{"value":0}', 0, id="zero"),
        pytest.param('{"value":-7}', -7, id="negative"),
        pytest.param('\n{ "value"\t:\r\n 5 } ', 5, id="white space"),
        pytest.param(f'{{"value":{2**53 + 1}}}', 2**53 + 1, id="beyond a double"),
        pytest.param(f'{{"value":{2**63}}}', 2**63, id="beyond 64 bits"),
        pytest.param('{"value":' + "9" * 38 + "}", int("9" * 38), id="38 digits"),
        pytest.param('{"value":-' + "9" * 38 + "}", -int("9" * 38), id="38 digits, negative"),
    ],
)
def test_put_sets_the_counter(cloud: Cloud, new: Stack, body: str, value: int) -> None:
    reply = request("PUT", new.url, body, JSON_TYPE)
    assert (reply.status, reply.body) == (200, '{"ok":true}')
    assert read_counter(cloud, new) == value


@pytest.mark.parametrize(
    "body",
    [
        pytest.param('{"value":"5"}', id="string"),
        pytest.param('{"value":1.5}', id="fraction"),
        pytest.param('{"value":1.0}', id="fraction of zero"),
        pytest.param('{"value":1e3}', id="exponent"),
        pytest.param('{"value":' + "9" * 39 + "}", id="39 digits"),
        pytest.param('{"value":01}', id="leading zero"),
        pytest.param('{"value":+1}', id="plus"),
        pytest.param('{"value":- 1}', id="minus apart"),
        pytest.param('{"value":1 2}', id="two numbers"),
        pytest.param('{"value":null}', id="null"),
        pytest.param('{"value":true}', id="true"),
        pytest.param('{"value":[5]}', id="list inside"),
        pytest.param('{"value":{"N":"5"}}', id="DynamoDB's own form"),
        pytest.param('{"value":5,"value":6}', id="twice"),
        pytest.param('{"value":5,"more":1}', id="more members"),
        pytest.param('{"Value":5}', id="another case"),
        pytest.param("[]", id="list"),
        pytest.param("5", id="bare number"),
        pytest.param('{"value":5', id="cut off"),
        pytest.param('{"value":5}}', id="one brace more"),
        pytest.param('{"value":٣}', id="another script's digit"),
        pytest.param('{"value":5}\x00', id="zero byte"),
        pytest.param('"}},"ReturnValues":"ALL_OLD"}', id="breaking out of the request"),
        pytest.param("$util.urlDecode('1')#set($value='7')", id="velocity"),
        pytest.param(b"\xff\xfe", id="not UTF-8"),
    ],
)
def test_a_bad_put_is_400_and_changes_nothing(cloud: Cloud, new: Stack, body: str | bytes) -> None:
    put(new.url, 41)
    sent = body.encode() if isinstance(body, str) else body
    reply = request("PUT", new.url, sent, JSON_TYPE)
    assert reply.status == 400
    assert json.loads(reply.body)["type"] == "ValidationException"
    assert reply.headers["cache-control"] == "no-store"
    assert read_counter(cloud, new) == 41


def test_a_get_before_any_put_is_an_error_and_makes_no_counter(cloud: Cloud) -> None:
    fresh = deploy_stack(cloud, name="fresh", parameters={}, say=lambda _line: None)
    for method, path in (("GET", ""), ("POST", "decrement")):
        reply = request(method, fresh.url + path)
        assert reply.status == 409
        assert json.loads(reply.body)["type"] == "ConditionalCheckFailedException"
    with pytest.raises(UserError, match="has no counter yet"):
        read_counter(cloud, fresh)


THROTTLES = (
    "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
    "com.amazon.coral.availability#ThrottlingException",
    "com.amazonaws.dynamodb.v20120810#RequestLimitExceeded",
)


@pytest.mark.parametrize(
    ("status", "kind", "expected"),
    [
        *[pytest.param(400, kind, (429, 429), id=kind.partition("#")[2]) for kind in THROTTLES],
        pytest.param(400, "x#ConditionalCheckFailedException", (409, 500), id="condition"),
        pytest.param(
            400, "com.amazon.coral.validate#ValidationException", (500, 400), id="invalid"
        ),
        pytest.param(400, "x#SerializationException", (500, 400), id="unreadable"),
        pytest.param(400, "x#ResourceNotFoundException", (500, 500), id="table gone"),
        pytest.param(400, "x#AccessDeniedException", (500, 500), id="role without rights"),
        pytest.param(413, "x#TooLarge", (500, 500), id="413"),
        pytest.param(500, "x#InternalServerError", (503, 503), id="500"),
        pytest.param(503, "x#ServiceUnavailable", (503, 503), id="503"),
        pytest.param(302, "x#Moved", (502, 502), id="a status nobody expects"),
    ],
)
def test_no_dynamodb_error_is_a_200(
    scripted: Stack,
    backend: ScriptedDynamo,
    status: int,
    kind: str,
    expected: tuple[int, int],
) -> None:
    """`expected` are the statuses of an update and of a PUT."""
    backend.scripted = (status, json.dumps({"__type": kind, "message": 'a "quoted" reason'}))
    update, put_expected = expected
    for method, path, wanted in (
        ("GET", "", update),
        ("POST", "decrement", update),
        ("PUT", "", put_expected),
        ("GET", "unsafe", update),
        ("PUT", "unsafe", put_expected),
    ):
        reply = request(method, scripted.url + path)
        assert reply.status == wanted
        assert json.loads(reply.body).keys() == {"type", "message"}
        assert reply.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("{}", id="no attributes"),
        pytest.param('{"Attributes":{"tally":{"N":""}}}', id="blank"),
        pytest.param('{"Attributes":{"tally":{"S":"5"}}}', id="a string"),
        pytest.param('{"Attributes":{"tally":{"N":"1.5"}}}', id="a fraction"),
    ],
)
def test_a_200_without_a_number_is_no_200(
    scripted: Stack, backend: ScriptedDynamo, body: str
) -> None:
    backend.scripted = (200, body)
    reply = request("GET", scripted.url)
    assert reply.status == 502
    assert json.loads(reply.body)["type"] == "NoNumber"


@pytest.mark.parametrize(
    "tally",
    [
        pytest.param("", id="no tally"),
        pytest.param(',"tally":{"N":""}', id="blank"),
        pytest.param(',"tally":{"S":"5"}', id="a string"),
        pytest.param(',"tally":{"N":"1.5"}', id="a fraction"),
    ],
)
def test_an_item_without_a_number_is_no_200(
    scripted: Stack, backend: ScriptedDynamo, tally: str
) -> None:
    backend.scripted = (200, f'{{"Item":{{"id":{{"S":"counter"}}{tally}}}}}')
    reply = request("GET", scripted.unsafe_url)
    assert reply.status == 502
    assert json.loads(reply.body)["type"] == "NoNumber"


def test_a_broken_error_body_is_no_200(scripted: Stack, backend: ScriptedDynamo) -> None:
    backend.scripted = (400, "<html>not JSON</html>")
    reply = request("GET", scripted.url)
    assert (reply.status, reply.body) == (500, '{"message":"Internal server error"}')


def test_every_answer_forbids_caching(new: Stack) -> None:
    put(new.url)
    replies = [
        request("GET", new.url),
        put(new.url),
        request("POST", new.url + "decrement"),
        request("GET", new.url + "nowhere"),
        request("DELETE", new.url),
        request("PUT", new.url, "x", {"Content-Type": "text/plain"}),
    ]
    assert [reply.status for reply in replies] == [200, 200, 200, 403, 403, 415]
    assert {reply.headers["cache-control"] for reply in replies} == {"no-store"}
