"""A stack on a local cloud of its own, for as long as somebody holds our standard input.

    python -m tests.disturbances.standing FOLDER

Prints one line of JSON with the stack's URL, and the counter as its table has it for every line
that it reads. A process of its own, since it may have to be in another network namespace.
"""

import json
import sys
from pathlib import Path

from deploy.cloud import Cloud
from deploy.counter import read_counter
from deploy.deployer import bring_up, parameters_of
from deploy.local.lifecycle import temporary_cloud
from history.operation import Returns

STACK = "gapless"


def main() -> None:
    """Stand until standard input closes."""
    log = Path(sys.argv[1]) / "standing" / "cloud.log"
    with temporary_cloud(log) as local:
        cloud = Cloud(region="us-east-1", endpoint_url=local.endpoint_url)
        stack = bring_up(
            cloud, name=STACK, parameters=parameters_of(Returns.NEW), say=lambda _line: None
        )
        print(json.dumps({"url": stack.url}), flush=True)
        for _ in sys.stdin:
            print(read_counter(cloud, stack), flush=True)


if __name__ == "__main__":
    main()
