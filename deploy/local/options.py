"""What a local cloud can be started as: asked for by make variables, told to its process as argv.

Besides these a cloud has only a place (port, folders) and plumbing, which `lifecycle` owns.
"""

import argparse
import os
from dataclasses import dataclass
from enum import Enum

from deploy.local.engines.choice import (
    EXPECTED,
    MINISTACK,
    EngineChoice,
    engine_of,
    names_of,
)
from deploy.local.throttling import RateLimit
from history.errors import UserError

MINISTACK_ENGINE = EngineChoice()


class Limits(Enum):
    """Which of AWS's limits the local cloud keeps to."""

    NONE = "none"
    """Only those that the API itself configures: its throttles and quotas."""
    AWS = "aws"
    """Also DynamoDB's per item, and API Gateway's per account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudOptions:
    """How a local cloud behaves."""

    limits: Limits = Limits.NONE
    engine: EngineChoice = MINISTACK_ENGINE
    """Which DynamoDB holds the items."""
    item_writes: RateLimit | None = None
    """Write units of one item with Limits.AWS, if other than AWS's: to see a limit reached soon."""

    def to_arguments(self) -> list[str]:
        """Write them as `python -m deploy.local` reads them."""
        arguments = ["--limits", self.limits.value, *self.engine.to_arguments()]
        if self.item_writes is not None:
            limit = self.item_writes
            arguments += ["--item-writes", str(limit.rate_per_s), str(limit.burst)]
        return arguments

    def variables(self) -> dict[str, str]:
        """Name the make variables that ask for this, to compare two clouds and to say how."""
        return {"LIMITS": self.limits.value, "ENGINE": self.engine.name}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `to_arguments` writes."""
    parser.add_argument(
        "--limits",
        choices=[limits.value for limits in Limits],
        default=Limits.NONE.value,
        help="aws: 1,000 writes/s per item and 10,000 requests/s per account, as on AWS",
    )
    parser.add_argument(
        "--engine", default=MINISTACK, help=f"which DynamoDB holds the items: {EXPECTED}"
    )
    parser.add_argument(
        "--dynamodb-local",
        default=os.environ.get("DYNAMODB_LOCAL", ""),
        help="with --engine dynamodb-local: its folder",
    )
    parser.add_argument(
        "--allow-host",
        default=os.environ.get("ALLOW_HOST", ""),
        help="with --engine http://HOST:PORT: hosts that may be loaded, besides this machine",
    )
    parser.add_argument(
        "--item-writes",
        nargs=2,
        type=float,
        metavar=("RATE", "BURST"),
        help="with --limits aws: other write units per second and item, and at once",
    )


def from_arguments(arguments: argparse.Namespace) -> CloudOptions:
    """Read back what `to_arguments` wrote, or a person. Raises UserError for no such engine."""
    writes = arguments.item_writes
    engine = engine_of(
        arguments.engine,
        dynamodb_local=arguments.dynamodb_local,
        allowed_hosts=names_of(arguments.allow_host),
    )
    return CloudOptions(
        limits=Limits(arguments.limits),
        engine=engine,
        item_writes=None if writes is None else RateLimit(rate_per_s=writes[0], burst=writes[1]),
    )


def limits_of(text: str) -> Limits:
    """Read the make variable LIMITS."""
    try:
        return Limits(text)
    except ValueError:
        raise UserError(
            f"LIMITS={text} is unknown: it is none, or aws (DynamoDB's 1,000 writes/s per item "
            "and API Gateway's 10,000 requests/s, locally)"
        ) from None


def require_same(running: dict[str, str], wanted: CloudOptions) -> None:
    """Raise UserError unless the cloud that runs was started as the one that is asked for."""
    for name, value in wanted.variables().items():
        found = running.get(name)
        if found != value:
            raise UserError(
                f"the local cloud that is running has {name}={found or '(unknown)'}, asked for is "
                f"{name}={value}: make destroy first"
                + (f", or use it as it is with {name}={found}" if found else "")
            )
