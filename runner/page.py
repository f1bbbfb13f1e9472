"""The port of Locust's web page: free before anything is deployed, and ours until it is used."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from history.errors import UserError
from runner.options import Page


@contextmanager
def kept_port(page: Page | None) -> Iterator[None]:
    """Keep the page's port for it; does nothing without a page.

    Bound and never listening, this socket leaves room for the page's own, since both say
    SO_REUSEADDR, and for nobody else's. Raises UserError when the port is taken.
    """
    if page is None:
        yield
        return
    with socket.socket() as keeper:
        keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            keeper.bind((page.host, page.port))
        except OSError as error:
            raise UserError(
                f"LOCUST_UI_PORT={page.port}: Locust's page cannot listen there on {page.host} "
                f"({error.strerror}): choose another port"
            ) from error
        yield
