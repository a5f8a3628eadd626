"""Clients of a service."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from socket_service import serving

from harmonizer import Harmonizer

DEMO = Path(__file__).parents[2] / "demo"


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
