"""What the network looks at is what Pillow makes of a picture, as in training."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from harmonizer.thumbnail import STORED, thumbnail, thumbnails
from whitebox_filters.native import cores

SIZES = [(90, 160), (270, 96), (32, 32), (20, 9), (1, 1), (700, 411)]


def by_pillow(pixels: np.ndarray, side: int) -> np.ndarray:
    stored = Image.fromarray(pixels).resize((STORED, STORED), Image.Resampling.BILINEAR)
    small = np.asarray(stored.resize((side, side), Image.Resampling.BILINEAR))
    return small.reshape(side, side, -1).transpose(2, 0, 1)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("channels", [(), (3,)], ids=["mask", "picture"])
def test_it_is_within_a_level_of_pillow(size, channels):
    pixels = np.random.default_rng(0).integers(0, 256, (*size, *channels), dtype=np.uint8)
    found = thumbnail(pixels, 32)
    assert (found.dtype, found.shape) == (np.float32, (3 if channels else 1, 32, 32))
    assert np.abs(found * 255 - by_pillow(pixels, 32)).max() < 1
    assert abs(float(np.mean(found * 255 - by_pillow(pixels, 32)))) < 0.1


def test_white_stays_white():
    np.testing.assert_allclose(thumbnail(np.full((123, 77, 3), 255, np.uint8), 16), 1, atol=1e-6)


@pytest.mark.parametrize("dtype", [np.uint16, np.float32, np.float64])
def test_every_depth_gives_the_same(dtype):
    pixels = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    deep = pixels.astype(dtype) * 257 if dtype == np.uint16 else (pixels / 255).astype(dtype)
    np.testing.assert_allclose(thumbnail(deep, 16), thumbnail(pixels, 16), atol=1e-6)


def test_levels_between_those_of_8_bits_count():
    deep = np.full((40, 50, 3), 100 * 257 + 64, np.uint16)
    np.testing.assert_allclose(thumbnail(deep, 16), (100 * 257 + 64) / 65535, atol=1e-6)


@pytest.mark.parametrize("view", [np.s_[::-1], np.s_[:, ::-1], np.s_[5:-7, 3:-2], np.s_[..., ::-1], np.s_[::2, ::3]])
def test_views_are_read_as_they_look(view):
    pixels = np.random.default_rng(0).integers(0, 256, (80, 90, 3), dtype=np.uint8)
    np.testing.assert_array_equal(thumbnail(pixels[view], 16), thumbnail(pixels[view].copy(), 16))


@pytest.mark.parametrize("side", [16, 160])
def test_nothing_beyond_the_picture_is_read(side):
    around = np.full((90, 110, 3), np.nan, np.float32)
    around[20:61, 30:81] = 0.5
    np.testing.assert_allclose(thumbnail(around[20:61, 30:81], side), 0.5, atol=1e-6)


def test_several_pictures_are_as_one_after_the_other():
    random = np.random.default_rng(0)
    pictures = [random.integers(0, 256, shape, dtype=np.uint8) for shape in ((300, 200, 3), (300, 200), (7, 9))]
    for found, picture in zip(thumbnails(pictures, 24), pictures, strict=True):
        np.testing.assert_array_equal(found, thumbnail(picture, 24))


@pytest.mark.parametrize("count", [2, 3])
def test_the_number_of_cores_changes_no_bit(monkeypatch, count):
    pixels = np.random.default_rng(0).integers(0, 256, (400, 300, 3), dtype=np.uint8)
    monkeypatch.setattr(cores, "count", lambda: 1)
    alone = thumbnail(pixels, 20)
    monkeypatch.setattr(cores, "count", lambda: count)
    np.testing.assert_array_equal(thumbnail(pixels, 20), alone)
