"""The local gateway: its addresses, its deployments, and many callers at once."""

import http.client
import threading
import urllib.parse
from typing import Any

import pytest

from deploy.cloud import Cloud
from deploy.counter import read_counter
from deploy.local.process import LocalCloud
from deploy.stack import Stack
from tests.deploy.handmade import JSON_TYPE, Api
from tests.deploy.support import put, request
from tests.patience import PATIENCE_S, run_together

pytestmark = pytest.mark.both_engines


def test_path_parameters_and_the_most_specific_resource(api: Api) -> None:
    def shows(text: str) -> dict[str, dict[str, Any]]:
        return {"200": {"responseTemplates": {JSON_TYPE: text}}}

    api.method("ANY", "/{proxy+}", responses=shows("greedy $input.params('proxy')"))
    api.method("GET", "/{the-name}", responses=shows("one $input.params('the-name')"))
    api.method("GET", "/fixed", responses=shows("fixed"))
    url = api.deploy()
    seen = [request("GET", url + path).body for path in ("/fixed", "/a%20b", "/a/b", "/fixed/")]
    assert seen == ["fixed", "one a b", "greedy a/b", "fixed"]


def test_a_method_that_wants_more_than_we_check_is_refused(api: Api) -> None:
    api.method("GET", "/iam", authorization="AWS_IAM")
    api.method("GET", "/key", key_required=True)
    api.method("GET", "/token", authorization="CUSTOM")
    url = api.deploy()
    assert [request("GET", url + path).status for path in ("/iam", "/key", "/token")] == [
        403,
        403,
        401,
    ]


def test_a_changed_method_is_served_only_after_a_new_deployment(api: Api) -> None:
    api.method(responses={"200": {"responseTemplates": {JSON_TYPE: "first"}}})
    url = api.deploy() + "/"
    api.method(responses={"200": {"responseTemplates": {JSON_TYPE: "second"}}})
    assert request("GET", url).body == "first"
    api.deploy()
    assert request("GET", url).body == "second"


def test_a_deleted_api_is_no_longer_served(cloud: Cloud, local: LocalCloud) -> None:
    api = Api(cloud, local.endpoint_url)
    api.method()
    url = api.deploy() + "/"
    assert request("GET", url).status == 200
    cloud.apigateway().delete_rest_api(restApiId=api.id)
    assert request("GET", url).status == 403


def test_all_three_forms_of_the_address(new: Stack, local: LocalCloud) -> None:
    put(new.url, 10)
    base = local.endpoint_url
    older = f"{base}/restapis/{new.api_id}/{new.stage}/_user_request_/"
    host = {"Host": f"{new.api_id}.execute-api.us-east-1.amazonaws.com"}
    assert request("GET", new.url).body == "11"
    assert request("GET", new.url.rstrip("/")).body == "12"
    assert request("GET", older).body == "13"
    assert request("GET", f"{base}/{new.stage}/", headers=host).body == "14"


def test_a_web_page_cannot_reach_the_control_plane(new: Stack, local: LocalCloud) -> None:
    page = {"Origin": "http://example.com"}
    for path in ("/_ministack/reset", "/restapis"):
        reply = request("POST", local.endpoint_url + path, headers=page)
        assert (reply.status, reply.body) == (403, "the control plane does not talk to web pages\n")
    assert request("GET", local.endpoint_url + "/restapis").status == 200
    assert put(new.url).status == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200),
        ("127.0.0.1:4566", 200),
        ("localhost:4566", 200),
        ("LOCALHOST", 200),
        ("[::1]:4566", 200),
        ("apigateway.localhost:4566", 200),
        ("example.com", 403),
        ("localhost.example.com", 403),
        ("127.0.0.1.example.com:4566", 403),
        ("notlocalhost", 403),
        ("", 403),
    ],
)
def test_the_control_plane_answers_to_its_own_names_only(
    local: LocalCloud, host: str, status: int
) -> None:
    reply = request("GET", local.endpoint_url + "/restapis", headers={"Host": host})
    assert reply.status == status


@pytest.mark.parametrize(
    "path", ["/_ministack/reset", "/%5fministack/reset", "//_ministack/reset", "/_ministack/config"]
)
def test_the_doors_inside_are_closed(new: Stack, local: LocalCloud, path: str) -> None:
    reply = request("POST", local.endpoint_url + path, "{}")
    assert (reply.status, reply.body.count("\n")) == (403, 1)
    assert reply.body.startswith("/_ministack/ is closed: ")
    assert put(new.url).status == 200


def test_a_target_in_absolute_form(new: Stack, local: LocalCloud) -> None:
    """RFC 9112, 3.2.2: its host counts, not the header's."""
    put(new.url, 10)
    assert absolute(local, new.url) == (200, "11")
    host = f"http://{new.api_id}.execute-api.us-east-1.amazonaws.com"
    assert absolute(local, f"{host}/{new.stage}/") == (200, "12")
    assert absolute(local, f"{local.endpoint_url}?Action=ListStacks")[0] == 200
    assert absolute(local, "http://example.com/restapis")[0] == 403


def absolute(local: LocalCloud, url: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(local.endpoint_url).netloc)
    try:
        connection.request("GET", url, headers={"Host": "127.0.0.1"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def test_only_the_services_the_template_needs_are_on(local: LocalCloud) -> None:
    scope = "AWS4-HMAC-SHA256 Credential=test/20000101/us-east-1/lambda/aws4_request, "
    headers = {"Authorization": scope + "SignedHeaders=host, Signature=0"}
    reply = request("GET", local.endpoint_url + "/2015-03-31/functions", headers=headers)
    assert (reply.status, reply.body) == (400, '{"error": "Unsupported service: lambda"}')


def test_2000_concurrent_gets_are_2000_consecutive_numbers(cloud: Cloud, new: Stack) -> None:
    put(new.url, 0)
    seen: list[list[int]] = [[] for _ in range(50)]
    path = urllib.parse.urlsplit(new.url)

    def client(mine: list[int]) -> None:
        connection = http.client.HTTPConnection(path.netloc, timeout=PATIENCE_S)
        for _ in range(40):
            connection.request("GET", path.path)
            mine.append(int(connection.getresponse().read()))
        connection.close()

    run_together(threading.Thread(target=client, args=(mine,)) for mine in seen)
    assert sorted(number for mine in seen for number in mine) == list(range(1, 2001))
    assert all(mine == sorted(mine) for mine in seen)
    assert read_counter(cloud, new) == 2000
