"""The kernels of the compiled cascade: what their arguments are, and where their loops are written."""

from __future__ import annotations

import functools
import importlib.util
from typing import Any

import numpy as np

from whitebox_filters.backends.blocks import BLOCK, ENDS, LEVELS_8, PERIOD
from whitebox_filters.native.kernel import INDEX, REORDERED, Array, Function, Kind, Real, RowKernel, Rows, Source
from whitebox_filters.spec import Pixel

if importlib.util.find_spec("numba") is None:
    raise ImportError("No module named 'numba'")  # it is imported only to compile what no cache holds

Dtype = np.dtype[Any]

_BYTE, _COUNT, _INTEGER = np.dtype(np.uint8), np.dtype(np.uint32), np.dtype(np.int64)
_SINGLE, _DOUBLE = np.dtype(np.float32), np.dtype(np.float64)
_PIXELS = "whitebox_filters.backends.kernels"
_PREPASS = "whitebox_filters.backends.scans"


def _stages(real: Dtype) -> dict[str, Kind]:
    """Addresses of stages, the coefficients of all, where those of each begin, and how many stages there are."""
    return {"stages": Array(_INTEGER), "coefficients": Array(real), "offsets": Array(_INTEGER), "count": INDEX}


@functools.cache
def filter_block(formula: Pixel, real: Dtype) -> Function:
    """A stage: one filter of a block, in place, clamped to [0, 1]."""
    return Function(
        Source(_PIXELS, "filter_block", (formula, real)), {"block": Array(real, 3 * BLOCK), "coefficients": Array(real)}
    )


@functools.cache
def look_up(size: int) -> Function:
    """A stage: interpolate each channel in its table of `size` intervals, in place.

    `coefficients` are tables (3, size + 2), whose last entry, beyond white, is read but has no weight.
    """
    return Function(
        Source(_PIXELS, "look_up", (size,)),
        {"block": Array(_SINGLE, 3 * BLOCK), "coefficients": Array(_SINGLE, 3 * (size + 2))},
    )


@functools.cache
def render(dtype: Dtype, real: Dtype, alpha: Dtype | None, *, straight: bool, ended: bool) -> RowKernel:
    """Filter the spans of rows into `out`, blended by the mask times `opacity` (Eq. 5).

    `spans` (H, 2) hold the first column of each row and the one after the last. A picture of 8 bits is read through
    `tables` (3, 256), or through lines (3, 5) if `straight`. If `ended`, the last stages are left out and the nearest
    value in `ends` stands for them: ENDS + 1 for each channel, those of the next channel `step` later.
    """
    return RowKernel(
        Source(_PIXELS, "render", (dtype, real, alpha, straight, ended)),
        {
            "picture": Rows(dtype),
            "mask": Rows(alpha),
            "opacity": Real(real),
            "spans": Array(_INTEGER),
            "tables": Array(real),
            **_stages(real),
            "ends": Array(dtype if ended else None),
            "step": INDEX,
            "out": Rows(dtype),
        },
    )


@functools.cache
def sum_rows(dtype: Dtype, real: Dtype, alpha: Dtype | None) -> RowKernel:
    """Add to `sums` (ranges, 4) the channels after all stages, weighted by the mask if there is one, and the weights.

    `tables` are as for `render`.
    """
    return RowKernel(
        Source(_PIXELS, "sum_rows", (dtype, real, alpha)),
        {
            "picture": Rows(dtype),
            "mask": Rows(alpha),
            "width": INDEX,
            "tables": Array(real),
            **_stages(real),
            "sums": Array(_DOUBLE),
        },
        REORDERED,
    )


@functools.cache
def survey(alpha: Dtype | None, *, summed: bool) -> RowKernel:
    """Look over rows of a mask, if there is one, and add up the levels of a picture of 8 bits if `summed`.

    `spans` (H, 2) get the first column above 0 and the one after the last, `highest` (ranges,) a value above 1 of a
    mask of uint8 if there is one, and `sums` (ranges, 3) the sums of the channels.
    """
    return RowKernel(
        Source(_PREPASS, "survey", (alpha, summed)),
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
def copy_outside() -> RowKernel:
    """Copy rows of bytes to `out` outside the spans; `pixel` is the bytes of a pixel."""
    return RowKernel(
        Source(_PREPASS, "copy_outside"),
        {"picture": Rows(_BYTE), "pixel": INDEX, "width": INDEX, "spans": Array(_INTEGER), "out": Rows(_BYTE)},
    )


@functools.cache
def sum_above() -> RowKernel:
    """Add to `sums` (ranges, 2, 3) by how much the levels of each channel exceed its floor, and how many do.

    `floors` repeat those of red, green and blue, PERIOD in all.
    """
    return RowKernel(
        Source(_PREPASS, "sum_above"),
        {"picture": Rows(_BYTE), "width": INDEX, "floors": Array(_BYTE, PERIOD), "sums": Array(_INTEGER)},
    )


@functools.cache
def count_levels() -> RowKernel:
    """Add to `counts` (ranges, 2, 3, 256) how often each level occurs.

    There are two counters for each level, used in turn: neighbouring pixels are alike, and one count would wait for
    the one before it.
    """
    return RowKernel(
        Source(_PREPASS, "count_levels"), {"picture": Rows(_BYTE), "width": INDEX, "counts": Array(_COUNT)}
    )


@functools.cache
def split() -> Function:
    """Split each of curves (3, 256) into two straight lines, (3, 5).

    These are base and slope of the first line, which goes up to the floor, base and slope of the second, which begins
    at the next level, and the floor: 255 if one line is enough, -1 if two are not within the tolerance.
    """
    return Function(
        Source("whitebox_filters.backends.curves", "split"),
        {"curves": Array(_DOUBLE, 3 * LEVELS_8), "tolerance": Real(_DOUBLE), "lines": Array(_DOUBLE, 15)},
    )


@functools.cache
def tabulate() -> Function:
    """Fill `stored` (channels, ENDS + 1) with what stages make of float32 at equal steps from 0 to 1, in uint8.

    One channel stands for three that the stages treat alike. `change` gets the largest difference between two steps.
    """
    return Function(
        Source("whitebox_filters.backends.ends", "tabulate"),
        {
            **_stages(_SINGLE),
            "channels": INDEX,
            "stored": Array(_BYTE, ENDS + 1),
            "change": Array(_SINGLE, 1),
        },
    )
