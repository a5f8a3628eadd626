"""A service over a real socket."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from harmonizer import Harmonizer
from harmonizer.server.app import create_app
from harmonizer.server.settings import Limits
from harmonizer.study.study import Study


@contextmanager
def serving(
    harmonizer: Harmonizer, limits: Limits | None = None, api_key: str | None = None, study: Study | None = None
) -> Iterator[str]:
    """The URL of a service in a thread of this process."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        app = create_app(harmonizer, limits, api_key, study)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=10))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not server.started:
                time.sleep(0.01)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(20)
