"""What comes before the pass over the pixels, compiled as `kernels`: sums and counts of levels, spans of a mask."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numba import types

from whitebox_filters.backends.blocks import LEVELS_8, PERIOD
from whitebox_filters.backends.exports import INDEX, Text, export_rows, jit
from whitebox_filters.backends.intrinsics import reservation, unpack

BYTES, INDICES, SUMS = types.CPointer(types.uint8), types.CPointer(INDEX), types.CPointer(types.uint64)
HELD = 255  # values that are added up before the sums take them: as many as 8 bits count, and 16 bits hold


def survey(alpha: np.dtype[Any] | None) -> Text:
    """(picture, its stride, bytes of a pixel, width, mask, its stride, spans, highest, is copied, target, its stride,
    is summed, sums): read rows of bytes once, for all that is to be known of them.

    `spans` get the first column of the mask above 0 and that after the last, `highest` uint8 (parts,) a value above 1
    of a mask of uint8 if there is one. What lies outside the spans is copied to `target`; all levels are added to
    `sums` uint64 (parts, PERIOD), each to that of its column.
    """
    kind = np.dtype(np.uint8) if alpha is None else alpha
    masked, is_bytes = alpha is not None, alpha == np.uint8
    arguments = unpack(
        BYTES, INDEX, INDEX, INDEX, types.CPointer(numba.from_dtype(kind)), INDEX, INDICES, BYTES, INDEX, BYTES, INDEX,
        INDEX, SUMS,
    )  # fmt: skip
    find, (add, flush) = _span_finder(kind), _adder(above=False)
    reserve, reserve_counts = reservation(types.uint16, PERIOD), reservation(types.uint8, PERIOD)

    def survey_rows(given, top, bottom, part):  # type: ignore[no-untyped-def]
        (
            picture, stride, pixel, width, mask, mask_stride, spans, highest, copied, target, target_stride,
            summed, sums,
        ) = arguments(given)  # fmt: skip
        held, counts, taken = reserve(), reserve_counts(), 0
        for i in range(PERIOD):
            held[i], counts[i] = np.uint16(0), np.uint8(0)
        for y in range(top, bottom):
            row, left, right = y * stride, 0, width
            if masked:
                left, right = find(mask, y * mask_stride, width)
                spans[2 * y], spans[2 * y + 1] = left, right
            if is_bytes and highest[part] < 2:
                for x in range(left, right):
                    highest[part] = max(highest[part], mask[y * mask_stride + x])
            if summed:
                taken = add(picture, row, 3 * width, picture, held, counts, taken, sums, part)
            if copied:
                for x in range(left * pixel):
                    target[y * target_stride + x] = picture[row + x]
                for x in range(right * pixel, width * pixel):
                    target[y * target_stride + x] = picture[row + x]
        flush(held, counts, sums, part)

    return export_rows(survey_rows)


def sum_above() -> Text:
    """(picture, its stride, width, floors, sums): by how much levels exceed floors, and how many do.

    `floors` are uint8 (PERIOD,), and `sums` uint64 (parts, 2, PERIOD): excess and count of each column.
    """
    arguments, (add, flush) = unpack(BYTES, INDEX, INDEX, BYTES, SUMS), _adder(above=True)
    reserve, reserve_counts = reservation(types.uint16, PERIOD), reservation(types.uint8, PERIOD)

    def sum_rows(given, top, bottom, part):  # type: ignore[no-untyped-def]
        picture, stride, width, floors, sums = arguments(given)
        held, counts, taken = reserve(), reserve_counts(), 0
        for i in range(PERIOD):
            held[i], counts[i] = np.uint16(0), np.uint8(0)
        for y in range(top, bottom):
            taken = add(picture, y * stride, 3 * width, floors, held, counts, taken, sums, part)
        flush(held, counts, sums, part)

    return export_rows(sum_rows)


def count_levels() -> Text:
    """(picture, its stride, width, counts): add to uint32 (parts, 2, 3, 256) how often each level occurs.

    Two counters a level, used in turn: next pixels are alike, and a count would wait for the one before it.
    """
    arguments = unpack(BYTES, INDEX, INDEX, types.CPointer(types.uint32))

    def count_rows(given, top, bottom, part):  # type: ignore[no-untyped-def]
        picture, stride, width, counts = arguments(given)
        even, odd = part * 6 * LEVELS_8, (part * 6 + 3) * LEVELS_8
        for y in range(top, bottom):
            row = y * stride
            for x in range(0, width - 1, 2):
                for channel in range(3):
                    counts[even + channel * LEVELS_8 + picture[row + 3 * x + channel]] += np.uint32(1)
                    counts[odd + channel * LEVELS_8 + picture[row + 3 * x + 3 + channel]] += np.uint32(1)
            if width % 2:
                for channel in range(3):
                    counts[even + channel * LEVELS_8 + picture[row + 3 * width - 3 + channel]] += np.uint32(1)

    return export_rows(count_rows)


def _adder(*, above: bool) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Functions that add up a row of levels, those above floors or all, and that put what is held into `sums`."""
    rows = 2 if above else 1

    def put(held, counts, sums, part):  # type: ignore[no-untyped-def]
        first = part * rows * PERIOD
        for i in range(PERIOD):
            sums[first + i] += np.uint64(held[i])
            held[i] = np.uint16(0)
        if above:
            for i in range(PERIOD):
                sums[first + PERIOD + i] += np.uint64(counts[i])
                counts[i] = np.uint8(0)

    def add_few(picture, where, size, floors, held, counts):  # type: ignore[no-untyped-def]
        for i in range(size):
            if above:
                excess = np.uint8(max(picture[where + i], floors[i]) - floors[i])
                held[i] = np.uint16(held[i] + np.uint16(excess))
                counts[i] = np.uint8(counts[i] + min(excess, np.uint8(1)))
            else:
                held[i] = np.uint16(held[i] + np.uint16(picture[where + i]))

    flush, few = jit(put), jit(add_few)

    def add_row(picture, where, size, floors, held, counts, taken, sums, part):  # type: ignore[no-untyped-def]
        pieces, done = size // PERIOD, 0
        while done < pieces:
            stop = min(pieces, done + HELD - taken)
            for piece in range(done, stop):
                few(picture, where + piece * PERIOD, PERIOD, floors, held, counts)
            taken += stop - done
            done = stop
            if taken == HELD:
                flush(held, counts, sums, part)
                taken = 0
        few(picture, where + pieces * PERIOD, size - pieces * PERIOD, floors, held, counts)
        if taken + 1 == HELD:
            flush(held, counts, sums, part)
            taken = -1
        return taken + 1

    return jit(add_row), flush


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
