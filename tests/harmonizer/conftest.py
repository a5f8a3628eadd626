"""Pictures, and a checkpoint."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_checkpoint import write_checkpoint

from harmonizer.cli import app
from harmonizer.pictures import io
from harmonizer.pictures.picture import Picture


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("checkpoint"))


@pytest.fixture
def image() -> np.ndarray:
    """A 24 x 32 photograph-like picture: smooth colour and some noise."""
    rng = np.random.default_rng(5)
    y, x = np.mgrid[0:24, 0:32]
    base = np.stack([x * 6, y * 8, 200 - x * 3], axis=-1) + rng.integers(0, 30, (24, 32, 3))
    return base.clip(0, 255).astype(np.uint8)


@pytest.fixture
def mask() -> np.ndarray:
    """HW uint8 with a soft left edge: 0, 128 and 255."""
    mask = np.zeros((24, 32), np.uint8)
    mask[6:20, 8:24] = 255
    mask[6:20, 7] = 128
    return mask


@pytest.fixture
def files(tmp_path, image, mask):
    """A folder with a composite, its mask, and a foreground and a background."""
    io.write_image(tmp_path / "composite.png", Picture(image))
    Image.fromarray(mask).save(tmp_path / "mask.png")
    io.write_image(tmp_path / "foreground.png", Picture(image, mask))
    io.write_image(tmp_path / "background.png", Picture(image[::-1].copy()))
    return tmp_path


@pytest.fixture
def run(checkpoint, monkeypatch, capfd):
    """Run the command in this process; exit code, stdout, stderr."""

    def run(*arguments: object, weights: Path | None = checkpoint) -> tuple[int, str, str]:
        extra = ["--weights", str(weights)] if weights and arguments[0] in ("run", "pipe") else []
        monkeypatch.setattr(sys, "argv", ["harmonizer", *map(str, arguments), *extra])
        monkeypatch.setenv("COLUMNS", "100")
        with pytest.raises(SystemExit) as exit:
            app.main()
        return exit.value.code or 0, *capfd.readouterr()

    return run
