"""Listening: the gateway on an address."""

import contextlib
import os
import socket
from collections.abc import Callable

import uvicorn

from tunewright.errors import BadInput, Denied
from tunewright.http.door import is_loopback
from tunewright.http.gateway import gateway
from tunewright.project import Project

KEY = "TUNEWRIGHT_API_KEY"


def serve_forever(
    project: Project,
    channel: str = "production",
    host: str = "127.0.0.1",
    port: int = 8000,
    *,
    ready: Callable[[str], object] = lambda _address: None,
) -> None:
    """Answer on a channel until interrupted. `ready` is told the address, such as http://127.0.0.1:8000.

    The API key comes from the environment variable TUNEWRIGHT_API_KEY; without one only loopback is served.
    Port 0 takes any that is free.

    Errors: `Denied` when an address beyond loopback is asked for without a key; `BadInput` when the address
    cannot be taken; those of `gateway`.
    """
    key, local = api_key(host), is_loopback(host)
    with _bound(host, port) as bound:
        app = gateway(project, channel, key=key, local=local)
        config = uvicorn.Config(
            app, log_level="warning", access_log=False, ws="none", timeout_graceful_shutdown=10
        )
        address = bound.getsockname()
        bound.listen()
        ready(f"http://{f'[{address[0]}]' if ':' in address[0] else address[0]}:{address[1]}")
        with contextlib.suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[bound])


def api_key(host: str) -> str:
    """The key that this address wants. Errors: `Denied` when it must have one and there is none."""
    key = os.environ.get(KEY, "").strip()
    if not key and not is_loopback(host):
        raise Denied(f"{host} can be reached from other machines and needs an API key", hint=f"set {KEY}")
    return key


def _bound(host: str, port: int) -> socket.socket:
    """A socket on this address."""
    bare, bound = host.strip("[]"), None
    try:
        family = socket.getaddrinfo(bare, port, type=socket.SOCK_STREAM)[0][0]
        bound = socket.socket(family, socket.SOCK_STREAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((bare, port))
    except (OSError, OverflowError) as error:
        if bound is not None:
            bound.close()
        raise BadInput(f"cannot listen on {host}:{port}: {error}", hint="choose another port, or 0") from None
    return bound
