"""What the network looks at: the whole picture on few pixels."""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

from harmonizer import compiled
from harmonizer.picture import Pixels, convert_depth
from whitebox_filters.backends.cores import over_rows
from whitebox_filters.images import LEVELS

Floats = npt.NDArray[np.float32]


def thumbnail(pixels: Pixels, side: int) -> Floats:
    """A picture (H, W, C) or (H, W) squashed to (C, side, side), float32 in [0, 1]; on all cores.

    Each value is the average under a triangle two of its own pixels wide, as Pillow's BILINEAR, which the networks are
    trained with, but not rounded to 8 bits before, between and after the passes: within one level of it.
    """
    levels = pixels if pixels.dtype in LEVELS else convert_depth(pixels, np.float32)
    levels = levels[..., None] if levels.ndim == 2 else levels
    height, width, channels = levels.shape
    size = levels.itemsize
    if levels.strides[1:] != (channels * size, size) or levels.strides[0] < width * channels * size:
        levels = np.ascontiguousarray(levels)
    down, across = _taps(height, side), _taps(width, side)
    out = np.empty((channels, side, side), np.float32)
    rows = levels.ctypes.data, levels.strides[0] // size
    run, scale = compiled.shrink_rows(levels.dtype.name), 1 / LEVELS.get(levels.dtype, 1)

    def shrink(top: int, bottom: int) -> None:
        sums = np.empty(width * channels, np.float32)
        run(
            *rows, width, channels, *_addresses(*down), *_addresses(*across), side,
            scale, sums.ctypes.data, top, bottom, out.ctypes.data,
        )  # fmt: skip

    over_rows(shrink, np.full(side, max(1, levels.size // side), np.int64))
    return out


@functools.lru_cache(maxsize=16)
def _taps(length: int, side: int) -> tuple[npt.NDArray[np.int64], Floats]:
    """Of each of `side` values the first source value and the one after its last, (side, 2), and their weights."""
    scale = length / side
    reach = max(scale, 1.0)
    centres = (np.arange(side) + 0.5) * scale
    ranges = np.stack([centres - reach + 0.5, centres + reach + 0.5], axis=1).astype(np.int64).clip(0, length)
    steps = np.arange((ranges[:, 1] - ranges[:, 0]).max())
    weights = 1 - np.abs(ranges[:, :1] + steps + 0.5 - centres[:, None]) / reach
    weights[steps >= ranges[:, 1:] - ranges[:, :1]] = 0
    weights = weights.clip(0)
    return ranges, (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def _addresses(ranges: npt.NDArray[np.int64], weights: Floats) -> tuple[int, int, int]:
    return ranges.ctypes.data, weights.ctypes.data, weights.shape[1]
