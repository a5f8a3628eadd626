"""A service over a real socket."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn

from harmonizer import Harmonizer
from harmonizer.server.app import create_app
from harmonizer.server.settings import Limits

DEMO = Path(__file__).parents[2] / "demo"


@contextmanager
def serving(harmonizer: Harmonizer, limits: Limits | None = None, api_key: str | None = None) -> Iterator[str]:
    """The URL of a service in a thread of this process."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        app = create_app(harmonizer, limits, api_key)
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


@pytest.fixture(scope="session")
def harmonizer():
    return Harmonizer.load(threads=1)


@pytest.fixture(scope="session")
def url(harmonizer):
    with serving(harmonizer) as url:
        yield url


@pytest.fixture
def client(url):
    with httpx.Client(base_url=url, timeout=30) as client:
        yield client


@pytest.fixture
def demo():
    """The parts of a request for the demo's pictures."""
    return {"composite": (DEMO / "composite.jpg").read_bytes(), "mask": (DEMO / "mask.png").read_bytes()}
