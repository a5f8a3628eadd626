"""Small pictures with masks, the command as a user starts it, and what it left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np

from harmonizer import io
from harmonizer.batch import report
from harmonizer.pictures.picture import Picture

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "harmonizer"]


def write_pair(folder, name, seed):
    """A picture and its mask, NAME.png and NAME_mask.png."""
    generator = np.random.default_rng(seed)
    io.write_image(folder / f"{name}.png", Picture(generator.integers(0, 256, (24, 32, 3), dtype=np.uint8)))
    mask = np.zeros((24, 32, 3), np.uint8)
    mask[6:18, 8:24] = 255
    io.write_image(folder / f"{name}_mask.png", Picture(mask))


def begin(*arguments, **more):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [*COMMAND, *map(str, arguments)]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    # Started in the background of a shell, these tests would hand on that Ctrl-C is ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen(command, env=environment, **streams, **more)
    finally:
        signal.signal(signal.SIGINT, before)


def harmonizer(*arguments, code=0):
    """Run a command to its end: what it printed."""
    with begin(*arguments) as process:
        output, errors = process.communicate(timeout=200)
    assert process.returncode == code, errors
    assert "Traceback" not in errors
    return output + errors


def records(folder, name="report.parquet"):
    return {Path(each.output).name: each for each in report.read(str(folder / name))}


def pictures(folder):
    """The bytes of all pictures of a folder by name."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix in (".png", ".jpg", ".tif")}
