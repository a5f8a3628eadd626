"""The kernels of the compiled cascade: their arguments, and where their loops are written.

Pixels are filtered in blocks: three planes [red, green, blue] of BLOCK values each, one after the other, in the working
dtype `real`. A stage is a kernel that changes a block in place.
"""

from __future__ import annotations

import functools
import importlib.util
from typing import Any

import numpy as np

from whitebox_filters.aliases import Pixel
from whitebox_filters.native.kernel import Function, RowKernel
from whitebox_filters.native.signature import INDEX, REORDERED, Array, Kind, Real, Rows, Source

if importlib.util.find_spec("numba") is None:
    raise ImportError("No module named 'numba'")  # it is imported only to compile what no cache holds

Dtype = np.dtype[Any]

BLOCK = 256
"""Pixels in a block: as many as 8 bits have levels, so that a table of all levels is a block too."""

LEVELS_8 = 256

PERIOD = 96
"""Neighbouring values of a row that are added up separately: whole pixels, and whole vectors of up to 32 values."""

OUTPUT_INTERVALS = 16320
"""Of an output table: a multiple of 255, as for all tables (see `tables.SIZES`)."""

_BYTE, _COUNT, _INTEGER = np.dtype(np.uint8), np.dtype(np.uint32), np.dtype(np.int64)
_SINGLE, _DOUBLE = np.dtype(np.float32), np.dtype(np.float64)
_PIXELS, _PREPASS, _TABLES = (f"{__package__}.{name}_loops" for name in ("pixel", "prepass", "table"))


def _stages(real: Dtype) -> dict[str, Kind]:
    """The addresses of stages, the coefficients of all of them, where those of each begin, and how many there are."""
    return {"stages": Array(_INTEGER), "coefficients": Array(real), "offsets": Array(_INTEGER), "count": INDEX}


@functools.cache
def filter_block(formula: Pixel, real: Dtype) -> Function:
    """A stage: apply one filter, and clamp to [0, 1]."""
    return Function(
        Source(_PIXELS, "filter_block", (formula, real)), {"block": Array(real, 3 * BLOCK), "coefficients": Array(real)}
    )


@functools.cache
def look_up(size: int) -> Function:
    """A stage: interpolate each channel in its table of `size` intervals.

    `coefficients` are tables (3, size + 2). The last entry, beyond white, is read but has no weight.
    """
    return Function(
        Source(_PIXELS, "look_up", (size,)),
        {"block": Array(_SINGLE, 3 * BLOCK), "coefficients": Array(_SINGLE, 3 * (size + 2))},
    )


@functools.cache
def render(dtype: Dtype, real: Dtype, alpha: Dtype | None, *, from_lines: bool, to_table: bool) -> RowKernel:
    """Filter the spans of rows into `out` and blend by the mask times `opacity` (Eq. 5).

    `spans` (H, 2) hold the first column of each row and the one after the last. A picture of 8 bits is read through
    `input_table`: a value for each level, (3, 256), or two lines, (3, 5), if `from_lines`; see `fit_lines`. With
    `to_table`, the nearest entry of `output_table` stands for the last filters. It has OUTPUT_INTERVALS + 1 entries for
    each channel, and those of the next channel begin `table_step` later.
    """
    return RowKernel(
        Source(_PIXELS, "render", (dtype, real, alpha, from_lines, to_table)),
        {
            "picture": Rows(dtype),
            "mask": Rows(alpha),
            "opacity": Real(real),
            "spans": Array(_INTEGER),
            "input_table": Array(real),
            **_stages(real),
            "output_table": Array(dtype if to_table else None),
            "table_step": INDEX,
            "out": Rows(dtype),
        },
    )


@functools.cache
def sum_channels(dtype: Dtype, real: Dtype, alpha: Dtype | None) -> RowKernel:
    """Add to `sums` (ranges, 4) the channels after all stages, weighted by the mask if there is one, and the weights.

    A picture of 8 bits is read through `input_table` (3, 256).
    """
    return RowKernel(
        Source(_PIXELS, "sum_channels", (dtype, real, alpha)),
        {
            "picture": Rows(dtype),
            "mask": Rows(alpha),
            "width": INDEX,
            "input_table": Array(real),
            **_stages(real),
            "sums": Array(_DOUBLE),
        },
        REORDERED,
    )


@functools.cache
def prepass(alpha: Dtype | None, *, summed: bool) -> RowKernel:
    """Find the spans of a mask, if there is one, and add up the levels of a picture of 8 bits, if `summed`.

    `spans` (H, 2) get the first column above 0 and the one after the last. `highest` (ranges,) get a value above 1 of a
    mask of uint8, if it has one, and `sums` (ranges, 3) the sums of the channels.
    """
    return RowKernel(
        Source(_PREPASS, "prepass", (alpha, summed)),
        {
            "picture": Rows(_BYTE if summed else None),
            "width": INDEX,
            "mask": Rows(alpha),
            "spans": Array(_INTEGER),
            "highest": Array(_BYTE),
            "sums": Array(_INTEGER),
        },
    )


@functools.cache
def copy_background() -> RowKernel:
    """Copy the bytes of rows to `out`, except the spans; a pixel has `pixel_size` bytes."""
    return RowKernel(
        Source(_PREPASS, "copy_background"),
        {"picture": Rows(_BYTE), "pixel_size": INDEX, "width": INDEX, "spans": Array(_INTEGER), "out": Rows(_BYTE)},
    )


@functools.cache
def sum_above() -> RowKernel:
    """Add to `sums` (ranges, 2, 3) by how much the levels of each channel exceed a bound, and how many exceed it.

    `bounds` (PERIOD,) repeat those of red, green and blue.
    """
    return RowKernel(
        Source(_PREPASS, "sum_above"),
        {"picture": Rows(_BYTE), "width": INDEX, "bounds": Array(_BYTE, PERIOD), "sums": Array(_INTEGER)},
    )


@functools.cache
def count_levels() -> RowKernel:
    """Add to `counts` (ranges, 2, 3, 256) how often each level occurs.

    Each level has two counters, used in turn: neighbouring pixels are alike, and a single counter would have to wait
    for its own last addition.
    """
    return RowKernel(
        Source(_PREPASS, "count_levels"), {"picture": Rows(_BYTE), "width": INDEX, "counts": Array(_COUNT)}
    )


@functools.cache
def fit_lines() -> Function:
    """Fit two straight lines to each of three curves (3, 256).

    `lines` (3, 5) get the base and slope of the first line, which ends at the bend, the base and slope of the second
    line, which begins at the next level, and the bend. The bend is 255 where one line is enough, and -1 where two lines
    are further from the curve than the tolerance.
    """
    return Function(
        Source(_TABLES, "fit_lines"),
        {"curves": Array(_DOUBLE, 3 * LEVELS_8), "tolerance": Real(_DOUBLE), "lines": Array(_DOUBLE, 15)},
    )


@functools.cache
def fill_output_table() -> Function:
    """Fill `table` (channels, OUTPUT_INTERVALS + 1) with the 8-bit levels that stages make of equal steps in [0, 1].

    One channel stands for all three if the stages treat them alike. `change` gets the largest difference between two
    neighbouring entries, before they are rounded to levels.
    """
    return Function(
        Source(_TABLES, "fill_output_table"),
        {
            **_stages(_SINGLE),
            "channels": INDEX,
            "table": Array(_BYTE, OUTPUT_INTERVALS + 1),
            "change": Array(_SINGLE, 1),
        },
    )
