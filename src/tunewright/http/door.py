"""Who may come in: the host that was meant, the page that asks, the key, and how much is said at once."""

import secrets
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tunewright.errors import Denied, TunewrightError
from tunewright.http.problems import Elsewhere, Shape

LARGEST = 2_000_000
"""Bytes of one request's body."""

LOCAL = frozenset({"localhost", "127.0.0.1", "::1", "testserver"})
"""Names of this machine. A page that had its own name pointed here (DNS rebinding) sends another."""


class Door:
    """Stands before an app and turns away what should not come in.

    `key`: wanted as `Authorization: Bearer …` when it is not empty. `local`: the app listens on loopback, so
    requests for any other host name are turned away. Without a key so are pages of other sites: a browser
    would otherwise run commands here for whoever wrote the page.
    """

    def __init__(self, app: ASGIApp, *, key: str, local: bool, shape: Shape) -> None:
        self.app = app
        self.key = key.encode()
        self.local = local
        self.shape = shape

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            self._admit(scope["path"], Headers(scope=scope))
            body = await _body(receive)
        except TunewrightError as error:
            await self.shape(error)(scope, receive, send)
            return
        told = False

        async def again() -> Message:
            nonlocal told
            if told:
                return await receive()
            told = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self.app(scope, again, send)

    def _admit(self, path: str, headers: Headers) -> None:
        """Errors: `Denied` without the key; `Elsewhere` from another host or another site's page."""
        host = headers.get("host", "")
        if self.local and _name(host) not in LOCAL:
            raise Elsewhere(403, "this address answers only to localhost", hint="ask http://127.0.0.1")
        if not self.key:
            origin = headers.get("origin")
            if origin is not None and urlsplit(origin).netloc != host:
                raise Elsewhere(
                    403, "pages of other sites may not ask here", hint="ask from the same address"
                )
        elif path != "/healthz":
            scheme, _, given = headers.get("authorization", "").partition(" ")
            right = secrets.compare_digest(given.strip().encode(), self.key)
            if scheme.lower() != "bearer" or not right:
                raise Denied("no API key, or not the right one", hint="send Authorization: Bearer <key>")


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _name(host: str) -> str:
    """A host header without its port."""
    return host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0].lower()


async def _body(receive: Receive) -> bytes:
    """The whole body. Errors: `Elsewhere` when it is too large."""
    parts, size, more = list[bytes](), 0, True
    while more:
        message = await receive()
        part: bytes = message.get("body", b"")
        parts.append(part)
        size += len(part)
        more = message.get("more_body", False)
        if size > LARGEST:
            raise Elsewhere(413, f"more than {LARGEST:,} bytes in one request", hint="send less at once")
    return b"".join(parts)
