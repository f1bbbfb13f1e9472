"""Mapping templates rendered by themselves, without a deployed API around them."""

from dataclasses import dataclass
from typing import Any

from deploy.local.gateway import vtl
from deploy.local.gateway.access import ApiKey
from deploy.local.gateway.configuration import Definition, DeployedApi, Resource, path_pattern
from deploy.local.gateway.context import Context
from deploy.local.gateway.parameters import Parameters
from deploy.local.gateway.request import Request

PATH = {"id": "from the path"}
QUERY = {"id": "from the query", "page": "2"}
HEADERS = {"id": "from a header", "page": "h", "X-One": "1", "Host": "abc.example.com:80"}
API_KEY = ApiKey(id="key-1", value="", plan_id="plan-1", limit=None, quota=None, method_limits={})
IDS = ("request-1", "extended-1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    text: str
    status: int | None
    headers: dict[str, str]


def render(template: str, body: str = "", **request: Any) -> Rendered:
    """Render one template for a GET of /things/{id} on the stage v1."""
    sent = Request(
        api_id="api-1",
        stage="v1",
        method="GET",
        path="/things/7",
        query=request.get("query", QUERY),
        headers=request.get("headers", HEADERS),
        body=body.encode(),
        source_ip="127.0.0.1",
    )
    api = DeployedApi(
        api_id="api-1",
        stage="v1",
        deployment_id="deployment-1",
        region="us-east-1",
        account="000000000000",
        variables={"colour": "blue", "the-size": "10"},
        definition=Definition(resources=(), gateway_responses={}),
    )
    resource = Resource(
        id="resource-1",
        path="/things/{id}",
        pattern=path_pattern("/things/{id}"),
        parameters=("id",),
        methods={},
    )
    parameters = Parameters(path=PATH, query=sent.query, header=sent.headers)
    context = Context(request=sent, api=api, resource=resource, ids=IDS, api_key=API_KEY)
    text = vtl.render(
        template,
        source=lambda: vtl.Input(body, parameters),
        context=context,
        stage_variables=api.variables,
    )
    override = context.overridden()
    return Rendered(text=text, status=override.status, headers=override.header.values)


def text(template: str, body: str = "", **request: Any) -> str:
    """Return what a template renders to."""
    return render(template, body, **request).text
