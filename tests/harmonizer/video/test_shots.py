"""A new shot is found where there is one, and not in pans, motion, noise or changes of light."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from harmonizer.video import shots


def scene(seed: int, width: int = 640, height: int = 120) -> np.ndarray:
    """Soft patches of the colours of one place: (height, width, 3) uint8."""
    rng = np.random.default_rng(seed)
    base = rng.integers(30, 225, 3)
    patches = (base + rng.normal(0, 35, (4, 20, 3))).clip(0, 255).astype(np.uint8)
    return np.asarray(Image.fromarray(patches).resize((width, height), Image.Resampling.BICUBIC))


def found(frames) -> list[int]:
    state, where = None, []
    for index, frame in enumerate(frames):
        state, cut = shots.detect_change(state, frame)
        if cut:
            where.append(index)
    return where


def still(seed: int, count: int = 8) -> list[np.ndarray]:
    """One place through a noisy camera held by hand."""
    rng = np.random.default_rng(seed)
    place = scene(seed)
    return [
        (place[:, shake : shake + 160] + rng.normal(0, 6, (120, 160, 3))).clip(0, 255).astype(np.uint8)
        for shake in rng.integers(0, 8, count)
    ]


@pytest.mark.parametrize("seed", range(0, 20, 2))
def test_cut_between_places(seed):
    assert found(still(seed) + still(seed + 1)) == [8]


def test_every_shot_of_many():
    assert found(frame for seed in range(5) for frame in still(seed, 6)) == [6, 12, 18, 24]


@pytest.mark.parametrize("speed", [2, 8, 16, 32])
@pytest.mark.parametrize("seed", range(4))
def test_pan_is_no_cut(seed, speed):
    place = scene(seed)
    assert found(place[:, x : x + 160] for x in range(0, 480, speed)) == []


@pytest.mark.parametrize("seed", range(4))
def test_fast_pan_is_no_cut(monkeypatch, seed):
    """Its frames differ as much as some cuts do, but each as much as the one before."""
    rng = np.random.default_rng(seed)
    patches = Image.fromarray(rng.integers(0, 256, (3, 16, 3), dtype=np.uint8))
    place = np.asarray(patches.resize((1280, 120), Image.Resampling.BICUBIC))
    pan = [place[:, x : x + 160] for x in np.cumsum(range(4, 66, 2))]  # up to 40 % of the width a frame
    assert found(pan) == []
    monkeypatch.setattr(shots, "RATIO", 0.0)
    assert found(pan) != []


def test_lights_that_dim_are_no_cut():
    place = scene(0)[:, :160]
    assert found((place * share).astype(np.uint8) for share in np.linspace(1, 0.4, 12)) == []


def test_something_that_passes_is_no_cut():
    place = scene(3)[:, :160]
    frames = [place.copy() for _ in range(20)]
    for index, frame in enumerate(frames):
        frame[30:110, index * 6 : index * 6 + 30] = 250
    assert found(frames) == []


def test_depth_does_not_matter():
    frames = still(0) + still(1)
    assert found(frame.astype(np.uint16) * 257 for frame in frames) == [8]


def test_state_is_a_value():
    first, _ = shots.detect_change(None, still(0)[0])
    second, _ = shots.detect_change(first, still(0)[1])
    assert first.change is None
    assert second.change is not None
