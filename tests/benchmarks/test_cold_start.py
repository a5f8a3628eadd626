"""The clocked command: that every stage is still called. No figure is asserted."""

from __future__ import annotations

import shutil
from pathlib import Path

import cold_start

DEMO = Path(__file__).parents[2] / "demo"


def test_every_stage_is_clocked(tmp_path):
    for name in ("composite.jpg", "mask.png"):
        shutil.copy(DEMO / name, tmp_path / name)
    _, stages = cold_start.measure(tmp_path, "out.jpg", [])
    assert set(cold_start.STAGES) <= set(stages)
