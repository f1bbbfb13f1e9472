"""Locust with a mistake in a user of ours: `python -m tests.locustfiles.mistaken`, as Locust."""

import locust.main

from history.classify import Answer
from history.operation import Kind
from locustfiles.transport import SendOnceClient


def mistaken(client: SendOnceClient, kind: Kind, *, in_volley: bool) -> Answer:
    """Stand in for the method that sends."""
    raise KeyError(in_volley)


if __name__ == "__main__":
    SendOnceClient.send = mistaken  # type: ignore[method-assign]
    locust.main.main()
