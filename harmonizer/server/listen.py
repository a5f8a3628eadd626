"""Runs the application until SIGTERM or Ctrl-C; what is being worked on is finished."""

from __future__ import annotations

import math

import uvicorn
from fastapi import FastAPI

KEEP_ALIVE = 30
"""Seconds after which a connection without a request is closed."""


def listen(app: FastAPI, host: str, port: int, seconds: float) -> None:
    """Serve `app` at an address; at the end requests that run have `seconds` to finish. Raises OSError."""
    config = uvicorn.Config(
        app,
        host,
        port,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=math.ceil(seconds),
        server_header=False,
        access_log=False,  # the metrics count; who asked for what is nobody's business
    )
    uvicorn.Server(config).run()
