"""What prepares the pass over the pixels, compiled as `kernels`: a histogram, where a mask begins, and end tables."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numba import types

from whitebox_filters.backends.blocks import BLOCK, ENDS, LEVELS_8
from whitebox_filters.backends.exports import INDEX, Text, export, jit
from whitebox_filters.backends.intrinsics import call_stage, reservation


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


def tabulate() -> Text:
    """(stages, coefficients, offsets, count, stored, change): what stages make of float32, in uint8 (3, ENDS + 1).

    The places of `stored` are equal steps from 0 to 1. `change` gets the largest difference from one to the next.
    """
    single = types.float32
    reserve, last, half, full = reservation(single, 3 * BLOCK), np.float32(ENDS), np.float32(0.5), np.float32(255)

    def fill(block, start, stored, largest, before):  # type: ignore[no-untyped-def]
        count = min(BLOCK, ENDS + 1 - start)
        for channel in range(3):
            first = channel * BLOCK
            largest = max(largest, abs(block[first] - before[channel]) if start else np.float32(0))
            for i in range(1, count):
                largest = max(largest, abs(block[first + i] - block[first + i - 1]))
            for i in range(count):
                stored[channel * (ENDS + 1) + start + i] = np.uint8(np.int32(block[first + i] * full + half))
            before[channel] = block[first + count - 1]
        return largest

    flush, reserve_before = jit(fill), reservation(single, 3)

    def tabulate_stages(stages, coefficients, offsets, count, stored, change):  # type: ignore[no-untyped-def]
        block, before = reserve(), reserve_before()
        largest = np.float32(0)
        for start in range(0, ENDS + 1, BLOCK):
            for i in range(BLOCK):
                level = min(np.float32(start + i), last) / last
                block[i] = block[BLOCK + i] = block[2 * BLOCK + i] = level
            for stage in range(count):
                call_stage(stages[stage], block, coefficients, offsets[stage])
            largest = flush(block, start, stored, largest, before)
        change[0] = largest

    indices, singles = types.CPointer(INDEX), types.CPointer(single)
    return export(tabulate_stages, indices, singles, indices, INDEX, types.CPointer(types.uint8), singles)


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
