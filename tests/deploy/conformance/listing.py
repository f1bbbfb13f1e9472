"""The conformance suite's list in docs/local-target.md, made from the tests themselves.

    python -m tests.deploy.conformance.listing     writes it anew

A test belongs to the list if its docstring, or its module's, names the AWS page that it follows:
AWS: "title", "another".
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.document import replaced as document_with
from tests.runs import REPOSITORY

TESTS = REPOSITORY / "tests" / "deploy"
DOCUMENT = REPOSITORY / "docs" / "local-target.md"
TITLES = re.compile(r'AWS: ("[^"]+"(?:, "[^"]+")*)')

GUIDE = "https://docs.aws.amazon.com/apigateway/latest/developerguide/"
API = "https://docs.aws.amazon.com/apigateway/latest/api/"
DYNAMODB = "https://docs.aws.amazon.com/amazondynamodb/latest/"
TEMPLATE = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/"
PAGES = {
    "API Gateway mapping template and access logging variable reference": (
        GUIDE + "api-gateway-mapping-template-reference.html"
    ),
    "Variables for data transformations for API Gateway": (
        GUIDE + "api-gateway-mapping-template-reference.html"
    ),
    "API Gateway stage variables reference for REST APIs in API Gateway": (
        GUIDE + "aws-api-gateway-stage-variables-reference.html"
    ),
    "Amazon API Gateway API request and response data mapping reference": (
        GUIDE + "request-response-data-mappings.html"
    ),
    "Amazon API Gateway important notes": GUIDE + "api-gateway-known-issues.html",
    "Amazon API Gateway quotas": GUIDE + "limits.html",
    "Binary media types for REST APIs in API Gateway": (
        GUIDE + "api-gateway-payload-encodings.html"
    ),
    "Cache settings for REST APIs": GUIDE + "api-gateway-caching.html",
    "Choose an API key source in API Gateway": GUIDE + "api-gateway-api-key-source.html",
    "Content type conversions in API Gateway": (
        GUIDE + "api-gateway-payload-encodings-workflow.html"
    ),
    "Create a deployment for a REST API in API Gateway": (
        GUIDE + "how-to-deploy-api-with-console.html"
    ),
    "Deploy REST APIs in API Gateway": GUIDE + "how-to-deploy-api.html",
    "Examples using variables for mapping template transformations": (
        GUIDE + "api-gateway-mapping-variable-examples.html"
    ),
    "Gateway response types for API Gateway": GUIDE + "supported-gateway-response-types.html",
    "Gateway responses in API Gateway": GUIDE + "api-gateway-gatewayResponse-definition.html",
    "Integration passthrough behaviors": GUIDE + "integration-passthrough-behaviors.html",
    "Mapping template transformations for REST APIs": GUIDE + "models-mappings.html",
    "Mapping template transformations for REST APIs in API Gateway": GUIDE + "models-mappings.html",
    "Override your API's request and response parameters and status codes": (
        GUIDE + "apigateway-override-request-response-parameters.html"
    ),
    "REST API integrations": GUIDE + "how-to-integration-settings.html",
    "Request validation for REST APIs in API Gateway": (
        GUIDE + "api-gateway-method-request-validation.html"
    ),
    "Set up a gateway response for a REST API using the API Gateway console": (
        GUIDE + "set-up-gateway-response-using-the-console.html"
    ),
    "Set up an integration response using the API Gateway console": (
        GUIDE + "how-to-method-settings-execution-console.html"
    ),
    "Throttle requests to your REST APIs for better throughput in API Gateway": (
        GUIDE + "api-gateway-request-throttling.html"
    ),
    "Updates to REST APIs that require redeployment": GUIDE + "updating-api.html",
    "Updates to a REST API that require redeployment": GUIDE + "updating-api.html",
    "Usage plans and API keys for REST APIs in API Gateway": (
        GUIDE + "api-gateway-api-usage-plans.html"
    ),
    "x-amazon-apigateway-gateway-responses.responseParameters object": (
        GUIDE + "api-gateway-swagger-extensions-gateway-responses.responseParameters.html"
    ),
    "PutIntegrationResponse": API + "API_PutIntegrationResponse.html",
    "QuotaSettings": API + "API_QuotaSettings.html",
    "RestApi": API + "API_RestApi.html",
    "Stage": API + "API_Stage.html",
    "UsagePlan": API + "API_UsagePlan.html",
    "Best practices for designing and using partition keys effectively in DynamoDB": (
        DYNAMODB + "developerguide/bp-partition-key-design.html"
    ),
    "DynamoDB API": DYNAMODB + "developerguide/HowItWorks.API.html",
    "DynamoDB item sizes and formats": (DYNAMODB + "developerguide/CapacityUnitCalculations.html"),
    "DynamoDB read and write operations": (DYNAMODB + "developerguide/read-write-operations.html"),
    "Error handling with DynamoDB": DYNAMODB + "developerguide/Programming.Errors.html",
    "GetItem": DYNAMODB + "APIReference/API_GetItem.html",
    "ThrottlingReason": DYNAMODB + "APIReference/API_ThrottlingReason.html",
    "AWS::ApiGateway::ApiKey": TEMPLATE + "aws-resource-apigateway-apikey.html",
    "AWS::ApiGateway::Stage MethodSetting": (
        TEMPLATE + "aws-properties-apigateway-stage-methodsetting.html"
    ),
    "AWS::ApiGateway::UsagePlan": TEMPLATE + "aws-resource-apigateway-usageplan.html",
    "AWS::ApiGateway::UsagePlanKey": TEMPLATE + "aws-resource-apigateway-usageplankey.html",
    "AWS::ApiGateway::Deployment": TEMPLATE + "aws-resource-apigateway-deployment.html",
    "AWS::DynamoDB::Table": TEMPLATE + "aws-resource-dynamodb-table.html",
    "Condition attribute": TEMPLATE + "aws-attribute-condition.html",
    "DependsOn attribute": TEMPLATE + "aws-attribute-dependson.html",
    "Understand update behaviors of stack resources": (
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/"
        "using-cfn-updating-stacks-update-behaviors.html"
    ),
}
"""AWS's pages by their titles, as they were when the rules were read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One test that holds the local target to what AWS documents."""

    path: Path
    test: str
    titles: tuple[str, ...]

    def line(self) -> str:
        """Write it as a row of the table. Raises KeyError for a title without a page."""
        sentence = self.test.removeprefix("test_").replace("_", " ")
        place = self.path.relative_to(TESTS).with_suffix("").as_posix()
        pages = ", ".join(f"[{title}]({PAGES[title]})" for title in self.titles)
        return f"| {sentence} | `{place}` | {pages} |"


def rows() -> Iterator[Row]:
    """Find every test that names an AWS page, file by file."""
    for path in sorted(TESTS.rglob("test_*.py")):
        module = ast.parse(path.read_text())
        for node in module.body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                titles = titles_of(node) or titles_of(module)
                if titles:
                    yield Row(path=path, test=node.name, titles=titles)


def titles_of(node: ast.FunctionDef | ast.Module) -> tuple[str, ...]:
    """Find the pages that a docstring names."""
    named = TITLES.search(" ".join((ast.get_docstring(node) or "").split()))
    return tuple(re.findall(r'"([^"]+)"', named[1])) if named else ()


def table() -> str:
    """Write the whole list."""
    head = ["| behaviour | test, in tests/deploy/ | AWS page |", "|---|---|---|"]
    return "\n".join([*head, *(row.line() for row in rows())]) + "\n"


def replaced(document: str) -> str:
    """Put the list where the document wants it. Raises ValueError if it does not say where."""
    return document_with(document, "conformance", table())


if __name__ == "__main__":
    DOCUMENT.write_text(replaced(DOCUMENT.read_text()))
