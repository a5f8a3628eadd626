"""A study's folder, and a client of it over a real socket."""

from __future__ import annotations

import sys
from pathlib import Path

import httpx
import pytest
from small_study import write_study

from harmonizer import Harmonizer
from harmonizer.study.study import Study

sys.path.append(str(Path(__file__).parents[1] / "server"))

from socket_service import serving


@pytest.fixture
def folder(tmp_path):
    return write_study(tmp_path / "study")


@pytest.fixture(scope="session")
def harmonizer():
    return Harmonizer.load(threads=1)


@pytest.fixture
def study(folder):
    with Study.open(folder) as study:
        yield study


@pytest.fixture
def client(study, harmonizer):
    with serving(harmonizer, study=study) as url, httpx.Client(base_url=url, timeout=30) as client:
        yield client
