"""What looks at pictures and masks as they are stored: a histogram, and where a mask begins; compiled as `kernels`."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numba import types

from whitebox_filters.backends.blocks import LEVELS_8
from whitebox_filters.backends.exports import INDEX, Text, export, jit


def count_levels() -> Text:
    """(picture, its stride, width, top, bottom, counts): add to uint32 (2, 3, 256) how often each level occurs.

    Two counters a level, used in turn: next pixels are alike, and a count would wait for the one before it.
    """

    def count_rows(picture, stride, width, top, bottom, counts):  # type: ignore[no-untyped-def]
        for y in range(top, bottom):
            row = y * stride
            for x in range(0, width - 1, 2):
                for channel in range(3):
                    counts[channel * LEVELS_8 + picture[row + 3 * x + channel]] += np.uint32(1)
                    counts[(3 + channel) * LEVELS_8 + picture[row + 3 * x + 3 + channel]] += np.uint32(1)
            if width % 2:
                for channel in range(3):
                    counts[channel * LEVELS_8 + picture[row + 3 * width - 3 + channel]] += np.uint32(1)

    return export(count_rows, types.CPointer(types.uint8), INDEX, INDEX, INDEX, INDEX, types.CPointer(types.uint32))


def find_spans(alpha: np.dtype[Any]) -> Text:
    """(mask, its stride, width, top, bottom, spans): of each row the first column above 0 and that after the last."""
    number, zero, stretch = alpha.type, alpha.type(0), 256

    def holds_nothing(mask, start):  # type: ignore[no-untyped-def]
        highest = zero
        for i in range(stretch):
            highest = number(max(highest, mask[start + i]))
        return not highest > zero

    is_empty = jit(holds_nothing)

    def find_rows(mask, stride, width, top, bottom, spans):  # type: ignore[no-untyped-def]
        for y in range(top, bottom):
            row, left, right = y * stride, 0, width
            while left + stretch <= width and is_empty(mask, row + left):
                left += stretch
            while left < width and not mask[row + left] > zero:
                left += 1
            while right - stretch >= left and is_empty(mask, row + right - stretch):
                right -= stretch
            while right > left and not mask[row + right - 1] > zero:
                right -= 1
            spans[2 * y], spans[2 * y + 1] = left, right

    return export(find_rows, types.CPointer(numba.from_dtype(alpha)), INDEX, INDEX, INDEX, INDEX, types.CPointer(INDEX))
