"""What the pixel pass runs: addresses of compiled filters, and their coefficients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from whitebox_filters.backends import compiled
from whitebox_filters.backends.blocks import LEVELS_8
from whitebox_filters.backends.frames import Frame, Mask
from whitebox_filters.backends.fuse import working_dtype
from whitebox_filters.backends.levels import split
from whitebox_filters.backends.plan import Nature
from whitebox_filters.backends.tables import Stage, end_table, pack, shorten
from whitebox_filters.native.cores import split_rows
from whitebox_filters.native.workers import MAX_RANGES, Workers
from whitebox_filters.spec import Filter

Values = tuple[float, ...]


class Stages:
    """The filters so far, the first of them as tables if the picture has 8 bits."""

    def __init__(self, dtype: np.dtype[Any]) -> None:
        """No filters yet: every level of 8 bits is itself."""
        self.dtype, self.real = dtype, working_dtype(dtype)
        self.is_table = dtype == np.uint8
        self._levels = np.tile(np.arange(LEVELS_8, dtype=self.real) / 255, (3, 1)).astype(self.real)
        self._stages: list[Stage] = []
        self._is_foreseen = False
        self._end: npt.NDArray[np.uint8] | None = None

    def table(self) -> npt.NDArray[np.float64]:
        """What has become of every level of 8 bits in each channel, (3, 256)."""
        return self._levels.astype(np.float64)

    def append(self, filter: Filter, coefficients: Values, nature: Nature) -> None:
        """One filter more; a separate one joins the tables if no other came before."""
        if self.is_table and nature.separate:
            values = np.asarray((*coefficients, 0), self.real)  # never empty
            compiled.filter_block(filter.pixel, self.real)(block=self._levels, coefficients=values)
            return
        self.is_table = False
        self._stages.append(self._stage(filter, coefficients, nature))

    def foresee(self, run: Sequence[tuple[Filter, Values, Nature]]) -> None:
        """Make the table for the separate filters that will end the cascade, behind a mixing one, ahead of them."""
        self._end = end_table([self._stage(*each) for each in run], self.dtype)
        self._is_foreseen = True

    def measure(self, workers: Workers, frame: Frame, weights: Mask | None) -> npt.NDArray[np.float64]:
        """The means of the channels (3,) after all filters so far, over the frame or by the weights of a mask."""
        if weights is not None and weights.is_empty:
            weights = None  # of an empty mask, all pixels count alike
        mask, rows = None if weights is None else weights.values, frame.split_rows()
        sums = np.zeros((len(rows) - 1, 4))
        workers.run(
            compiled.sum_rows(self.dtype, self.real, None if mask is None else mask.dtype),
            rows,
            picture=frame.pixels,
            mask=mask,
            width=frame.width,
            tables=self._levels,
            sums=sums,
            **pack(self._stages, self.real),
        )
        total = sums.sum(axis=0)
        means: npt.NDArray[np.float64] = total[:3] / total[3]
        return means

    def render(self, workers: Workers, frame: Frame, mask: Mask | None, target: Frame) -> None:
        """Filter every pixel where the mask is above 0, blend (Eq. 5), and put it into `target`."""
        start = len(self._stages)
        while start and self._stages[start - 1].separate:
            start -= 1
        ends = self._end if self._is_foreseen else end_table(self._stages[start:], self.dtype)
        first = self._stages if ends is None else self._stages[:start]
        lines, spans = self._lines(), frame.spans if mask is None else mask.spans
        alpha = None if mask is None else mask.values.dtype
        workers.run(
            compiled.render(self.dtype, self.real, alpha, straight=lines is not None, ended=ends is not None),
            split_rows(spans[:, 1] - spans[:, 0], MAX_RANGES).tolist(),
            picture=frame.pixels,
            mask=None if mask is None else mask.values,
            opacity=1.0 if mask is None else mask.opacity,
            spans=spans,
            tables=self._levels if lines is None else lines,
            ends=ends,
            step=0 if ends is None or len(ends) == 1 else ends.shape[1],
            out=target.pixels,
            **pack(shorten(first, self.dtype), self.real),
        )

    def _lines(self) -> npt.NDArray[Any] | None:
        """What the tables hold as lines, see `split`; None if they are no straight ones."""
        lines = split(self.table()) if self.dtype == np.uint8 else None
        return None if lines is None else lines.astype(self.real)

    def _stage(self, filter: Filter, coefficients: Values, nature: Nature) -> Stage:
        values = np.asarray((*coefficients, 0), self.real)  # never empty
        return Stage(compiled.filter_block(filter.pixel, self.real), values, filter, *nature)
