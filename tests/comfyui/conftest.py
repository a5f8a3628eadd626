"""The demo as ComfyUI hands it to nodes, and a folder for what they write."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from harmonizer.pictures import io

DEMO = Path(__file__).parents[2] / "demo"


@pytest.fixture(scope="session")
def levels() -> np.ndarray:
    """The demo's composite, HWC uint8."""
    return io.read_image(DEMO / "composite.jpg").pixels


@pytest.fixture(scope="session")
def opacity(levels) -> np.ndarray:
    """Its mask, HW float32 in [0, 1]."""
    return io.read_mask(DEMO / "mask.png", levels.shape[:2])


@pytest.fixture
def image(levels) -> torch.Tensor:
    return torch.from_numpy(levels.astype(np.float32) / 255)[None]


@pytest.fixture
def mask(opacity) -> torch.Tensor:
    return torch.from_numpy(opacity.copy())[None]


@pytest.fixture
def output(tmp_path, monkeypatch) -> Path:
    """A folder that nodes take for ComfyUI's output folder. Nothing here but the nodes refuses a prefix."""
    folder = tmp_path / "output"
    folder.mkdir()

    def save_path(prefix: str, output_dir: str) -> tuple[str, str, int, str, str]:
        place = Path(output_dir) / prefix
        place.parent.mkdir(parents=True, exist_ok=True)
        count = len([file for file in place.parent.iterdir() if file.name.startswith(f"{place.name}_")])
        return str(place.parent), place.name, count + 1, "", prefix

    stand_in = SimpleNamespace(get_output_directory=lambda: str(folder), get_save_image_path=save_path)
    monkeypatch.setitem(sys.modules, "folder_paths", stand_in)
    return folder
