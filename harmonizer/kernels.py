"""What runs over every value of a frame besides the filters, as Numba compiles it; see whitebox_filters.backends.

`native` keeps the result, so few processes import this. Pictures are addressed by their first value and the values
from one row to the next.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numba import types

INDEX = types.int64
BYTES, FLOATS, INDICES = types.CPointer(types.uint8), types.CPointer(types.float32), types.CPointer(INDEX)


def shrink_rows() -> tuple[str, str]:
    """(picture, its stride, width, channels, down, down_weights, down_most, across, across_weights, across_most, side,
    scale, sums, top, bottom, out): rows `top` to `bottom` of a thumbnail (channels, side, side), float32.

    The picture has 1 channel or 3. Row y is the sum of its rows down[2 y] to down[2 y + 1], by `down_most` weights;
    columns are summed in the same way. `sums` has room for one row of the picture.
    """

    def shrink(  # type: ignore[no-untyped-def]
        picture, stride, width, channels, down, down_weights, down_most, across, across_weights, across_most, side,
        scale, sums, top, bottom, out,
    ):  # fmt: skip
        for y in range(top, bottom):
            for i in range(width * channels):
                sums[i] = np.float32(0)
            for row in range(down[2 * y], down[2 * y + 1]):
                weight = down_weights[y * down_most + row - down[2 * y]] * scale
                for i in range(width * channels):
                    sums[i] += weight * np.float32(picture[row * stride + i])
            for x in range(side):
                first, last = across[2 * x], across[2 * x + 1]
                weights = x * across_most - first
                red = green = blue = np.float32(0)
                if channels == 1:
                    for column in range(first, last):
                        red += across_weights[weights + column] * sums[column]
                else:
                    for column in range(first, last):
                        weight = across_weights[weights + column]
                        red += weight * sums[3 * column]
                        green += weight * sums[3 * column + 1]
                        blue += weight * sums[3 * column + 2]
                    out[(side + y) * side + x], out[(2 * side + y) * side + x] = green, blue
                out[y * side + x] = red

    return _export(
        shrink, BYTES, INDEX, INDEX, INDEX, INDICES, FLOATS, INDEX, INDICES, FLOATS, INDEX, INDEX,
        types.float32, FLOATS, INDEX, INDEX, FLOATS,
    )  # fmt: skip


def _export(function: Callable[..., Any], *arguments: Any) -> tuple[str, str]:
    exported = numba.cfunc(types.void(*arguments), error_model="numpy", fastmath=True)(function)
    return exported.inspect_llvm(), exported.native_name
