"""Clips and the command."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest
from clips import COUNT, mask, picture, write_clip, write_masks
from PIL import Image

from harmonizer.__main__ import main


@pytest.fixture(autouse=True)
def _no_thread_stays():
    yield
    assert not [thread for thread in threading.enumerate() if thread.name == "prefetch"]


@pytest.fixture
def still(tmp_path) -> Path:
    """A mask of the clips' size as one picture."""
    Image.fromarray(mask()).save(tmp_path / "mask.png")
    return tmp_path / "mask.png"


@pytest.fixture
def files(tmp_path) -> Path:
    """A folder with a clip, its masks as a video, and nothing else."""
    write_clip(
        tmp_path / "clip.mp4",
        map(picture, range(COUNT)),
        codec="libx264",
        pixel_format="yuv420p",
        options={"crf": "4"},
        sound="aac",
    )
    write_masks(tmp_path / "mask.mkv")
    return tmp_path


@pytest.fixture
def run(checkpoint, monkeypatch, capfd):
    """Run `harmonizer video` in this process; exit code, stdout, stderr."""

    def run(*arguments: object, weights: Path | None = checkpoint) -> tuple[int, str, str]:
        extra = ["--weights", str(weights)] if weights else []
        monkeypatch.setattr(sys, "argv", ["harmonizer", "video", *map(str, arguments), *extra])
        monkeypatch.setenv("COLUMNS", "200")
        with pytest.raises(SystemExit) as exit:
            main()
        return exit.value.code or 0, *capfd.readouterr()

    return run
