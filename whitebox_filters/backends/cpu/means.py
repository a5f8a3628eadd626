"""Channel means of an 8-bit frame after filters that treat each channel by itself.

Such filters make a curve of 256 entries for each channel. Gains, and the clamps behind them, make two straight lines,
whose means follow from sums that vectors add up in a fraction of the time of a histogram. The mean of any other curve
follows from the histogram.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from whitebox_filters.backends.cpu import kernels
from whitebox_filters.backends.cpu.frames import COUNT_SPEED, PREPASS_SPEED, Frame
from whitebox_filters.backends.cpu.kernels import LEVELS_8, PERIOD
from whitebox_filters.native.workers import Workers

LINE_TOLERANCE = 1e-6
"""How far a curve may be from its lines, and so a mean from the true one; a level is 4e-3, rounding in float32 6e-8."""

WHITE = LEVELS_8 - 1

Floats = npt.NDArray[np.float64]


class LevelMeans:
    """The means of one frame after any curves; each pass over the frame runs when a mean first needs it."""

    def __init__(self, workers: Workers, frame: Frame, totals: npt.NDArray[np.int64]) -> None:
        """Take a frame of uint8 and the sums (3,) of its levels."""
        self._workers, self._frame, self._totals = workers, frame, totals
        self._counts: Floats | None = None

    def after(self, curves: Floats) -> Floats:
        """The means of the channels (3,) after curves (3, 256), in [0, 1]."""
        lines = None if self._counts is not None else fit_lines(curves)
        if lines is not None:
            return self._means_of_lines(lines)
        if self._counts is None:
            self._counts = count_levels(self._workers, self._frame)
        means: Floats = (self._counts * curves).sum(axis=1) / self._frame.size
        return means

    def _means_of_lines(self, lines: Floats) -> Floats:
        bends, pixels = lines[:, 4], self._frame.size
        sums = [(0, 0)] * 3 if bends.min() == WHITE else sum_above(self._workers, self._frame, bends).T.tolist()
        means = []
        for total, line, (excess, count) in zip(self._totals.tolist(), lines.tolist(), sums, strict=True):
            base_below, slope_below, base_above, slope_above, bend = line
            total_above = excess + bend * count
            below = base_below * (pixels - count) + slope_below * (total - total_above)
            means.append((below + base_above * count + slope_above * total_above) / pixels)
        return np.array(means)


def fit_lines(curves: Floats) -> Floats | None:
    """Two straight lines (3, 5) for each of curves (3, 256), as of `kernels.fit_lines`; None if a curve has none."""
    lines = np.empty((3, 5))
    kernels.fit_lines()(curves=curves, tolerance=LINE_TOLERANCE, lines=lines)
    return None if lines[:, 4].min() < 0 else lines


def sum_above(workers: Workers, frame: Frame, bounds: Floats) -> npt.NDArray[np.int64]:
    """By how much the levels of each channel exceed its bound, in total, and how many exceed it, (2, 3)."""
    rows = frame.split_rows(PREPASS_SPEED)
    pattern = np.tile(bounds.astype(np.uint8), PERIOD // 3)
    sums = np.zeros((len(rows) - 1, 2, 3), np.int64)
    workers.run(kernels.sum_above(), rows, picture=frame.pixels, width=frame.width, bounds=pattern, sums=sums)
    total: npt.NDArray[np.int64] = sums.sum(axis=0)
    return total


def count_levels(workers: Workers, frame: Frame) -> Floats:
    """How often each level of 8 bits occurs in each channel, (3, 256)."""
    rows = frame.split_rows(COUNT_SPEED)
    counts = np.zeros((len(rows) - 1, 2, 3, LEVELS_8), np.uint32)
    workers.run(kernels.count_levels(), rows, picture=frame.pixels, width=frame.width, counts=counts)
    total: Floats = counts.sum(axis=(0, 1), dtype=np.float64)
    return total
