"""The stages of a cascade for one picture, and the passes that run them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from whitebox_filters.backends.cpu import kernels
from whitebox_filters.backends.cpu.frames import Frame, Mask
from whitebox_filters.backends.cpu.kernels import LEVELS_8
from whitebox_filters.backends.cpu.means import fit_lines
from whitebox_filters.backends.cpu.tables import Stage, make_output_table, pack, tabulate_runs
from whitebox_filters.backends.fuse import working_dtype
from whitebox_filters.native.cores import split_rows
from whitebox_filters.native.workers import MAX_RANGES, Workers
from whitebox_filters.spec import Filter

Values = tuple[float, ...]


class Stages:
    """The filters so far. For a picture of 8 bits, those before the first that mixes channels are an input table."""

    def __init__(self, dtype: np.dtype[Any]) -> None:
        """For a picture of `dtype`, with no filters yet."""
        self.dtype, self.real = dtype, working_dtype(dtype)
        self.is_table = dtype == np.uint8
        self._input_table = np.tile(np.arange(LEVELS_8, dtype=self.real) / 255, (3, 1)).astype(self.real)
        self._stages: list[Stage] = []
        self._has_output_table = False
        self._output_table: npt.NDArray[np.uint8] | None = None

    def curves(self) -> npt.NDArray[np.float64]:
        """What the filters make of each level of 8 bits in each channel, (3, 256), while all of them are a table."""
        return self._input_table.astype(np.float64)

    def append(self, filter: Filter, coefficients: Values) -> None:
        """Add a filter; it changes the input table if neither it nor a filter before it mixes channels."""
        stage = self._stage(filter, coefficients)
        if self.is_table and stage.is_separate:
            stage.kernel(block=self._input_table, coefficients=stage.coefficients)
            return
        self.is_table = False
        self._stages.append(stage)

    def prepare_output_table(self, run: Sequence[tuple[Filter, Values]]) -> None:
        """Make the table for the run that will end the cascade before that run is appended."""
        self._output_table = make_output_table([self._stage(*each) for each in run], self.dtype)
        self._has_output_table = True

    def measure(self, workers: Workers, frame: Frame, weights: Mask | None) -> npt.NDArray[np.float64]:
        """The means of the channels (3,) after all filters so far, over the frame or weighted by a mask."""
        if weights is not None and weights.is_empty:
            weights = None  # in an empty mask all pixels count alike
        mask, rows = None if weights is None else weights.values, frame.split_rows()
        sums = np.zeros((len(rows) - 1, 4))
        workers.run(
            kernels.sum_channels(self.dtype, self.real, None if mask is None else mask.dtype),
            rows,
            picture=frame.pixels,
            mask=mask,
            width=frame.width,
            input_table=self._input_table,
            sums=sums,
            **pack(self._stages, self.real),
        )
        total = sums.sum(axis=0)
        means: npt.NDArray[np.float64] = total[:3] / total[3]
        return means

    def render(self, workers: Workers, frame: Frame, mask: Mask | None, target: Frame) -> None:
        """Filter every pixel where the mask is above 0, blend (Eq. 5), and store it in `target`."""
        start = len(self._stages)
        while start and self._stages[start - 1].is_separate:
            start -= 1
        table = self._output_table if self._has_output_table else make_output_table(self._stages[start:], self.dtype)
        stages = self._stages if table is None else self._stages[:start]
        lines, spans = self._input_lines(), frame.spans if mask is None else mask.spans
        alpha = None if mask is None else mask.values.dtype
        workers.run(
            kernels.render(self.dtype, self.real, alpha, from_lines=lines is not None, to_table=table is not None),
            split_rows(spans[:, 1] - spans[:, 0], MAX_RANGES).tolist(),
            picture=frame.pixels,
            mask=None if mask is None else mask.values,
            opacity=1.0 if mask is None else mask.opacity,
            spans=spans,
            input_table=self._input_table if lines is None else lines,
            output_table=table,
            table_step=0 if table is None or len(table) == 1 else table.shape[1],
            out=target.pixels,
            **pack(tabulate_runs(stages, self.dtype), self.real),
        )

    def _input_lines(self) -> npt.NDArray[Any] | None:
        """The input table as lines, see `fit_lines`; None if it has none."""
        lines = fit_lines(self.curves()) if self.dtype == np.uint8 else None
        return None if lines is None else lines.astype(self.real)

    def _stage(self, filter: Filter, coefficients: Values) -> Stage:
        values = np.asarray((*coefficients, 0), self.real)  # never empty
        return Stage(kernels.filter_block(filter.pixel, self.real), values, filter)
