"""`python -m deploy`: deploy, destroy, smoke, inspect."""

import argparse
import os
import re
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext

from deploy.cloud import Cloud
from deploy.creation import deploy_stack
from deploy.deployer import bring_up, parameters_of
from deploy.inspection import inspect_stack, lines
from deploy.local.lifecycle import (
    STATE_DIR,
    Condition,
    background,
    private_cloud,
    start_background,
    stop_background,
)
from deploy.local.options import require_same
from deploy.local.process import LocalCloud
from deploy.removal import remove_stack
from deploy.settings import Settings, Target, read_settings
from deploy.smoke import smoke
from deploy.stack import NotOursError, Stack, find_stack
from history.errors import UserError, run_main
from history.operation import Returns

EXIT_FAILED = 1
EXIT_INTERRUPTED = 130

LOGGED = re.compile(r"\S+ \S+ \S+ (?:WARNING|ERROR) (.*)")
WARNINGS_MAX = 10
WARNINGS_BYTES = 100_000

DESCRIPTION = """\
Deploy deploy/template.yml and look at what is deployed.

  deploy    create the stack and print its URL; leave an equal one alone, update one of ours that
            differs in place (the counter stays, or nothing is changed), make a broken one anew
  destroy   remove the stack; locally stop the background cloud as well
  smoke     walk PUT, GET, GET, GET, decrement on temporary stacks and check every answer
  inspect   print each method, compare it with the template, and say whether the stage serves it;
            with TARGET=local and nothing deployed, on a stack of a temporary local cloud

A stack that was not made by these commands is never changed or removed.
"""
EPILOG = """\
environment:
  TARGET        local (default) or aws
  ENDPOINT_URL  any AWS-compatible endpoint instead, such as http://127.0.0.1:4566
  STACK         the stack's name [default: gapless]
  REGION        [default: AWS_REGION, AWS_DEFAULT_REGION, with TARGET=aws the profile's, us-east-1]
  RETURNS       new (default) or old: whether GET answers the value after its increment or before
  LOCAL_PORT    of the background cloud that deploy starts; 0 takes any free one [default: 4566]
  LIMITS        none (default), or aws: the local cloud keeps to AWS's limits per item and account
  ENGINE        the local cloud's database: ministack (default), dynalite (make dynalite installs
                it), dynamodb-local (yours, in the folder DYNAMODB_LOCAL), or a DynamoDB's address

exit codes: 0 done, 1 a wrong answer or a difference, 2 bad usage or it could not be done

examples:
  python -m deploy deploy --returns old
  TARGET=aws AWS_PROFILE=sandbox python -m deploy smoke
"""


def main() -> int:
    """Run one command; SIGTERM and SIGHUP stop it as Ctrl-C does, cleaning up."""
    options = parse_arguments()
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            signal.signal(number, signal.default_int_handler)
    require_no_url(options.command, os.environ)
    settings = read_settings(os.environ)
    try:
        return COMMANDS[options.command](settings, options)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
        return EXIT_INTERRUPTED


def parse_arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m deploy",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument(
        "--returns",
        choices=[str(returns) for returns in Returns],
        help="deploy: GET answers the value after its increment or before it [default: RETURNS]",
    )
    return parser.parse_args()


def require_no_url(command: str, environment: Mapping[str, str]) -> None:
    """Refuse URL, which names a server without a stack. Raises UserError."""
    url = environment.get("URL", "").strip()
    if url:
        raise UserError(
            f"URL={url}: {command} works on a stack, and a server named by URL has none; leave "
            "URL out, or run `make loadtest` against it"
        )


def say(line: str) -> None:
    """Print one line at once: a deployment on AWS takes a minute."""
    print(line, flush=True)


@contextmanager
def temporary(settings: Settings) -> Iterator[Cloud]:
    """Run a local cloud for the length of the block."""
    with private_cloud(STATE_DIR, options=settings.cloud_options) as local:
        yield Cloud(region=settings.region, endpoint_url=local.endpoint_url)


def standing_cloud(settings: Settings, *, as_asked: bool) -> Cloud | None:
    """Reach the target; locally the background cloud, None if none runs.

    Raises UserError if it has to be `as_asked` and runs with other options.
    """
    if settings.target is not Target.LOCAL:
        return Cloud(region=settings.region, endpoint_url=settings.endpoint_url)
    found = background(STATE_DIR)
    if found.condition in (Condition.LOST, Condition.SILENT):
        say(found.sentence())
    if found.condition is not Condition.SERVING or found.cloud is None:
        return None
    if as_asked:
        require_same(found.cloud.variables, settings.cloud_options)
    return Cloud(region=settings.region, endpoint_url=found.cloud.endpoint_url)


