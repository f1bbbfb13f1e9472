"""APIs made by hand through the API Gateway API, for what the counter's template does not use."""

from dataclasses import dataclass, field
from typing import Any

from deploy.cloud import Cloud
from tests.deploy.support import Reply, request

ROLE = "arn:aws:iam::000000000000:role/any"
URI = "arn:aws:apigateway:us-east-1:dynamodb:action/{}"
JSON_TYPE = "application/json"
LIST_TABLES = URI.format("ListTables")


@dataclass(slots=True)
class Api:
    """One API made by hand; `deploy` after every change, as on AWS."""

    cloud: Cloud
    endpoint_url: str
    id: str = ""
    resources: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        client = self.cloud.apigateway()
        self.id = client.create_rest_api(name="by hand")["id"]
        self.resources["/"] = client.get_resources(restApiId=self.id)["items"][0]["id"]

    def resource(self, path: str) -> str:
        if path not in self.resources:
            parent, _, part = path.rpartition("/")
            self.resources[path] = self.cloud.apigateway().create_resource(
                restApiId=self.id, parentId=self.resource(parent or "/"), pathPart=part
            )["id"]
        return self.resources[path]

    def method(
        self,
        verb: str = "GET",
        path: str = "/",
        *,
        request_template: str | dict[str, str] = "{}",
        responses: dict[str, dict[str, Any]] | None = None,
        uri: str = LIST_TABLES,
        declared: bool = True,
        **integration: Any,
    ) -> None:
        """Put a method that passes the backend's answer on, unless `responses` say otherwise.

        `declared` puts the method responses that AWS demands before integration responses.
        """
        client = self.cloud.apigateway()
        ids: dict[str, Any] = {
            "restApiId": self.id,
            "resourceId": self.resource(path),
            "httpMethod": verb,
        }
        authorization = integration.pop("authorization", "NONE")
        key_required = integration.pop("key_required", False)
        client.put_method(**ids, authorizationType=authorization, apiKeyRequired=key_required)
        templates = request_template
        if isinstance(templates, str):
            templates = {JSON_TYPE: templates}
        arguments: dict[str, Any] = {
            "type": "AWS",
            "integrationHttpMethod": "POST",
            "uri": uri,
            "credentials": ROLE,
            "requestTemplates": templates,
            "passthroughBehavior": "NEVER",
            **integration,
        }
        client.put_integration(**ids, **arguments)
        for status, response in (responses or {"200": {}}).items():
            if declared:
                headers = dict.fromkeys(response.get("responseParameters", {}), False)
                client.put_method_response(**ids, statusCode=status, responseParameters=headers)
            client.put_integration_response(**ids, statusCode=status, **response)

    def deploy(self, **arguments: Any) -> str:
        self.cloud.apigateway().create_deployment(restApiId=self.id, stageName="s1", **arguments)
        return f"{self.endpoint_url}/_aws/execute-api/{self.id}/s1"


def rendered(api: Api, template: str, **sent: Any) -> Reply:
    """Answer what a response template renders for one request."""
    api.method("POST", responses={"200": {"responseTemplates": {JSON_TYPE: template}}})
    url = api.deploy(variables={"colour": "blue"}) + sent.pop("suffix", "/")
    return request("POST", url, sent.pop("body", None), sent.pop("headers", None))
