"""Which template maps a request, on a deployed API."""

import pytest

from deploy.stack import Stack
from tests.deploy.handmade import JSON_TYPE, Api
from tests.deploy.support import request


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        pytest.param(None, 200, id="none counts as application/json"),
        pytest.param("application/json", 200, id="mapped"),
        pytest.param("application/json; charset=utf-8", 200, id="mapped, with a parameter"),
        pytest.param("Application/JSON", 200, id="mapped, in capitals"),
        pytest.param("text/plain", 415, id="unmapped"),
    ],
)
def test_the_content_type_chooses_the_request_template(
    new: Stack, content_type: str | None, status: int
) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    reply = request("PUT", new.url, '{"value":1}', headers)
    assert reply.status == status
    if status == 415:
        assert reply.body == '{"message":"Unsupported Media Type"}'


@pytest.mark.parametrize(
    ("passthrough", "templates", "status"),
    [
        pytest.param("NEVER", {"text/xml": "{}"}, 415, id="never"),
        pytest.param("WHEN_NO_TEMPLATES", {"text/xml": "{}"}, 415, id="no templates, but one"),
        pytest.param("WHEN_NO_TEMPLATES", {}, 200, id="no templates, and none"),
        pytest.param("WHEN_NO_MATCH", {"text/xml": "{}"}, 200, id="no match"),
    ],
)
def test_passthrough(api: Api, passthrough: str, templates: dict[str, str], status: int) -> None:
    api.method("POST", request_template=templates, passthroughBehavior=passthrough)
    reply = request("POST", api.deploy() + "/", '{"Limit":1}', {"Content-Type": JSON_TYPE})
    assert reply.status == status
