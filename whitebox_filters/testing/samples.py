"""The images and arguments that filters are checked on."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from whitebox_filters.images import LEVELS, FloatArray

DTYPES = tuple(np.dtype(kind) for kind in (np.uint8, np.uint16, np.float32, np.float64))
THETAS = (-1.0, -0.9, -0.7, -0.5, -0.3, -0.1, -0.01, 0.0, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)

LEVEL = 1 / 255
"""One 8-bit level."""


def everywhere() -> dict[str, FloatArray]:
    """Images in [0, 1] of shape (5, 7, 3), float64, that reach the corners of what a filter may meet."""
    random = np.random.default_rng(0).random((5, 7, 3))
    return {
        "black": np.zeros((5, 7, 3)),
        "white": np.ones((5, 7, 3)),
        "grey": np.full((5, 7, 3), 0.5),
        "one colour": np.broadcast_to(np.array([0.8, 0.3, 0.1]), (5, 7, 3)).copy(),
        "pure red": np.broadcast_to(np.array([1.0, 0.0, 0.0]), (5, 7, 3)).copy(),
        "dark": 0.02 * random,
        "random": random,
        "extremes": extremes(),
    }


def extremes() -> FloatArray:
    """(5, 7, 3): the corners of the colour cube, near-black, near-white, greys, and random colours."""
    image = np.random.default_rng(1).random((5, 7, 3))
    image[0] = [[0, 0, 0], [1, 1, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [0, 1, 1]]
    image[1, :, :] = np.array([1e-6, 1e-3, 1 / 255, 0.25, 0.5, 0.75, 1 - 1 / 255])[:, None]
    return image


def colour_sweep() -> FloatArray:
    """(60, 72, 3): 24 hues at 30 chromas, close together near the full one, at three heights; and their negatives.

    A filter may touch the vivid colours alone, which random ones hardly reach.
    """
    chromas = np.concatenate([np.linspace(0, 0.9, 10), np.linspace(0.905, 1, 20)])
    wheel = np.clip(np.abs((np.arange(24)[:, None] / 4 - np.array([0, 2, 4])) % 6 - 3) - 1, 0, 1)
    heights = np.array([0, 0.5, 1])
    base = (1 - chromas[:, None]) * heights
    colours = (base[:, :, None, None] + chromas[:, None, None, None] * wheel).reshape(30, 72, 3)
    return np.concatenate([colours, 1 - colours])


def textured() -> FloatArray:
    """(16, 24, 3) float64 on which no sound filter ever clips everything.

    A gain of 1000 leaves something unclipped only in tones down to 1e-4, a contrast stretch of 100 only close
    to the mean of the frame, a chroma gain of 1000 only in colours close to grey. So the image has tones,
    distances from its mean and chromas of every order of magnitude, and is its own negative: the channel
    means are 0.5.
    """
    rng = np.random.default_rng(2)
    tones = np.concatenate([10 ** rng.uniform(-4, -0.35, 96), 0.5 - 10 ** rng.uniform(-4, -0.5, 96)])
    chroma = 10 ** rng.uniform(-4, -0.4, (192, 1)) * rng.uniform(-1, 1, (192, 3))
    half = (tones[:, None] * (1 + chroma)).reshape(8, 24, 3)
    return np.concatenate([half, 1 - half])


def midtones() -> FloatArray:
    """(2, 4, 3) float64 of colours all round the hue circle in [0.3, 0.7], where a small theta clips nothing."""
    turns = np.arange(8)[:, None] / 8 - np.arange(3) / 3 + 0.03
    tones = np.random.default_rng(3).uniform(0.47, 0.53, (8, 1))
    return (tones + 0.17 * np.cos(2 * np.pi * turns)).reshape(2, 4, 3)


def stored(image: FloatArray, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """The image in another dtype, integers rounded to the nearest level."""
    levels = LEVELS.get(dtype)
    return image.astype(dtype) if levels is None else np.rint(image * levels).astype(dtype)


def inside(image: FloatArray) -> npt.NDArray[np.bool_]:
    """Which values are at least one 8-bit level away from 0 and 1: outside, clipping and straight toes lose them."""
    return (image >= LEVEL) & (image <= 1 - LEVEL)
