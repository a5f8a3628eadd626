"""Small pictures with masks."""

from __future__ import annotations

import pytest
from batch_steps import write_pair


@pytest.fixture
def pairs(tmp_path):
    """A folder of six pictures with masks."""
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(6):
        write_pair(folder, f"p{number}", number)
    return folder