def run_deploy(settings: Settings, options: argparse.Namespace) -> int:
    """Bring the stack up, and print the URL last."""
    local: LocalCloud | None = None
    if settings.target is Target.LOCAL:
        before = background(STATE_DIR)
        if before.condition is Condition.LOST:
            say(f"{before.sentence()}: a new one is started")
        local = start_background(
            STATE_DIR, port=settings.local_port, options=settings.cloud_options
        )
        say(f"local cloud on {local.endpoint_url} (log: {local.log_path})")
        cloud = Cloud(region=settings.region, endpoint_url=local.endpoint_url)
    else:
        cloud = Cloud(region=settings.region, endpoint_url=settings.endpoint_url)
        say(f"stack {settings.stack} in {cloud.place}")
    parameters = parameters_of(Returns(options.returns or settings.returns))
    logged_before = log_size(local)
    try:
        bring_up(cloud, name=settings.stack, parameters=parameters, say=say)
    finally:
        for line in warnings_since(local, logged_before):
            say(f"the local cloud warns: {line}")
    return 0


def log_size(local: LocalCloud | None) -> int:
    """Tell how much a local cloud has logged so far."""
    return local.log_path.stat().st_size if local is not None and local.log_path.exists() else 0


def warnings_since(local: LocalCloud | None, logged_before: int) -> list[str]:
    """Read what a local cloud has complained of since, without the time, each once."""
    if local is None:
        return []
    with local.log_path.open("rb") as log:
        log.seek(logged_before)
        lines = log.read(WARNINGS_BYTES).decode(errors="replace").splitlines()
    found = (match[1] for line in lines if (match := LOGGED.fullmatch(line)))
    return list(dict.fromkeys(found))[:WARNINGS_MAX]


def run_destroy(settings: Settings, _options: argparse.Namespace) -> int:
    """Remove the stack; locally stop the background cloud too."""
    cloud = standing_cloud(settings, as_asked=False)
    if cloud is None:
        stopped = stop_background(STATE_DIR)
        say("local cloud ended" if stopped else "no local cloud is running: nothing to remove")
        return 0
    try:
        removed = remove_stack(cloud, settings.stack, say)
        say(f"stack {settings.stack} is gone" if removed else f"no stack {settings.stack} is there")
    except NotOursError:
        raise
    except UserError as error:
        if settings.target is not Target.LOCAL:
            raise
        # Nothing of it outlives the cloud, but for what a database of the user's own may keep.
        say(f"{error}; it goes with the local cloud")
    if settings.target is Target.LOCAL:
        stop_background(STATE_DIR)
        say("local cloud stopped")
    return 0


def run_smoke(settings: Settings, _options: argparse.Namespace) -> int:
    """Walk temporary stacks."""
    standing = standing_cloud(settings, as_asked=True)
    with temporary(settings) if standing is None else nullcontext(standing) as cloud:
        return 0 if smoke(cloud, stack_name=settings.stack, say=say) else EXIT_FAILED


def run_inspect(settings: Settings, _options: argparse.Namespace) -> int:
    """Inspect the stack; locally, if there is none, one on a cloud that is gone afterwards."""
    cloud = standing_cloud(settings, as_asked=True)
    stack = None if cloud is None else find_stack(cloud, settings.stack)
    if cloud is not None and stack is not None:
        return print_inspection(cloud, stack)
    if cloud is not None and settings.target is not Target.LOCAL:
        raise UserError(
            f"there is no usable stack {settings.stack} in {cloud.place}; make deploy creates it"
        )
    with temporary(settings) as own:
        parameters = parameters_of(settings.returns)
        stack = deploy_stack(own, name=settings.stack, parameters=parameters, say=say)
        code = print_inspection(own, stack)
    say("(of a temporary local cloud, gone again: nothing is deployed; make deploy does that)")
    return code


def print_inspection(cloud: Cloud, stack: Stack) -> int:
    """Print what is deployed, and whether it is what the template intends."""
    inspection = inspect_stack(cloud, stack)
    for line in lines(inspection):
        say(line)
    return 0 if inspection.equal() else EXIT_FAILED


COMMANDS = {
    "deploy": run_deploy,
    "destroy": run_destroy,
    "smoke": run_smoke,
    "inspect": run_inspect,
}

if __name__ == "__main__":
    run_main(main)
