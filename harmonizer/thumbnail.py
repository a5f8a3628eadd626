"""Thumbnails: the small pictures that the network sees."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from harmonizer import kernels
from harmonizer.kernels import COLUMNS, ROWS
from harmonizer.pictures.picture import Pixels, convert_depth
from whitebox_filters.images import LEVELS

if TYPE_CHECKING:
    from whitebox_filters.native.workers import Workers

STORED = 256  # side in pixels of the photographs that training stores, before it makes composites of them
RANGES = 32  # of a thumbnail's rows; a core that is free takes the next one
Floats = npt.NDArray[np.float32]


def thumbnail(pixels: Pixels, side: int) -> Floats:
    """The thumbnail of one picture; see `thumbnails`."""
    return thumbnails([pixels], side)[0]


def thumbnails(pictures: Sequence[Pixels], side: int) -> list[Floats]:
    """Pictures (H, W, C) or (H, W), C = 1 or 3, squashed to (C, side, side), float32 in [0, 1]; on all cores.

    This takes two steps, to STORED and then to `side`, as in training: one step would give sharper thumbnails, for
    which the networks predict other values. In each step a value is an average under a triangle that is two output
    pixels wide, as with Pillow's BILINEAR, but not rounded to 8 bits; the result is within one level of Pillow's.
    """
    from whitebox_filters.native.workers import Workers  # imports llvmlite, which many commands do without

    with Workers(sum(picture.size for picture in pictures)) as workers:
        return [_shrink(workers, _by_rows(picture), side) for picture in pictures]


def _by_rows(pixels: Pixels) -> Pixels:
    """The picture as (H, W, C) with rows in C order, in a dtype that the kernel takes."""
    levels = pixels if pixels.dtype in LEVELS else convert_depth(pixels, np.float32)
    levels = levels[..., None] if levels.ndim == 2 else levels
    _, width, channels = levels.shape
    size = levels.itemsize
    if levels.strides[1:] != (channels * size, size) or levels.strides[0] < width * channels * size:
        return np.ascontiguousarray(levels)
    return levels


def _shrink(workers: Workers, levels: Pixels, side: int) -> Floats:
    height, width, channels = levels.shape
    (down, down_weights), (across, across_weights) = _taps(height, side, ROWS), _taps(width, side, COLUMNS)
    rows = np.linspace(0, side, min(side, RANGES) + 1).astype(int).tolist()
    sums = np.empty((len(rows) - 1, width + across_weights.shape[1], channels), np.float32)
    sums[:, width:] = 0
    out = np.empty((channels, side, side), np.float32)
    workers.run(
        kernels.shrink_rows(levels.dtype),
        rows,
        picture=levels,
        height=height,
        width=width,
        channels=channels,
        down=down,
        down_weights=down_weights,
        down_most=down_weights.shape[1],
        across=across,
        across_weights=across_weights,
        across_most=across_weights.shape[1],
        side=side,
        scale=1 / LEVELS.get(levels.dtype, 1),
        sums=sums,
        out=out,
    )
    return out


@functools.lru_cache(maxsize=16)
def _taps(length: int, side: int, unit: int) -> tuple[npt.NDArray[np.int64], Floats]:
    """First source index (side,) and weights (side, count) of each output pixel, for both steps at once.

    The count is a multiple of `unit`. The last weights may be 0 and belong to no source pixel.
    """
    first, weights = _triangles(length, STORED)
    begin, outer = _triangles(STORED, side)
    stored = (begin[:, None] + np.arange(outer.shape[1])).clip(max=STORED - 1)
    steps = (first[stored] - first[begin, None])[..., None] + np.arange(weights.shape[1])
    count = -(-int(steps.max() + 1) // unit) * unit
    places = np.arange(side)[:, None, None] * count + steps
    sums = np.bincount(places.ravel(), (outer[..., None] * weights[stored]).ravel(), side * count)
    return first[begin], sums.reshape(side, count).astype(np.float32)


def _triangles(length: int, side: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """First source index (side,) and weights (side, count) of each output pixel, for one step."""
    scale = length / side
    reach = max(scale, 1.0)
    centres = (np.arange(side) + 0.5) * scale
    first, end = (np.floor(centres + shift).astype(np.int64).clip(0, length) for shift in (0.5 - reach, 0.5 + reach))
    steps = np.arange(int((end - first).max()))
    weights = 1 - np.abs(first[:, None] + steps + 0.5 - centres[:, None]) / reach
    weights[first[:, None] + steps >= length] = 0
    weights = weights.clip(0)
    return first, weights / weights.sum(axis=1, keepdims=True)
