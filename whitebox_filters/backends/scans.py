"""The loops before the pass over the pixels: spans of a mask, sums and counts of levels, a copy of the background.

Numba compiles them; `compiled` declares their arguments.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types

from whitebox_filters.backends.blocks import LEVELS_8, PERIOD
from whitebox_filters.native.exports import INDEX, jit
from whitebox_filters.native.intrinsics import reservation
from whitebox_filters.native.kernel import Loop

HELD = 255  # values that are added up before the sums take them: as many as 8 bits count, and 16 bits hold


def survey(alpha: np.dtype[Any] | None, summed: bool) -> Loop:
    """See `compiled.survey`."""
    masked, is_bytes = alpha is not None, alpha == np.uint8
    find, (begin, add, finish) = _span_finder(alpha or np.dtype(np.uint8)), _adder(above=False)

    def survey_rows(picture, picture_stride, width, mask, mask_stride, spans, highest, sums, top, bottom, part):  # type: ignore[no-untyped-def]
        held, taken = begin(), 0
        for y in range(top, bottom):
            left, right = 0, width
            if masked:
                left, right = find(mask, y * mask_stride, width)
                spans[2 * y], spans[2 * y + 1] = left, right
            if is_bytes and highest[part] < 2:
                for x in range(left, right):
                    highest[part] = max(highest[part], mask[y * mask_stride + x])
            if summed:
                taken = add(picture, y * picture_stride, 3 * width, picture, held, taken)
        if summed:
            finish(held, sums, part)

    return survey_rows


def copy_outside() -> Loop:
    """See `compiled.copy_outside`."""

    def copy_rows(picture, picture_stride, pixel, width, spans, out, out_stride, top, bottom, part):  # type: ignore[no-untyped-def]  # noqa: ARG001
        for y in range(top, bottom):
            for x in range(spans[2 * y] * pixel):
                out[y * out_stride + x] = picture[y * picture_stride + x]
            for x in range(spans[2 * y + 1] * pixel, width * pixel):
                out[y * out_stride + x] = picture[y * picture_stride + x]

    return copy_rows


def sum_above() -> Loop:
    """See `compiled.sum_above`."""
    begin, add, finish = _adder(above=True)

    def sum_rows(picture, picture_stride, width, floors, sums, top, bottom, part):  # type: ignore[no-untyped-def]
        held, taken = begin(), 0
        for y in range(top, bottom):
            taken = add(picture, y * picture_stride, 3 * width, floors, held, taken)
        finish(held, sums, part)

    return sum_rows


def count_levels() -> Loop:
    """See `compiled.count_levels`."""

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
    """Functions that make room for sums of levels, those above floors or all, add a row to it, and tell what it holds.

    There is room for sums of 16 bits, counts of 8 bits, and the sums of both, for each of PERIOD columns.
    """
    rows = 2 if above else 1
    reserve, reserve_counts = reservation(types.uint16, PERIOD), reservation(types.uint8, PERIOD)
    reserve_sums = reservation(INDEX, rows * PERIOD)

    def make_room():  # type: ignore[no-untyped-def]
        held, counts, sums = reserve(), reserve_counts(), reserve_sums()
        for i in range(PERIOD):
            held[i], counts[i] = np.uint16(0), np.uint8(0)
        for i in range(rows * PERIOD):
            sums[i] = 0
        return held, counts, sums

    def empty(room):  # type: ignore[no-untyped-def]
        held, counts, sums = room
        for i in range(PERIOD):
            sums[i] += np.int64(held[i])
            held[i] = np.uint16(0)
        if above:
            for i in range(PERIOD):
                sums[PERIOD + i] += np.int64(counts[i])
                counts[i] = np.uint8(0)

    def add_few(picture, where, size, floors, room):  # type: ignore[no-untyped-def]
        held, counts, _ = room
        for i in range(size):
            if above:
                excess = np.uint8(max(picture[where + i], floors[i]) - floors[i])
                held[i] = np.uint16(held[i] + np.uint16(excess))
                counts[i] = np.uint8(counts[i] + min(excess, np.uint8(1)))
            else:
                held[i] = np.uint16(held[i] + np.uint16(picture[where + i]))

    flush, few = jit(empty), jit(add_few)

    def add_row(picture, where, size, floors, room, taken):  # type: ignore[no-untyped-def]
        pieces, done = size // PERIOD, 0
        while done < pieces:
            stop = min(pieces, done + HELD - taken)
            for piece in range(done, stop):
                few(picture, where + piece * PERIOD, PERIOD, floors, room)
            taken += stop - done
            done = stop
            if taken == HELD:
                flush(room)
                taken = 0
        few(picture, where + pieces * PERIOD, size - pieces * PERIOD, floors, room)
        if taken + 1 == HELD:
            flush(room)
            taken = -1
        return taken + 1

    def tell(room, totals, part):  # type: ignore[no-untyped-def]
        flush(room)
        sums = room[2]
        for row in range(rows):
            for i in range(PERIOD):
                totals[(part * rows + row) * 3 + i % 3] += sums[row * PERIOD + i]

    return jit(make_room), jit(add_row), jit(tell)


def _span_finder(alpha: np.dtype[Any]) -> Callable[..., Any]:
    """(mask, where a row begins, width): the first column above 0 and that after the last."""
    number, zero = alpha.type, alpha.type(0)

    def holds_nothing(mask, start, size):  # type: ignore[no-untyped-def]
        highest = zero
        for i in range(size):
            highest = number(max(highest, mask[start + i]))
        return not highest > zero

    is_empty = jit(holds_nothing)

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
