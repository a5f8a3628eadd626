"""Runs the application until SIGTERM or Ctrl-C; what is being worked on is finished."""

from __future__ import annotations

import math
import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

KEEP_ALIVE = 30
"""Seconds after which a connection without a request is closed."""


class _Server(uvicorn.Server):
    """Calls `opened` with its address when it listens."""

    opened: Callable[[str], None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and self.opened is not None:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # all addresses: this machine's own
            self.opened(f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}")


def listen(app: FastAPI, host: str, port: int, seconds: float, opened: Callable[[str], None] | None = None) -> None:
    """Serve `app` at an address; at the end requests that run have `seconds` to finish. Raises OSError.

    `opened` is called with the URL once it answers.
    """
    config = uvicorn.Config(
        app,
        host,
        port,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=math.ceil(seconds),
        server_header=False,
        access_log=False,  # the metrics count; who asked for what is nobody's business
    )
    server = _Server(config)
    server.opened = opened
    server.run()
