"""A study's folder."""

from __future__ import annotations

import pytest
from small_study import write_study


@pytest.fixture
def folder(tmp_path):
    return write_study(tmp_path / "study")
