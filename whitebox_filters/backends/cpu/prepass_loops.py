"""The loops that run before the filters: spans of a mask, sums and counts of levels, a copy of the background.

Numba compiles them; `kernels` declares their arguments.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types

from whitebox_filters.backends.cpu.kernels import LEVELS_8, PERIOD
from whitebox_filters.native.exports import INDEX, jit
from whitebox_filters.native.intrinsics import stack_array
from whitebox_filters.native.signature import Loop

FLUSH = 255  # additions before small sums move to large ones: 8 bits count that many, 16 bits hold their sum


def prepass(alpha: np.dtype[Any] | None, summed: bool) -> Loop:
    """See `kernels.prepass`."""
    masked, is_bytes = alpha is not None, alpha == np.uint8
    find, (begin, add, finish) = _span_finder(alpha or np.dtype(np.uint8)), _adder(above=False)

    def prepass_rows(picture, picture_stride, width, mask, mask_stride, spans, highest, sums, top, bottom, part):  # type: ignore[no-untyped-def]
        accumulator, additions = begin(), 0
        for y in range(top, bottom):
            left, right = 0, width
            if masked:
                left, right = find(mask, y * mask_stride, width)
                spans[2 * y], spans[2 * y + 1] = left, right
            if is_bytes and highest[part] < 2:
                for x in range(left, right):
                    highest[part] = max(highest[part], mask[y * mask_stride + x])
            if summed:
                additions = add(picture, y * picture_stride, 3 * width, picture, accumulator, additions)
        if summed:
            finish(accumulator, sums, part)

    return prepass_rows


def copy_background() -> Loop:
    """See `kernels.copy_background`."""

    def copy_rows(picture, picture_stride, pixel_size, width, spans, out, out_stride, top, bottom, part):  # type: ignore[no-untyped-def]  # noqa: ARG001
        for y in range(top, bottom):
            for x in range(spans[2 * y] * pixel_size):
                out[y * out_stride + x] = picture[y * picture_stride + x]
            for x in range(spans[2 * y + 1] * pixel_size, width * pixel_size):
                out[y * out_stride + x] = picture[y * picture_stride + x]

    return copy_rows


def sum_above() -> Loop:
    """See `kernels.sum_above`."""
    begin, add, finish = _adder(above=True)

    def sum_rows(picture, picture_stride, width, bounds, sums, top, bottom, part):  # type: ignore[no-untyped-def]
        accumulator, additions = begin(), 0
        for y in range(top, bottom):
            additions = add(picture, y * picture_stride, 3 * width, bounds, accumulator, additions)
        finish(accumulator, sums, part)

    return sum_rows


def count_levels() -> Loop:
    """See `kernels.count_levels`."""

    def count_rows(picture, picture_stride, width, counts, top, bottom, part):  # type: ignore[no-untyped-def]
        even, odd = part * 6 * LEVELS_8, (part * 6 + 3) * LEVELS_8
        for y in range(top, bottom):
            row = y * picture_stride
            for x in range(0, width - 1, 2):
                for channel in range(3):
                    counts[even + channel * LEVELS_8 + picture[row + 3 * x + channel]] += np.uint32(1)
                    counts[odd + channel * LEVELS_8 + picture[row + 3 * x + 3 + channel]] += np.uint32(1)
            if width % 2:
                for channel in range(3):
                    counts[even + channel * LEVELS_8 + picture[row + 3 * width - 3 + channel]] += np.uint32(1)

    return count_rows


def _adder(*, above: bool) -> tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any]]:
    """Three functions that add up levels, or by how much they exceed bounds if `above`: begin, add a row, finish.

    They share an accumulator: for each of PERIOD columns a sum of 16 bits, a count of 8 bits, and large sums of both.
    `add` takes and returns how many additions the small ones hold.
    """
    rows = 2 if above else 1
    reserve, reserve_counts = stack_array(types.uint16, PERIOD), stack_array(types.uint8, PERIOD)
    reserve_large = stack_array(INDEX, rows * PERIOD)

    def begin():  # type: ignore[no-untyped-def]
        sums, counts, large = reserve(), reserve_counts(), reserve_large()
        for i in range(PERIOD):
            sums[i], counts[i] = np.uint16(0), np.uint8(0)
        for i in range(rows * PERIOD):
            large[i] = 0
        return sums, counts, large

    def flush(accumulator):  # type: ignore[no-untyped-def]
        sums, counts, large = accumulator
        for i in range(PERIOD):
            large[i] += np.int64(sums[i])
            sums[i] = np.uint16(0)
        if above:
            for i in range(PERIOD):
                large[PERIOD + i] += np.int64(counts[i])
                counts[i] = np.uint8(0)

    def add_values(picture, start, size, bounds, accumulator):  # type: ignore[no-untyped-def]
        sums, counts, _ = accumulator
        for i in range(size):
            if above:
                excess = np.uint8(max(picture[start + i], bounds[i]) - bounds[i])
                sums[i] = np.uint16(sums[i] + np.uint16(excess))
                counts[i] = np.uint8(counts[i] + min(excess, np.uint8(1)))
            else:
                sums[i] = np.uint16(sums[i] + np.uint16(picture[start + i]))

    move, add_few = jit(flush), jit(add_values)

    def add_row(picture, start, size, bounds, accumulator, additions):  # type: ignore[no-untyped-def]
        periods, done = size // PERIOD, 0
        while done < periods:
            end = min(periods, done + FLUSH - additions)
            for period in range(done, end):
                add_few(picture, start + period * PERIOD, PERIOD, bounds, accumulator)
            additions += end - done
            done = end
            if additions == FLUSH:
                move(accumulator)
                additions = 0
        add_few(picture, start + periods * PERIOD, size - periods * PERIOD, bounds, accumulator)
        if additions + 1 == FLUSH:
            move(accumulator)
            additions = -1
        return additions + 1

    def finish(accumulator, totals, part):  # type: ignore[no-untyped-def]
        move(accumulator)
        large = accumulator[2]
        for row in range(rows):
            for i in range(PERIOD):
                totals[(part * rows + row) * 3 + i % 3] += large[row * PERIOD + i]

    return jit(begin), jit(add_row), jit(finish)


def _span_finder(alpha: np.dtype[Any]) -> Callable[..., Any]:
    """The function (mask, start of a row, width) to the first column above 0 and the one after the last."""
    number, zero = alpha.type, alpha.type(0)

    def find_nothing(mask, start, size):  # type: ignore[no-untyped-def]
        highest = zero
        for i in range(size):
            highest = number(max(highest, mask[start + i]))
        return not highest > zero

    is_empty = jit(find_nothing)

    def find(mask, row, width):  # type: ignore[no-untyped-def]
        left, right = 0, width
        while left + 256 <= width and is_empty(mask, row + left, 256):
            left += 256
        while left + 16 <= width and is_empty(mask, row + left, 16):
            left += 16
        while left < width and not mask[row + left] > zero:
            left += 1
        while right - 256 >= left and is_empty(mask, row + right - 256, 256):
            right -= 256
        while right - 16 >= left and is_empty(mask, row + right - 16, 16):
            right -= 16
        while right > left and not mask[row + right - 1] > zero:
            right -= 1
        return left, right

    return jit(find)
