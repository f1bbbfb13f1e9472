"""What a deployed API is configured to do that this gateway does not do.

Each gap is said in the log when a deployment is frozen, and a request that meets one is answered
500: never something that looks right and is not. What is left out on purpose, because it changes no
answer of this gateway:

- models without a validator: API Gateway checks a payload only for a request validator (AWS:
  "Request validation for REST APIs in API Gateway"), and never a response;
- `method.request.*` parameters marked as required, for the same reason;
- cache keys and namespaces, while the stage has no cache (a stage with one is a gap);
- `contentHandling: CONVERT_TO_TEXT`, which passes text through as it is (AWS: "Content type
  conversions in API Gateway"), and all that is not text needs `binaryMediaTypes`, a gap;
- `minimumCompressionSize`, client certificates, tracing, logging, documentation.
"""

import re
from collections.abc import Iterator

from deploy.local.gateway.header_mapping import (
    GATEWAY_HEADER,
    GATEWAY_SOURCE,
    RESPONSE_HEADER,
    RESPONSE_SOURCE,
    parse_mapping,
)
from deploy.local.gateway.velocity import RenderError, compiled
from deploy.local.json_values import Json

JSON_HEADER = re.compile(r"'application/(?:json|x-amz-json-1\.[01])'")


def of_api(item: Json) -> Iterator[str]:
    """Name the gaps of an API as GetRestApi shows it."""
    if item.get("binaryMediaTypes"):
        yield f"binaryMediaTypes {item['binaryMediaTypes']}"
    if item.get("policy"):
        yield "a resource policy"
    if item.get("disableExecuteApiEndpoint"):
        yield "disableExecuteApiEndpoint"


def of_stage(item: Json) -> Iterator[str]:
    """Name the gaps of a stage as GetStage shows it."""
    if item.get("cacheClusterEnabled"):
        yield "a cache for the stage"
    if item.get("canarySettings"):
        yield "a canary"
    if item.get("webAclArn"):
        yield "a web ACL"


def of_gateway_responses(items: list[Json]) -> Iterator[str]:
    """Name the gaps of the customised gateway responses."""
    for item in items:
        for name, source in (item.get("responseParameters") or {}).items():
            if not name.startswith(GATEWAY_HEADER):
                yield f"gateway response {item['responseType']}: {name} is no header"
                continue
            try:
                parse_mapping(name.removeprefix(GATEWAY_HEADER), source, GATEWAY_SOURCE)
            except ValueError as error:
                yield f"gateway response {item['responseType']}: {error}"


def of_method(item: Json) -> Iterator[str]:
    """Name the gaps of a method as GetResources shows it."""
    authorization = item.get("authorizationType") or "NONE"
    if authorization != "NONE":
        yield f"authorization {authorization}: every request is refused as unauthorized"
    if item.get("requestValidatorId"):
        yield "a request validator"
    integration = item.get("methodIntegration")
    if integration:
        yield from of_integration(integration, item.get("methodResponses") or {})
    else:
        yield "no integration, which AWS demands of a method that is deployed"


def of_integration(item: Json, method_responses: Json) -> Iterator[str]:
    """Name the gaps of an integration; its URI is judged with the stage's variables, later."""
    if item.get("type") != "AWS":
        yield f"integration type {item.get('type')}: only DynamoDB actions are, of type AWS"
        return
    if item.get("httpMethod") != "POST":
        yield f"integration HTTP method {item.get('httpMethod')}: DynamoDB takes POST only"
    yield from of_templates("request template", item.get("requestTemplates") or {})
    for name, source in (item.get("requestParameters") or {}).items():
        # A DynamoDB action takes a JSON body and nothing else; this one says what is sent anyway.
        content_type = name.lower() == "integration.request.header.content-type"
        if not (content_type and JSON_HEADER.fullmatch(source)):
            yield f"{name} = {source}: a DynamoDB action takes no such parameter"
    if item.get("contentHandling") == "CONVERT_TO_BINARY":
        yield "contentHandling CONVERT_TO_BINARY of the request"
    if (item.get("connectionType") or "INTERNET") != "INTERNET":
        yield f"connectionType {item['connectionType']}"
    if (item.get("responseTransferMode") or "BUFFERED") != "BUFFERED":
        yield f"responseTransferMode {item['responseTransferMode']}"
    for status, response in (item.get("integrationResponses") or {}).items():
        for gap in of_response(response, method_responses.get(status)):
            yield f"integration response {status}: {gap}"


def of_response(item: Json, method_response: Json) -> Iterator[str]:
    """Name the gaps of an integration response.

    AWS refuses to put one whose status, or whose header, the method response does not declare
    (AWS: "PutIntegrationResponse"); a control plane that took it made an API that cannot exist.
    """
    if method_response is None:
        yield "the method has no response of this status, which AWS demands"
        return
    declared = method_response.get("responseParameters") or {}
    for name, source in (item.get("responseParameters") or {}).items():
        if name not in declared:
            yield f"{name} is not declared in the method response, which AWS demands"
        try:
            parse_mapping(name.removeprefix(RESPONSE_HEADER), source, RESPONSE_SOURCE)
        except ValueError as error:
            yield str(error)
    if item.get("contentHandling") == "CONVERT_TO_BINARY":
        yield "contentHandling CONVERT_TO_BINARY"
    yield from of_templates("template", item.get("responseTemplates") or {})
    try:
        re.compile(item.get("selectionPattern") or "")
    except re.error as error:
        yield f"selectionPattern {item['selectionPattern']!r}: {error}"


def of_templates(kind: str, templates: Json) -> Iterator[str]:
    """Name the mapping templates that can never be rendered, as far as their text shows that."""
    for content_type, template in templates.items():
        try:
            compiled(template)
        except RenderError as error:
            yield f"{kind} {content_type}: {error}"
