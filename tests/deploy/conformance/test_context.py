"""`$context`, as a deployed API's templates see it."""

from tests.deploy.handmade import Api, rendered


def test_the_request_id_in_the_template_is_the_one_in_the_header(api: Api) -> None:
    reply = rendered(api, "$context.requestId")
    assert reply.body == reply.headers["x-amzn-requestid"]


def test_context_input_and_stage_variables(api: Api) -> None:
    template = (
        "$context.apiId $context.stage $context.httpMethod $context.resourcePath "
        "$context.identity.sourceIp $stageVariables.colour $input.params('q') "
        "$input.params().header.get('X-Sent') $input.params('x-sent')"
    )
    reply = rendered(api, template, suffix="/?q=a%20b", headers={"X-Sent": "yes"})
    assert reply.body == f"{api.id} s1 POST / 127.0.0.1 blue a b yes yes"
