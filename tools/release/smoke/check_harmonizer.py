"""Run by the Python of an environment that holds whitebox-harmonizer: python check_harmonizer.py SITE_PACKAGES.

The folder that it runs in holds the demo's composite.jpg and mask.png. It prints what it found in one line.
"""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image

import harmonizer
import whitebox_filters as wf

assert Path(sys.argv[1]) in Path(harmonizer.__file__).parents, harmonizer.__file__
assert (Path(harmonizer.__file__).parent / "weights" / "model.onnx").stat().st_size > 1e6


def command(*arguments: str) -> str:
    """What the command line prints, its warnings being errors of this test."""
    finished = subprocess.run(
        [sys.executable, "-I", "-m", "harmonizer", *arguments], capture_output=True, text=True, check=True
    )
    assert not finished.stderr, finished.stderr
    return finished.stdout


assert command("--version") == f"harmonizer {version('whitebox-harmonizer')}\n"

composite, mask = np.asarray(Image.open("composite.jpg")), np.asarray(Image.open("mask.png").convert("L"))
result = harmonizer.Harmonizer.load().harmonize(composite, mask)
np.testing.assert_array_equal(result.image[mask == 0], composite[mask == 0])
assert max(map(abs, result.theta.values())) > 0.01

command("run", "composite.jpg", "mask.png", "-o", "run.png", "--edit", "edit.json", "--lut", "grade.cube")
np.testing.assert_array_equal(np.asarray(Image.open("run.png")), result.image)
command("apply", "edit.json", "composite.jpg", "mask.png", "-o", "applied.png")
np.testing.assert_array_equal(np.asarray(Image.open("applied.png")), result.image)
assert wf.read_cube("grade.cube").ndim == 4

tifffile.imwrite("deep.tif", composite.astype(np.uint16) * 257, photometric="rgb")
command("run", "deep.tif", "mask.png", "-o", "deep_out.tif")
assert tifffile.imread("deep_out.tif").dtype == np.uint16

assert "torch" not in sys.modules
theta = ", ".join(f"{name} {value:+.3f}" for name, value in result.theta.items())
print(f"README and smoke test; theta by the weights inside: {theta}")
