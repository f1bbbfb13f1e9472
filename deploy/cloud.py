"""The one place that makes AWS clients: endpoint, credentials, time-outs, and no hidden retries."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)

from history.errors import UserError

if TYPE_CHECKING:
    from mypy_boto3_apigateway import APIGatewayClient
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient

CONNECT_TIMEOUT_S = 5
READ_TIMEOUT_S = 30
IDEMPOTENT_ATTEMPTS = 3

CREDENTIAL_ERRORS = (
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)
CREDENTIAL_CODES = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
        "AuthFailure",
        "InvalidAccessKeyId",
    }
)
DENIED_CODES = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """An AWS region, real or at `endpoint_url`."""

    region: str
    endpoint_url: str | None = None

    @property
    def place(self) -> str:
        """Name it for a person."""
        return self.region if self.endpoint_url is None else f"{self.region} at {self.endpoint_url}"

    def cloudformation(self) -> "CloudFormationClient":
        """Make a CloudFormation client; its requests are idempotent and may be repeated."""
        with aws_errors("reaching CloudFormation"):
            return self._session().client(
                "cloudformation",
                region_name=self.region,
                endpoint_url=self.endpoint_url,
                config=self._config(attempts=IDEMPOTENT_ATTEMPTS),
            )

    def apigateway(self) -> "APIGatewayClient":
        """Make an API Gateway client; what it is used for may be repeated."""
        with aws_errors("reaching API Gateway"):
            return self._session().client(
                "apigateway",
                region_name=self.region,
                endpoint_url=self.endpoint_url,
                config=self._config(attempts=IDEMPOTENT_ATTEMPTS),
            )

    def dynamodb(self) -> "DynamoDBClient":
        """Make a DynamoDB client that sends each request once: a second write would count twice."""
        with aws_errors("reaching DynamoDB"):
            return self._session().client(
                "dynamodb",
                region_name=self.region,
                endpoint_url=self.endpoint_url,
                config=self._config(attempts=1),
            )

    def _config(self, *, attempts: int) -> Config:
        return Config(
            connect_timeout=CONNECT_TIMEOUT_S,
            read_timeout=READ_TIMEOUT_S,
            retries={"total_max_attempts": attempts, "mode": "standard"},
            # None: the environment's proxies. An emulator on this machine is behind none of them.
            proxies={} if is_loopback(self.endpoint_url) else None,
        )

    def _session(self) -> boto3.Session:
        own = self.endpoint_url is None or bool(os.environ.get("AWS_ACCESS_KEY_ID"))
        return session_for(own_credentials=own, profile=os.environ.get("AWS_PROFILE"))


NO_PROFILE = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}
"""botocore's session variables (config name, environment name, default, converter), cut off."""


@lru_cache(maxsize=8)
def session_for(*, own_credentials: bool, profile: str | None) -> boto3.Session:
    """Make a session, kept because it holds the parsed service models (70 ms a client without).

    Without the user's own credentials an emulator gets placeholders: it checks no signature, and
    nothing of a real profile is read or sent by accident.
    """
    if own_credentials:
        return boto3.Session(profile_name=profile)
    return boto3.Session(
        botocore_session=botocore.session.Session(session_vars=NO_PROFILE),
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106
    )


def configured_region(profile: str | None) -> str | None:
    """Return the region that the user's profile (None: the default one) has, if any."""
    with aws_errors("reading the AWS configuration"):
        return boto3.Session(profile_name=profile).region_name


def is_loopback(url: str | None) -> bool:
    """Whether an endpoint is on this machine."""
    return url is not None and urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1")


@contextmanager
def aws_errors(doing: str) -> Iterator[None]:
    """Turn an AWS error that a person can fix into one sentence; `doing` says what was tried."""
    try:
        yield
    except CREDENTIAL_ERRORS as error:
        raise UserError(
            f"{doing}: no usable AWS credentials ({one_line(error)}); "
            "set AWS_PROFILE or AWS_ACCESS_KEY_ID, or log in again"
        ) from error
    except NoRegionError as error:
        raise UserError(f"{doing}: no AWS region; set REGION or AWS_REGION") from error
    except (EndpointConnectionError, ConnectTimeoutError) as error:
        raise UserError(f"{doing}: cannot reach the endpoint ({one_line(error)})") from error
    except ClientError as error:
        code, message = code_of(error), one_line(error)
        if code in CREDENTIAL_CODES:
            raise UserError(
                f"{doing}: AWS refused the credentials ({code}), perhaps expired: log in again"
            ) from error
        if code in DENIED_CODES:
            raise UserError(f"{doing}: these credentials may not do that: {message}") from error
        raise UserError(f"{doing} failed: {message}") from error
    except BotoCoreError as error:
        raise UserError(f"{doing} failed: {one_line(error)}") from error


def code_of(error: ClientError) -> str:
    """Return AWS's error code."""
    return error.response.get("Error", {}).get("Code", "")


def one_line(error: Exception) -> str:
    """Put an error's message on one line."""
    return " ".join(str(error).split())
