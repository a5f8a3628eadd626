"""The kernels over pixels that are no filters: what their arguments are, and where their loops are written."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np

from whitebox_filters.native.kernel import Function, RowKernel
from whitebox_filters.native.signature import INDEX, Array, Kind, Real, Rows, Source

ROWS, COLUMNS = 4, 16  # taps come in so many: rows that are added at once, columns that fill a register
OTHERS = ("cli", "evaluation", "learning", "video")
"""Folders of the package on which the compiled functions do not depend."""

_FAST = frozenset({"fast"})  # every fast-math flag of LLVM
_BYTE, _INTEGER, _SINGLE = np.dtype(np.uint8), np.dtype(np.int64), np.dtype(np.float32)
_BYTES, _FLOATS, _INTEGERS = Array(_BYTE), Array(_SINGLE), Array(_INTEGER)
_TERMS = Array(_SINGLE, 15)
_PLANES: dict[str, Kind] = {"luma": Rows(_BYTE), "blue": Rows(_BYTE), "red": Rows(_BYTE)}
_SIZE: dict[str, Kind] = {"width": INDEX, "height": INDEX}


def _source(name: str) -> Source:
    return Source("harmonizer.loops", name, folders=((Path(__file__).parent, OTHERS),))


@functools.cache
def shrink_rows(dtype: np.dtype[np.generic]) -> RowKernel:
    """Make rows of a thumbnail `out` (channels, side, side) of a picture with 1 channel or 3.

    Row y is the sum of the picture's rows from down[y] on, times `scale` and their `down_most` weights; columns are
    summed in the same way. Weights of 0 may lie outside the picture. `sums` has room for a row of the picture and
    `across_most` more pixels, which are finite, for each range of rows.
    """
    return RowKernel(
        _source("shrink_rows"),
        {
            "picture": Rows(dtype),
            "height": INDEX,
            "width": INDEX,
            "channels": INDEX,
            "down": _INTEGERS,
            "down_weights": _FLOATS,
            "down_most": INDEX,
            "across": _INTEGERS,
            "across_weights": _FLOATS,
            "across_most": INDEX,
            "side": INDEX,
            "scale": Real(_SINGLE),
            "sums": _FLOATS,
            "out": _FLOATS,
        },
        _FAST,
    )


to_rgb = Function(
    _source("to_rgb"),
    {**_PLANES, **_SIZE, "terms": _TERMS, "narrow": _FLOATS, "wide": _FLOATS, "out": _BYTES},
    _FAST,
)
"""Convert 4:2:0 to RGB `out` (height, width, 3), both in 8 bits.

A value of chroma lies in the middle of its four pixels, and between two values chroma is linear. `terms` are what
`planar.make_terms` returns. `narrow` (2, columns + 2) has room for a row of both chroma planes and a value beyond each
end, `wide` (2, 2 columns) for two rows twice as wide.
"""

to_grey = Function(_source("to_grey"), {"luma": Rows(_BYTE), **_SIZE, "terms": Array(_SINGLE, 2), "out": _BYTES}, _FAST)
"""Convert luma to grey `out` (height, width), both in 8 bits; `terms` are the first two of `planar.make_terms`."""

to_yuv = Function(_source("to_yuv"), {"picture": Rows(_BYTE), **_SIZE, "terms": _TERMS, **_PLANES}, _FAST)
"""Convert RGB to 4:2:0, both in 8 bits.

Chroma is that of the mean of four pixels; at an odd edge the last pixels count twice.
"""
