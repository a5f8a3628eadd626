"""What runs a pixel on the CPU, as Numba compiles it; `native` keeps the result, so few processes import this.

Pixels are worked on by blocks of BLOCK, small enough for the first cache: three planes [red, green, blue] of the
working type, one after the other. A loader fills a block from rows of a picture, each filter changes it in place, a
storer puts it back: a picture goes through memory once however many filters there are. Every function here but the
helpers is exported with C's calling convention; pixels are addressed by row and column, rows by their stride.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numba import types

from whitebox_filters import scales
from whitebox_filters.backends import fuse, vectors
from whitebox_filters.backends.blocks import BLOCK, LEVELS_8
from whitebox_filters.backends.intrinsics import call_stage, reservation
from whitebox_filters.images import LEVELS
from whitebox_filters.spec import Pixel

# No promise is made to NaN, to infinity or to the sign of 0, of which checked pictures hold none: minimum, maximum and
# choices are then one instruction each. Sums keep their order.
FAST = {"contract", "nsz", "nnan", "ninf"}
INDEX = types.int64
Text = tuple[str, str]  # LLVM's language, and the name of the exported function in it

OWN_IN_SINGLE = {scales.power: vectors.power, scales.angle: vectors.angle}
"""What stands in for functions of `scales` in float32: polynomials of a stated error, which vectorise."""


def filter_block(formula: Pixel, real: np.dtype[Any]) -> Text:
    """(block, coefficients): one filter, clamped to [0, 1]."""
    count = len(inspect.signature(formula).parameters) - 3
    number, pixel = real.type, _jit(_bind(formula, real))
    zero, one = number(0), number(1)
    lines = ["def filter_block(block, coefficients):"]
    lines += [f"    c{index} = coefficients[{index}]" for index in range(count)]
    arguments = "".join(f", c{index}" for index in range(count))
    lines += [
        f"    for i in range({BLOCK}):",
        f"        r, g, b = pixel(block[i], block[i + {BLOCK}], block[i + {2 * BLOCK}]{arguments})",
        *(f"        block[i + {n * BLOCK}] = min(max(number({c}), zero), one)" for n, c in enumerate("rgb")),
    ]
    namespace: dict[str, Any] = {"pixel": pixel, "number": number, "zero": zero, "one": one}
    exec("\n".join(lines), namespace)
    pointer = types.CPointer(numba.from_dtype(real))
    return _export(namespace["filter_block"], pointer, pointer)


def look_up(size: int) -> Text:
    """(block, tables): each channel by its table of `size` intervals, interpolated; one more entry is there to read."""
    intervals, reserve = np.float32(size), reservation(types.float32, BLOCK)

    def look_up_block(block, tables):  # type: ignore[no-untyped-def]
        found = reserve()
        for channel in range(3):
            for i in range(BLOCK):
                place = block[channel * BLOCK + i] * intervals
                node = np.int32(place)
                left, right = tables[channel * (size + 2) + node], tables[channel * (size + 2) + node + 1]
                found[i] = left + (right - left) * (place - np.float32(node))
            for i in range(BLOCK):
                block[channel * BLOCK + i] = found[i]

    pointer = types.CPointer(types.float32)
    return _export(look_up_block, pointer, pointer)


def render(dtype: np.dtype[Any], real: np.dtype[Any], alpha: np.dtype[Any] | None) -> Text:
    """(picture, its stride, mask, its stride, spans, tables, stages, coefficients, offsets, count, top, bottom,
    out, its stride, opacity): filter the spans of rows top to bottom into `out`, blended by the mask (Eq. 5).

    Spans hold the first column and the one after the last of each row. A picture of 8 bits is read through `tables`.
    """
    load, store = _loader(dtype, real), _storer(dtype, real)
    blended = alpha is not None
    number, zero, one = real.type, real.type(0), real.type(1)

    def put_back(picture, stride, mask, mask_stride, block, pieces, count, out, out_stride, opacity):  # type: ignore[no-untyped-def]
        start = 0
        for piece in range(count):
            y, x, take = pieces[3 * piece], pieces[3 * piece + 1], pieces[3 * piece + 2]
            source, target, weight = y * stride + 3 * x, y * out_stride + 3 * x, y * mask_stride + x
            # Apart from the stores: only so do these loops vectorise although `out` may be the picture itself.
            if blended:
                for i in range(take):
                    foreground = number(mask[weight + i]) * opacity
                    background = one - foreground
                    r, g, b = picture[source + 3 * i], picture[source + 3 * i + 1], picture[source + 3 * i + 2]
                    block[start + i] = block[start + i] * foreground + background * read(r)
                    block[BLOCK + start + i] = block[BLOCK + start + i] * foreground + background * read(g)
                    block[2 * BLOCK + start + i] = block[2 * BLOCK + start + i] * foreground + background * read(b)
            for i in range(take):
                r, g, b = block[start + i], block[BLOCK + start + i], block[2 * BLOCK + start + i]
                out[target + 3 * i], out[target + 3 * i + 1], out[target + 3 * i + 2] = store(r), store(g), store(b)
            start += take

    read, flush = _reader(dtype, real), _jit(put_back)
    reserve, reserve_pieces = reservation(numba.from_dtype(real), 3 * BLOCK), reservation(INDEX, 3 * BLOCK)

    def render_rows(  # type: ignore[no-untyped-def]
        picture, stride, mask, mask_stride, spans, tables, stages, coefficients, offsets, count,
        top, bottom, out, out_stride, opacity,
    ):  # fmt: skip
        block, pieces = reserve(), reserve_pieces()
        for i in range(3 * BLOCK):
            block[i] = zero  # a block that is never full is filtered as a whole
        filled = held = 0
        for y in range(top, bottom):
            x, stop = spans[2 * y], spans[2 * y + 1]
            while x < stop:
                take = min(stop - x, BLOCK - filled)
                load(picture, y * stride + 3 * x, take, tables, block, filled)
                pieces[3 * held], pieces[3 * held + 1], pieces[3 * held + 2] = y, x, take
                held += 1
                filled += take
                x += take
                if filled == BLOCK:
                    for stage in range(count):
                        call_stage(stages[stage], block, coefficients, offsets[stage])
                    flush(picture, stride, mask, mask_stride, block, pieces, held, out, out_stride, opacity)
                    filled = held = 0
        if held:
            for stage in range(count):
                call_stage(stages[stage], block, coefficients, offsets[stage])
            flush(picture, stride, mask, mask_stride, block, pieces, held, out, out_stride, opacity)

    picture, working = types.CPointer(numba.from_dtype(dtype)), types.CPointer(numba.from_dtype(real))
    mask = types.CPointer(numba.from_dtype(alpha) if alpha is not None else types.uint8)
    indices = types.CPointer(INDEX)
    return _export(
        render_rows, picture, INDEX, mask, INDEX, indices, working, indices, working, indices, INDEX,
        INDEX, INDEX, picture, INDEX, numba.from_dtype(real),
    )  # fmt: skip


def sum_rows(dtype: np.dtype[Any], real: np.dtype[Any], alpha: np.dtype[Any] | None) -> Text:
    """(picture, its stride, mask, its stride, width, tables, stages, coefficients, offsets, count, top, bottom, sums).

    Add to float64 (4,) the channels after all stages, weighted by the mask if there is one, and the weights.
    """
    load, reserve = _loader(dtype, real), reservation(numba.from_dtype(real), 3 * BLOCK)
    weighted, zero = alpha is not None, real.type(0)

    def add_rows(  # type: ignore[no-untyped-def]
        picture, stride, mask, mask_stride, width, tables, stages, coefficients, offsets, count, top, bottom, sums
    ):  # fmt: skip
        block = reserve()
        for i in range(3 * BLOCK):
            block[i] = zero
        for y in range(top, bottom):
            for x in range(0, width, BLOCK):
                take = min(width - x, BLOCK)
                load(picture, y * stride + 3 * x, take, tables, block, 0)
                for stage in range(count):
                    call_stage(stages[stage], block, coefficients, offsets[stage])
                # Pixels are of the working type; only their sum needs more digits than float32 has.
                red = green = blue = total = 0.0
                for i in range(take):
                    weight = np.float64(mask[y * mask_stride + x + i]) if weighted else 1.0
                    red += weight * np.float64(block[i])
                    green += weight * np.float64(block[BLOCK + i])
                    blue += weight * np.float64(block[2 * BLOCK + i])
                    total += weight
                sums[0] += red
                sums[1] += green
                sums[2] += blue
                sums[3] += total

    picture, working = types.CPointer(numba.from_dtype(dtype)), types.CPointer(numba.from_dtype(real))
    mask = types.CPointer(numba.from_dtype(alpha) if alpha is not None else types.uint8)
    indices = types.CPointer(INDEX)
    return _export(
        add_rows, picture, INDEX, mask, INDEX, INDEX, working, indices, working, indices, INDEX, INDEX, INDEX,
        types.CPointer(types.float64), fast=FAST | {"reassoc"},
    )  # fmt: skip


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

    return _export(count_rows, types.CPointer(types.uint8), INDEX, INDEX, INDEX, INDEX, types.CPointer(types.uint32))


def find_spans(alpha: np.dtype[Any]) -> Text:
    """(mask, its stride, width, top, bottom, spans): of each row the first column above 0 and that after the last."""
    number, zero, stretch = alpha.type, alpha.type(0), 256

    def holds_nothing(mask, start):  # type: ignore[no-untyped-def]
        highest = zero
        for i in range(stretch):
            highest = number(max(highest, mask[start + i]))
        return not highest > zero

    is_empty = _jit(holds_nothing)

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

    return _export(
        find_rows, types.CPointer(numba.from_dtype(alpha)), INDEX, INDEX, INDEX, INDEX, types.CPointer(INDEX)
    )


def _bind(formula: Pixel, real: np.dtype[Any]) -> Callable[..., Any]:
    """The formula with its functions of `scales` compiled, by way of polynomials in float32."""
    own = OWN_IN_SINGLE if real == np.float32 else {}
    return fuse.bind(formula, lambda function: _jit(own.get(function, function)))


def _jit(function: Callable[..., Any]) -> Callable[..., Any]:
    compiled: Callable[..., Any] = numba.njit(error_model="numpy", fastmath=FAST, inline="always")(function)
    return compiled


def _export(function: Callable[..., Any], *arguments: Any, fast: set[str] = FAST) -> Text:
    exported = numba.cfunc(types.void(*arguments), error_model="numpy", fastmath=fast)(function)
    return exported.inspect_llvm(), exported.native_name


def _reader(dtype: np.dtype[Any], real: np.dtype[Any]) -> Callable[..., Any]:
    """The function that turns one stored value into [0, 1]."""
    number = real.type
    scale = number(1 / LEVELS.get(dtype, 1))

    def read(value):  # type: ignore[no-untyped-def]
        return number(value) * scale

    return _jit(read)


def _loader(dtype: np.dtype[Any], real: np.dtype[Any]) -> Callable[..., Any]:
    """(picture, where, count, tables, block, start): fill a part of a block."""
    read, tabled = _reader(dtype, real), dtype == np.uint8

    def load(picture, where, count, tables, block, start):  # type: ignore[no-untyped-def]
        for i in range(count):
            r, g, b = picture[where + 3 * i], picture[where + 3 * i + 1], picture[where + 3 * i + 2]
            if tabled:
                block[start + i] = tables[r]
                block[BLOCK + start + i] = tables[LEVELS_8 + g]
                block[2 * BLOCK + start + i] = tables[2 * LEVELS_8 + b]
            else:
                block[start + i], block[BLOCK + start + i], block[2 * BLOCK + start + i] = read(r), read(g), read(b)

    return _jit(load)


def _storer(dtype: np.dtype[Any], real: np.dtype[Any]) -> Callable[..., Any]:
    """The function that turns a value in [0, 1] into one stored value, rounded to the nearest level."""
    number, convert = real.type, dtype.type
    if dtype not in LEVELS:
        return _jit(lambda value: convert(value))
    full, half = number(LEVELS[dtype]), number(0.5)

    def store(value):  # type: ignore[no-untyped-def]
        return convert(np.int32(value * full + half))

    return _jit(store)
