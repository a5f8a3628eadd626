"""Means of what becomes of the levels of an 8-bit frame.

Gains, and what clamps them, leave two straight parts, whose means follow from sums that vectors add up in a fraction of
the time that a histogram takes. Any other curve's mean is that of the histogram.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from whitebox_filters.backends import compiled, cores
from whitebox_filters.backends.blocks import LEVELS_8, PERIOD
from whitebox_filters.backends.frames import Frame
from whitebox_filters.backends.survey import SURVEYED, sum_channels
from whitebox_filters.backends.team import MOST, Team

FLAT = 1e-6
"""How far a curve may stray from straight parts, and hence a mean: a level is 4e-3, a rounding in float32 6e-8."""

WHITE = LEVELS_8 - 1
COUNTED = 2  # pixels in the time that filters take for one

Floats = npt.NDArray[np.float64]


class Line(NamedTuple):
    """Straight parts of three curves, (3,) each."""

    base: Floats
    slope: Floats

    def total(self, count: Floats, levels: Floats) -> Floats:
        """Of so many pixels, the sum of whose levels is given."""
        return self.base * count + self.slope * levels


class Levels:
    """The levels of one frame, looked at as its means need it."""

    def __init__(self, team: Team, frame: Frame, totals: Floats) -> None:
        """Take a frame of uint8 and the sums (3,) of its levels."""
        self._team, self._frame, self._totals = team, frame, totals
        self._count = float(frame.pixels.shape[0] * frame.pixels.shape[1])
        self._counts: Floats | None = None

    def means(self, curves: Floats) -> Floats:
        """The means of the channels (3,) after curves (3, 256), in [0, 1]."""
        parts = None if self._counts is not None else split(curves)
        if parts is None:
            self._counts = count_levels(self._team, self._frame) if self._counts is None else self._counts
            means: Floats = (self._counts * curves).sum(axis=1) / self._count
            return means
        floors, below, above = parts
        excess, count = np.zeros((2, 3)) if (floors == WHITE).all() else sum_above(self._team, self._frame, floors)
        high = excess + floors * count
        return (below.total(self._count - count, self._totals - high) + above.total(count, high)) / self._count


def split(curves: Floats) -> tuple[npt.NDArray[np.int64], Line, Line] | None:
    """Floors (3,), and what curves (3, 256) are up to them and above; None if those are no straight lines."""
    bent = np.abs(np.diff(curves, 2)) > FLAT
    floors = np.where(bent.any(axis=1), bent.argmax(axis=1) + 1, WHITE)
    below, above = _line(curves, 0 * floors, floors), _line(curves, np.minimum(floors + 1, WHITE), 0 * floors + WHITE)
    levels, is_below = np.arange(LEVELS_8), np.arange(LEVELS_8) <= floors[:, None]
    base, slope = (np.where(is_below, *(part[:, None] for part in parts)) for parts in zip(below, above, strict=True))
    return (floors, below, above) if np.abs(base + slope * levels - curves).max() <= FLAT else None


def _line(curves: Floats, first: npt.NDArray[np.int64], last: npt.NDArray[np.int64]) -> Line:
    """Through the values at two levels of each channel."""
    channels = np.arange(3)
    slope = (curves[channels, last] - curves[channels, first]) / np.maximum(last - first, 1)
    return Line(curves[channels, first] - slope * first, slope)


def sum_above(team: Team, frame: Frame, floors: npt.NDArray[np.int64]) -> tuple[Floats, Floats]:
    """By how much the levels of each channel exceed its floor, in total, and how many do, (3,) each."""
    cuts = cores.cut(frame.every_row() // SURVEYED + 1, MOST)
    pattern = np.tile(floors.astype(np.uint8), PERIOD // 3)
    sums = np.zeros((len(cuts) - 1, 2, PERIOD), np.uint64)
    team.run(compiled.sum_above(), (*frame.bytes, frame.width, pattern.ctypes.data, sums.ctypes.data), cuts)
    excess, count = sum_channels(sums)
    return excess, count


def count_levels(team: Team, frame: Frame) -> Floats:
    """How often each level of 8 bits occurs in each channel, (3, 256)."""
    cuts = cores.cut(frame.every_row() // COUNTED + 1, MOST)
    counts = np.zeros((len(cuts) - 1, 2, 3, LEVELS_8), np.uint32)
    team.run(compiled.count_levels(), (*frame.bytes, frame.width, counts.ctypes.data), cuts)
    total: Floats = counts.sum(axis=(0, 1), dtype=np.float64)
    return total
