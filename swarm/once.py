"""aiohttp's client, held to one request on the wire for each that is asked for.

aiohttp sends a GET again by itself when a kept-alive connection breaks (client.py,
`retry_persistent_connection`; asked to be optional in aio-libs/aiohttp#10790): a counter would
be incremented twice and one number lost. Client middlewares are called once for every send, so
one that refuses the second is a switch made of public parts; tests/test_transports.py proves it
against a server that drops answers.
"""

import aiohttp

from swarm.transport import tls_context


class SecondSendRefused(aiohttp.ClientError):
    """aiohttp was about to send a request again because its connection had broken."""


class SendOnce:
    """A middleware for one request that lets it onto the wire once."""

    __slots__ = ("sends",)

    def __init__(self) -> None:
        self.sends = 0

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """Send; raises SecondSendRefused when that was done before."""
        if self.sends:
            raise SecondSendRefused
        self.sends = 1
        return await handler(request)


def session(*, user_agent: str, timeout_s: float) -> aiohttp.ClientSession:
    """Make a session without redirects' jar, decompression, environment or time-out for answers.

    `timeout_s` bounds connecting. No time-out for reading: whoever asks bounds the whole
    operation, at no cost for each, and aiohttp's own is off after an interim 1xx answer.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=3600, ssl=tls_context()),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=timeout_s),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        headers={"Accept-Encoding": "identity", "User-Agent": user_agent},
        trust_env=False,
    )


async def read_bounded(response: aiohttp.ClientResponse, limit_bytes: int) -> bytes:
    """Read a whole body, or one byte more than the limit and close the connection."""
    body = await response.content.readany()
    while len(body) <= limit_bytes and not response.content.at_eof():
        body += await response.content.readany()
    if len(body) > limit_bytes:
        response.close()
        return body[: limit_bytes + 1]
    return body
