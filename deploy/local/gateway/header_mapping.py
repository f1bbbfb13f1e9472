"""Parameter mapping expressions, as they are configured: where a header's value comes from.

AWS: "Amazon API Gateway API request and response data mapping reference", and for gateway responses
"x-amazon-apigateway-gateway-responses.responseParameters object".
"""

import re
from dataclasses import dataclass

from deploy.local.gateway import jsonpath

RESPONSE_HEADER = "method.response.header."
GATEWAY_HEADER = "gatewayresponse.header."
RESPONSE_SOURCE = re.compile(
    r"(?P<kind>integration\.response\.(?:header|multivalueheader|body)|context|stageVariables)"
    r"(?:\.(?P<name>.+))?",
)
GATEWAY_SOURCE = re.compile(
    r"(?P<kind>method\.request\.(?:header|querystring|path)|context|stageVariables)\.(?P<name>.+)"
)
RESERVED = frozenset({"connection", "content-length", "keep-alive", "transfer-encoding"})
"""Headers that belong to the connection; API Gateway does not let them be mapped either."""

UNFIT = re.compile(r"[\x00-\x1f\x7f]")
"""What no header's value may have in it: it could end the header."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderMapping:
    """One header of an answer, and where its value comes from."""

    header: str
    kind: str
    """`static`, or the expression without its last part."""
    name: str


def parse_mapping(header: str, source: str, allowed: re.Pattern[str]) -> HeaderMapping:
    """Parse one mapping expression. Raises ValueError with what is wrong with it."""
    if header.lower() in RESERVED:
        raise ValueError(f"the header {header} cannot be mapped")
    if UNFIT.search(source):
        raise ValueError(f"the header {header} cannot have the value {source!r}")
    if len(source) > 1 and source.startswith("'") and source.endswith("'"):
        return HeaderMapping(header=header, kind="static", name=source[1:-1])
    match = allowed.fullmatch(source)
    if match is None or (match["name"] is None and match["kind"] != "integration.response.body"):
        raise ValueError(f"the header {header} is mapped from {source!r}, which is no source here")
    if match["kind"] == "integration.response.body" and match["name"] is not None:
        jsonpath.steps_of(f"$.{match['name']}")
    return HeaderMapping(header=header, kind=match["kind"], name=match["name"] or "")
