"""Following one stack: the state it is in, and its events until that state is final."""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from botocore.exceptions import ClientError

from deploy.cloud import aws_errors
from history.errors import UserError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import StackEventTypeDef, StackTypeDef

Say = Callable[[str], None]

CANCELLED = re.compile(r"Resource (creation|update) cancelled")
"""What CloudFormation says of resources that did not fail themselves."""
IN_PROGRESS = "_IN_PROGRESS"
POLL_MAX_S = 3.0


@dataclass(slots=True, kw_only=True)
class Progress:
    """The events of one operation on one stack, oldest first, each told once."""

    client: "CloudFormationClient"
    stack_id: str
    say: Say
    seen: set[str] = field(default_factory=set)
    failures: list[str] = field(default_factory=list)

    def skip_past(self) -> None:
        """Take what has happened so far as known."""
        self.seen.update(event["EventId"] for event in self._events())

    def tell(self) -> None:
        """Print each resource that came up, went or failed since the last time."""
        for event in reversed(
            [event for event in self._events() if event["EventId"] not in self.seen]
        ):
            self.seen.add(event["EventId"])
            self._tell_one(event)

    def why(self, status: str) -> str:
        """Say why the operation ended badly: its first failure, else the status it ended as."""
        return self.failures[0] if self.failures else f"it ended as {status}"

    def _tell_one(self, event: "StackEventTypeDef") -> None:
        status = event.get("ResourceStatus", "")
        name = event.get("LogicalResourceId", "?")
        kind = event.get("ResourceType", "?")
        reason = " ".join(event.get("ResourceStatusReason", "").split())
        itself = kind == "AWS::CloudFormation::Stack"
        if status.endswith("_FAILED") and CANCELLED.search(reason) is None:
            self.say(f"  {status:<16} {name} ({kind}): {reason}")
            sentence = f"{name} ({kind}): {reason or status}"
            # A resource's own failure says more than the stack's summary of it.
            if itself:
                self.failures.append(sentence)
            else:
                at = sum(" (AWS::CloudFormation::Stack): " not in old for old in self.failures)
                self.failures.insert(at, sentence)
        elif status.endswith("_COMPLETE") and not itself:
            self.say(f"  {status:<16} {name} ({kind})")

    def _events(self) -> "Iterator[StackEventTypeDef]":
        pages = self.client.get_paginator("describe_stack_events").paginate(StackName=self.stack_id)
        for page in pages:
            yield from page["StackEvents"]


def wait(
    client: "CloudFormationClient",
    progress: Progress,
    stack_id: str,
    *,
    doing: str,
    timeout_s: float,
) -> str:
    """Tell the events until the stack's status is final, and return that status.

    Polls after 0.05 s, then ever less often up to every 3 s. Raises UserError after `timeout_s`.
    """
    deadline = time.monotonic() + timeout_s
    pause_s = 0.05
    while True:
        with aws_errors(doing):
            described = describe(client, stack_id)
            if described is None:
                return "DELETE_COMPLETE"
            status = described["StackStatus"]
            progress.tell()
        if not status.endswith(IN_PROGRESS):
            return cast("str", status)
        if time.monotonic() > deadline:
            raise UserError(f"{doing}: still {status} after {timeout_s:g} s")
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.5, POLL_MAX_S)


def describe(client: "CloudFormationClient", name: str) -> "StackTypeDef | None":
    """Describe one stack by name or id, None if there is none (or, by name, no longer)."""
    try:
        stacks = client.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        # CloudFormation has no error code of its own for "no such stack".
        if "does not exist" in str(error):
            return None
        raise
    by_id = name.startswith("arn:")
    kept = [stack for stack in stacks if by_id or stack["StackStatus"] != "DELETE_COMPLETE"]
    return kept[0] if kept else None
