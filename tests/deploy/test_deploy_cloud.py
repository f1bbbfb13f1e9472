"""AWS clients: no hidden retries, no real profile for an emulator, and errors in one sentence."""

import pytest
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ReadTimeoutError,
)

from deploy.cloud import Cloud, aws_errors, session_for
from history.errors import UserError

LOCAL = Cloud(region="eu-west-1", endpoint_url="http://127.0.0.1:1")


def test_writes_to_the_table_are_sent_once() -> None:
    retries = LOCAL.dynamodb().meta.config.retries
    assert retries is not None
    assert retries["total_max_attempts"] == 1


def test_an_emulator_gets_placeholders_whatever_the_profile_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not used without an access key")
    client = LOCAL.cloudformation()
    assert client.meta.region_name == "eu-west-1"
    assert client.meta.endpoint_url == "http://127.0.0.1:1"
    credentials = client._request_signer._credentials  # type: ignore[attr-defined]
    assert (credentials.access_key, credentials.secret_key) == ("test", "test")


def test_an_emulator_gets_the_credentials_that_are_set(monkeypatch: pytest.MonkeyPatch) -> None:
    session_for.cache_clear()  # a session keeps the credentials that it read first
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "123456789012")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    cloud = Cloud(region="eu-west-2", endpoint_url="http://127.0.0.1:1")
    client = cloud.apigateway()
    credentials = client._request_signer._credentials  # type: ignore[attr-defined]
    assert credentials.access_key == "123456789012"


def test_a_proxy_is_not_asked_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with pytest.raises(EndpointConnectionError, match=r"127\.0\.0\.1:1/"):
        LOCAL.dynamodb().list_tables()


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "a\nreason"}}, "CreateStack")


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (NoCredentialsError(), "doing it: no usable AWS credentials"),
        (NoRegionError(), "doing it: no AWS region; set REGION or AWS_REGION"),
        (EndpointConnectionError(endpoint_url="http://x"), "doing it: cannot reach the endpoint"),
        (ReadTimeoutError(endpoint_url="http://x"), "doing it failed: Read timeout"),
        (refused("ExpiredToken"), "doing it: AWS refused the credentials (ExpiredToken)"),
        (refused("AccessDenied"), "doing it: these credentials may not do that: An error"),
        (refused("LimitExceeded"), "doing it failed: An error occurred (LimitExceeded)"),
    ],
)
def test_what_a_person_can_fix_is_one_sentence(error: Exception, sentence: str) -> None:
    with pytest.raises(UserError) as caught, aws_errors("doing it"):
        raise error
    assert str(caught.value).startswith(sentence)
    assert "\n" not in str(caught.value)
