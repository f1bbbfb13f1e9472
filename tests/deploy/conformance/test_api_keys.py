"""AWS: "Usage plans and API keys for REST APIs in API Gateway"."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from deploy.cloud import Cloud
from deploy.local.process import LocalCloud
from deploy.progress import Progress, wait
from tests.deploy.handmade import JSON_TYPE, Api
from tests.deploy.places import quiet
from tests.deploy.support import Reply, request
from tests.patience import PATIENCE_S

NO_RATE = 0.000001
FORBIDDEN = (403, '{"message":"Forbidden"}', "ForbiddenException")
THROTTLED = (429, '{"message":"Too Many Requests"}', "TooManyRequestsException")
EXCEEDED = (429, '{"message":"Limit Exceeded"}', "LimitExceededException")
SHOWN = "$context.identity.apiKey $context.identity.apiKeyId"


@dataclass(slots=True)
class Customers:
    """API keys and usage plans for one stage, removed again."""

    cloud: Cloud
    api: Api
    keys: list[str] = field(default_factory=list)
    plans: list[str] = field(default_factory=list)

    def key(self, *, enabled: bool = True) -> tuple[str, str]:
        """Make an API key; gives its id and value."""
        value = uuid.uuid4().hex
        made = self.cloud.apigateway().create_api_key(name="k", value=value, enabled=enabled)
        self.keys.append(made["id"])
        return made["id"], value

    def plan(self, *key_ids: str, stages: list[dict[str, Any]] | None = None, **plan: Any) -> str:
        """Make a usage plan, for the API's stage if no other is named."""
        client = self.cloud.apigateway()
        if stages is None:
            stages = [{"apiId": self.api.id, "stage": "s1"}]
        made: str = client.create_usage_plan(name="p", apiStages=stages, **plan)["id"]
        self.plans.append(made)
        for key_id in key_ids:
            client.create_usage_plan_key(usagePlanId=made, keyId=key_id, keyType="API_KEY")
        return made

    def remove(self) -> None:
        client = self.cloud.apigateway()
        for plan in self.plans:
            client.delete_usage_plan(usagePlanId=plan)
        for key in self.keys:
            client.delete_api_key(apiKey=key)


@pytest.fixture
def customers(cloud: Cloud, api: Api) -> Iterator[Customers]:
    made = Customers(cloud, api)
    yield made
    made.remove()


@pytest.fixture
def url(api: Api) -> str:
    """Where GET wants a key and answers which one it got, POST wants none, and /a is the same."""
    for path in ("/", "/a"):
        shown = {"200": {"responseTemplates": {JSON_TYPE: SHOWN}}}
        api.method("GET", path, key_required=True, responses=shown)
    api.method("POST")
    return api.deploy()


def get(url: str, key: str | None, path: str = "/") -> Reply:
    return request("GET", url + path, headers={} if key is None else {"X-API-Key": key})


def seen(reply: Reply) -> tuple[int, str, str]:
    return reply.status, reply.body, reply.headers.get("x-amzn-errortype", "")


def many(url: str, key: str, count: int, path: str = "/") -> list[int]:
    return [get(url, key, path).status for _ in range(count)]


def test_a_key_in_a_plan_of_the_stage_passes_and_templates_see_it(
    url: str, customers: Customers
) -> None:
    """AWS: "Variables for data transformations for API Gateway" (identity.apiKey, apiKeyId)."""
    key_id, value = customers.key()
    customers.plan(key_id)
    reply = get(url, value)
    assert (reply.status, reply.body) == (200, f"{value} {key_id}")


def test_no_key_or_a_wrong_one_is_forbidden(url: str, customers: Customers) -> None:
    """AWS: "Choose an API key source in API Gateway": the caller receives a 403 Forbidden."""
    key_id, _ = customers.key()
    customers.plan(key_id)
    assert [seen(get(url, key)) for key in (None, "", "wrong")] == [FORBIDDEN] * 3


def test_a_key_without_a_plan_for_the_stage_is_forbidden(url: str, customers: Customers) -> None:
    _, without = customers.key()
    key_id, elsewhere = customers.key()
    customers.plan(key_id, stages=[{"apiId": customers.api.id, "stage": "s2"}])
    assert [seen(get(url, key)) for key in (without, elsewhere)] == [FORBIDDEN] * 2


def test_a_disabled_key_is_forbidden_until_it_is_enabled(url: str, customers: Customers) -> None:
    key_id, value = customers.key(enabled=False)
    customers.plan(key_id)
    assert seen(get(url, value)) == FORBIDDEN
    enable = [{"op": "replace", "path": "/enabled", "value": "true"}]
    customers.cloud.apigateway().update_api_key(apiKey=key_id, patchOperations=enable)
    assert get(url, value).status == 200


def test_a_method_that_wants_no_key_is_not_in_the_plan(url: str, customers: Customers) -> None:
    key_id, value = customers.key()
    customers.plan(key_id, quota={"limit": 0, "period": "DAY"})
    assert request("POST", url + "/", headers={"x-api-key": value}).status == 200


def test_keys_from_an_authorizer_are_an_error_not_a_pass(api: Api, customers: Customers) -> None:
    """AWS: "Choose an API key source in API Gateway"; this gateway has no authorizers."""
    api.method(key_required=True)
    source = [{"op": "replace", "path": "/apiKeySource", "value": "AUTHORIZER"}]
    api.cloud.apigateway().update_rest_api(restApiId=api.id, patchOperations=source)
    key_id, value = customers.key()
    url = api.deploy()
    customers.plan(key_id)
    reply = get(url, value)
    assert (reply.status, reply.body) == (500, '{"message":"Internal server error"}')


