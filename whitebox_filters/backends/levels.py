"""Means of what becomes of the levels of an 8-bit frame.

Gains, and what clamps them, leave two straight parts, whose means follow from sums that vectors add up in a fraction of
the time that a histogram takes. Any other curve's mean is that of the histogram.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from whitebox_filters.backends import compiled
from whitebox_filters.backends.blocks import LEVELS_8, PERIOD
from whitebox_filters.backends.frames import COUNTED, SURVEYED, Frame
from whitebox_filters.native.workers import Workers

FLAT = 1e-6
"""How far a curve may stray from straight parts, and hence a mean: a level is 4e-3, a rounding in float32 6e-8."""

WHITE = LEVELS_8 - 1

Floats = npt.NDArray[np.float64]


class Levels:
    """The levels of one frame, looked at as its means need it."""

    def __init__(self, workers: Workers, frame: Frame, totals: npt.NDArray[np.int64]) -> None:
        """Take a frame of uint8 and the sums (3,) of its levels."""
        self._workers, self._frame, self._totals = workers, frame, totals
        self._counts: Floats | None = None

    def means(self, curves: Floats) -> Floats:
        """The means of the channels (3,) after curves (3, 256), in [0, 1]."""
        lines = None if self._counts is not None else split(curves)
        if lines is not None:
            return self._means_of_lines(lines)
        if self._counts is None:
            self._counts = count_levels(self._workers, self._frame)
        means: Floats = (self._counts * curves).sum(axis=1) / self._frame.size
        return means

    def _means_of_lines(self, lines: Floats) -> Floats:
        floors, pixels = lines[:, 4], self._frame.size
        above = [(0, 0)] * 3 if floors.min() == WHITE else sum_above(self._workers, self._frame, floors).T.tolist()
        means = []
        for total, line, (excess, count) in zip(self._totals.tolist(), lines.tolist(), above, strict=True):
            base, slope, base_above, slope_above, floor = line
            high = excess + floor * count
            below = base * (pixels - count) + slope * (total - high)
            means.append((below + base_above * count + slope_above * high) / pixels)
        return np.array(means)


def split(curves: Floats) -> Floats | None:
    """The two straight lines that each of curves (3, 256) is: (3, 5), as `curves.split` says; None if one is not."""
    lines = np.empty((3, 5))
    compiled.split()(curves=curves, tolerance=FLAT, lines=lines)
    return None if lines[:, 4].min() < 0 else lines


def sum_above(workers: Workers, frame: Frame, floors: Floats) -> npt.NDArray[np.int64]:
    """By how much the levels of each channel exceed its floor, in total, and how many do, (2, 3)."""
    rows = frame.split_rows(SURVEYED)
    pattern = np.tile(floors.astype(np.uint8), PERIOD // 3)
    sums = np.zeros((len(rows) - 1, 2, 3), np.int64)
    workers.run(compiled.sum_above(), rows, picture=frame.pixels, width=frame.width, floors=pattern, sums=sums)
    total: npt.NDArray[np.int64] = sums.sum(axis=0)
    return total


def count_levels(workers: Workers, frame: Frame) -> Floats:
    """How often each level of 8 bits occurs in each channel, (3, 256)."""
    rows = frame.split_rows(COUNTED)
    counts = np.zeros((len(rows) - 1, 2, 3, LEVELS_8), np.uint32)
    workers.run(compiled.count_levels(), rows, picture=frame.pixels, width=frame.width, counts=counts)
    total: Floats = counts.sum(axis=(0, 1), dtype=np.float64)
    return total
