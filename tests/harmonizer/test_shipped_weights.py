"""The checkpoint that is part of the package."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import whitebox_filters as wf
from harmonizer import Harmonizer
from harmonizer.pictures import io
from harmonizer.predictor import WEIGHTS

DEMO = Path(__file__).parents[2] / "demo"


def foreground_mse(picture, real, mask):
    return float(np.mean((picture.astype(float) - real)[mask > 0.5] ** 2))


def test_it_is_whole_small_and_has_a_card():
    sizes = {path.name: path.stat().st_size for path in WEIGHTS.iterdir()}
    assert set(sizes) == {"README.md", "config.json", "model.onnx", "model.safetensors"}
    assert sum(sizes.values()) < 30e6
    assert sizes["model.onnx"] < 10e6
    fields = json.loads((WEIGHTS / "config.json").read_text())
    assert tuple(fields["filters"]) == wf.DEFAULT_FILTERS
    assert fields["registry_version"] == wf.REGISTRY_VERSION


def test_it_brings_the_demo_closer_to_the_photograph():
    real = io.read_image(DEMO / "real.jpg").pixels
    composite, mask = io.read_composite(DEMO / "composite.jpg", DEMO / "mask.png")
    result = Harmonizer.load().harmonize(composite.pixels, mask)
    before, after = (foreground_mse(picture, real, mask) for picture in (composite.pixels, result.image))
    assert after < 0.7 * before


def test_it_leaves_a_photograph_nearly_alone():
    real = io.read_image(DEMO / "real.jpg").pixels
    mask = io.read_mask(DEMO / "mask.png", real.shape[:2])
    result = Harmonizer.load().harmonize(real, mask)
    composite = io.read_image(DEMO / "composite.jpg").pixels
    assert foreground_mse(result.image, real, mask) < 0.3 * foreground_mse(composite, real, mask)


def test_size_and_depth_of_the_picture_hardly_matter_to_theta():
    composite, mask = io.read_composite(DEMO / "composite.jpg", DEMO / "mask.png")
    harmonizer = Harmonizer.load()
    theta = harmonizer.harmonize(composite.pixels, mask).theta
    deep = harmonizer.harmonize(composite.pixels.astype(np.uint16) * 257, mask).theta
    large = harmonizer.harmonize(composite.pixels.repeat(2, 0).repeat(2, 1), mask.repeat(2, 0).repeat(2, 1)).theta
    assert deep == pytest.approx(theta, abs=1e-6)
    assert max(abs(large[name] - theta[name]) for name in theta) < 0.03


def test_it_runs_without_torch_and_network(run_python):
    code = f"""
import socket, sys
for name in ("torch", "timm", "onnx", "safetensors", "array_api_compat"):
    sys.modules[name] = None  # importing it now raises ImportError
def refuse(*arguments, **options): raise OSError("no network")
socket.socket.connect = refuse
from harmonizer import Harmonizer
from harmonizer.pictures import io
composite, mask = io.read_composite({str(DEMO / "composite.jpg")!r}, {str(DEMO / "mask.png")!r})
print(sorted(Harmonizer.load().harmonize(composite.pixels, mask).theta))
"""
    assert run_python(code).strip() == str(sorted(wf.DEFAULT_FILTERS))