def test_a_plans_throttle_is_for_each_key_over_all_its_methods(
    url: str, customers: Customers
) -> None:
    """The page: limits apply to requests for individual API keys, aggregated across stages."""
    (first_id, first), (second_id, second) = customers.key(), customers.key()
    customers.plan(first_id, second_id, throttle={"rateLimit": NO_RATE, "burstLimit": 3})
    assert many(url, first, 2) + many(url, first, 2, "/a") == [200, 200, 200, 429]
    assert seen(get(url, first)) == THROTTLED
    assert many(url, second, 4) == [200, 200, 200, 429]


def test_a_plan_can_throttle_one_method(url: str, customers: Customers) -> None:
    """AWS: "UsagePlan" (ApiStage, throttle: a method's path and verb to its limits)."""
    key_id, value = customers.key()
    throttle = {"/a/GET": {"rateLimit": NO_RATE, "burstLimit": 1}}
    customers.plan(
        key_id, stages=[{"apiId": customers.api.id, "stage": "s1", "throttle": throttle}]
    )
    assert many(url, value, 2, "/a") == [200, 429]
    assert many(url, value, 3) == [200, 200, 200]


@pytest.mark.parametrize("period", ["DAY", "WEEK", "MONTH"])
def test_a_quota_that_is_used_up_is_429(url: str, customers: Customers, period: str) -> None:
    """AWS: "QuotaSettings", "Gateway response types for API Gateway" (QUOTA_EXCEEDED)."""
    (first_id, first), (second_id, second) = customers.key(), customers.key()
    customers.plan(
        first_id, second_id, quota={"limit": 500_003, "offset": 500_000, "period": period}
    )
    assert many(url, first, 3) == [200, 200, 200]
    assert seen(get(url, first)) == EXCEEDED
    assert many(url, second, 1) == [200]


TEMPLATE = """
Resources:
  Api: {Type: AWS::ApiGateway::RestApi, Properties: {Name: keys}}
  Get:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Api
      ResourceId: !GetAtt Api.RootResourceId
      HttpMethod: GET
      AuthorizationType: NONE
      ApiKeyRequired: true
      MethodResponses: [{StatusCode: "200"}]
      Integration:
        Type: AWS
        IntegrationHttpMethod: POST
        Uri: arn:aws:apigateway:us-east-1:dynamodb:action/ListTables
        Credentials: arn:aws:iam::000000000000:role/any
        RequestTemplates: {application/json: "{}"}
        IntegrationResponses: [{StatusCode: "200"}]
  Deployment:
    Type: AWS::ApiGateway::Deployment
    DependsOn: Get
    Properties: {RestApiId: !Ref Api}
  Stage:
    Type: AWS::ApiGateway::Stage
    Properties:
      RestApiId: !Ref Api
      DeploymentId: !Ref Deployment
      StageName: s1
      MethodSettings:
        - {ResourcePath: /, HttpMethod: GET,
           ThrottlingRateLimit: 0.000001, ThrottlingBurstLimit: 3}
  Key:
    Type: AWS::ApiGateway::ApiKey
    Properties: {Enabled: true, Value: key-of-the-first-customer}
  OtherKey:
    Type: AWS::ApiGateway::ApiKey
    Properties: {Enabled: true, Value: key-of-the-second-customer}
  Plan:
    Type: AWS::ApiGateway::UsagePlan
    Properties:
      ApiStages:
        - {ApiId: !Ref Api, Stage: !Ref Stage,
           Throttle: {//GET: {RateLimit: 0.000001, BurstLimit: 2}}}
      Quota: {Limit: 1000, Period: MONTH}
  PlanKey:
    Type: AWS::ApiGateway::UsagePlanKey
    Properties: {KeyId: !Ref Key, KeyType: API_KEY, UsagePlanId: !Ref Plan}
  OtherPlanKey:
    Type: AWS::ApiGateway::UsagePlanKey
    Properties: {KeyId: !Ref OtherKey, KeyType: API_KEY, UsagePlanId: !Ref Plan}
Outputs:
  ApiId: {Value: !Ref Api}
"""


def test_keys_plans_and_throttles_made_by_cloudformation(cloud: Cloud, local: LocalCloud) -> None:
    """AWS CloudFormation makes what API Gateway's own API makes.

    AWS: "AWS::ApiGateway::ApiKey", "AWS::ApiGateway::UsagePlan",
    "AWS::ApiGateway::UsagePlanKey", "AWS::ApiGateway::Stage MethodSetting".
    """
    client = cloud.cloudformation()
    stack_id = client.create_stack(StackName="keys", TemplateBody=TEMPLATE)["StackId"]
    progress = Progress(client=client, stack_id=stack_id, say=quiet)
    status = wait(client, progress, stack_id, doing="making the stack", timeout_s=PATIENCE_S)
    assert status == "CREATE_COMPLETE", progress.failures
    (output,) = client.describe_stacks(StackName=stack_id)["Stacks"][0]["Outputs"]
    url = f"{local.endpoint_url}/_aws/execute-api/{output['OutputValue']}/s1"
    assert get(url, None).status == 403
    assert many(url, "key-of-the-first-customer", 3) == [200, 200, 429], "the plan's throttle"
    assert many(url, "key-of-the-second-customer", 2) == [200, 429], "the stage's, shared by both"
    client.delete_stack(StackName=stack_id)
