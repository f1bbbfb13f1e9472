"""`python -m deploy`: deploy, destroy, smoke, inspect."""

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager

from deploy.cloud import Cloud
from deploy.inspection import inspect_stack, lines
from deploy.local.lifecycle import (
    STATE_DIR,
    running_cloud,
    start_background,
    stop_background,
    temporary_cloud,
)
from deploy.settings import Settings, Target, read_settings
from deploy.smoke import smoke
from deploy.stack import deploy_stack, find_stack, remove_stack
from history.errors import run_main

EXIT_FAILED = 1
EXIT_INTERRUPTED = 130

DESCRIPTION = """\
Deploy deploy/template.yml and look at what is deployed.

  deploy    remove an old stack of that name, create it anew, print its URL
  destroy   remove the stack; locally stop the background cloud as well
  smoke     walk PUT, GET, GET, GET, decrement on temporary stacks and check every answer
  inspect   print each deployed method and compare it with the template
"""
EPILOG = """\
environment:
  TARGET        local (default) or aws
  ENDPOINT_URL  any AWS-compatible endpoint instead, such as http://127.0.0.1:4566
  STACK         the stack's name [default: gapless]
  REGION        [default: AWS_REGION, AWS_DEFAULT_REGION or us-east-1]
  LOCAL_PORT    of the background cloud that deploy starts; 0 takes any free one [default: 4566]

exit codes: 0 done, 1 a wrong answer or a difference, 2 bad usage or it could not be done

examples:
  python -m deploy deploy --returns old
  TARGET=aws AWS_PROFILE=sandbox python -m deploy smoke
"""


def main() -> int:
    """Run one command."""
    options = parse_arguments()
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
        choices=["new", "old"],
        default="new",
        help="deploy: GET answers the value after its increment or before it [default: new]",
    )
    return parser.parse_args()


def say(line: str) -> None:
    """Print one line at once: a deployment on AWS takes a minute."""
    print(line, flush=True)


@contextmanager
def cloud_of(settings: Settings) -> Iterator[Cloud]:
    """Reach the target; locally the background cloud, or a temporary one if none runs."""
    if settings.target is not Target.LOCAL:
        yield Cloud(region=settings.region, endpoint_url=settings.endpoint_url)
        return
    running = running_cloud(STATE_DIR)
    if running is not None:
        yield Cloud(region=settings.region, endpoint_url=running.endpoint_url)
        return
    with temporary_cloud(STATE_DIR / "temporary.log") as temporary:
        yield Cloud(region=settings.region, endpoint_url=temporary.endpoint_url)


def run_deploy(settings: Settings, options: argparse.Namespace) -> int:
    """Deploy, and print the URL last."""
    cloud = Cloud(region=settings.region, endpoint_url=settings.endpoint_url)
    if settings.target is Target.LOCAL:
        local = start_background(STATE_DIR, port=settings.local_port)
        say(f"local cloud on {local.endpoint_url} (log: {local.log_path})")
        cloud = Cloud(region=settings.region, endpoint_url=local.endpoint_url)
    returns = {"ReturnValues": "UPDATED_OLD" if options.returns == "old" else "UPDATED_NEW"}
    stack = deploy_stack(cloud, name=settings.stack, parameters=returns, say=say)
    say(f"stack {stack.name} is up: {stack.url}")
    return 0


def run_destroy(settings: Settings, _options: argparse.Namespace) -> int:
    """Remove the stack; locally stop the background cloud too."""
    local = running_cloud(STATE_DIR) if settings.target is Target.LOCAL else None
    if settings.target is Target.LOCAL and local is None:
        say("no local cloud is running: nothing to remove")
        return 0
    endpoint_url = settings.endpoint_url if local is None else local.endpoint_url
    cloud = Cloud(region=settings.region, endpoint_url=endpoint_url)
    removed = remove_stack(cloud, settings.stack, say)
    say(f"stack {settings.stack} is gone" if removed else f"there was no stack {settings.stack}")
    if local is not None:
        stop_background(STATE_DIR)
        say("local cloud stopped")
    return 0


def run_smoke(settings: Settings, _options: argparse.Namespace) -> int:
    """Walk temporary stacks."""
    with cloud_of(settings) as cloud:
        return 0 if smoke(cloud, stack_name=settings.stack, say=say) else EXIT_FAILED


def run_inspect(settings: Settings, _options: argparse.Namespace) -> int:
    """Inspect the stack; locally, one is deployed to look at if there is none."""
    with cloud_of(settings) as cloud:
        stack = find_stack(cloud, settings.stack)
        if stack is None:
            stack = deploy_stack(cloud, name=settings.stack, parameters={}, say=say)
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
