"""`make smoke`: the walk PUT, GET, GET, GET, decrement, with every answer printed and checked."""

from collections.abc import Callable
from dataclasses import dataclass

from deploy.cloud import Cloud
from deploy.counter import read_counter
from deploy.creation import create_stack
from deploy.probe import Reply, await_serving, send
from deploy.removal import remove_stack
from deploy.serving import patience_for
from deploy.stack import RETURN_VALUES, Stack
from history.operation import Returns

Say = Callable[[str], None]

NO_STORE = "no-store"
OK = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One request of the walk, and what it has to be answered."""

    method: str
    path: str = ""
    body: str | None = None
    status: int = OK
    number: int | None = None
    """The whole body, for the requests that answer a number."""


def walk(returns: Returns) -> list[Step]:
    """List the requests of the walk. Under `old` each answers the value before its update."""
    before = 0 if returns == Returns.NEW else 1
    return [
        Step(method="GET", status=409),
        Step(method="PUT"),
        Step(method="GET", number=2 - before),
        Step(method="GET", number=3 - before),
        Step(method="GET", number=4 - before),
        Step(method="PUT", body='{"value": "5"}', status=400),
        Step(method="POST", path="decrement", number=3 + before),
    ]


FINAL = 3
"""The counter after the walk, whatever the answers were."""


def smoke(cloud: Cloud, *, stack_name: str, say: Say) -> bool:
    """Walk temporary stacks under both ReturnValues; True if every answer was right."""
    right = True
    for returns, parameter in RETURN_VALUES.items():
        name = f"{stack_name}-smoke-{returns}"
        stack = create_stack(
            cloud, name=name, parameters={"ReturnValues": parameter}, say=quiet(say)
        )
        try:
            await_serving(stack.url, patience_for(cloud))
            say(f"ReturnValues {parameter}: {stack.url}")
            right = walk_stack(cloud, stack, say) and right
        finally:
            remove_stack(cloud, name, quiet(say))
    say("smoke: every answer as expected" if right else "smoke: WRONG ANSWERS, see above")
    return right


def quiet(say: Say) -> Say:
    """Keep the line per stack, leave out the lines per resource unless one failed."""

    def tell(line: str) -> None:
        if not line.startswith(" ") or "_FAILED" in line:
            say(line)

    return tell


def walk_stack(cloud: Cloud, stack: Stack, say: Say) -> bool:
    """Send the walk's requests, print each with its answer, and compare."""
    right = True
    for step in walk(stack.returns):
        reply = send(step.method, stack.url + step.path, step.body)
        wrong = differences(step, reply)
        request = f"{step.method:<4} /{step.path}" + (f" {step.body}" if step.body else "")
        say(f"  {request:<24} {reply.status} {reply.text()}  ({reply.elapsed_ms:.1f} ms)")
        for line in wrong:
            say(f"    WRONG: {line}")
        right = right and not wrong
    final = read_counter(cloud, stack)
    say(f"  {'in the table':<24} {final}")
    if final != FINAL:
        say(f"    WRONG: expected {FINAL} in the table, got {final}")
        right = False
    return right


def differences(step: Step, reply: Reply) -> list[str]:
    """Compare one reply with what the step expects."""
    wrong = []
    if reply.status != step.status:
        wrong.append(f"expected status {step.status}, got {reply.status}")
    if step.number is not None and reply.body != str(step.number):
        wrong.append(f"expected the body {step.number}, got {reply.body!r}")
    if reply.cache_control != NO_STORE:
        wrong.append(f"expected Cache-Control: {NO_STORE}, got {reply.cache_control!r}")
    return wrong
