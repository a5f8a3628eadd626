"""The loops over pixels, which Numba compiles; `kernels` declares their arguments.

A loader fills a block from rows of a picture, each filter changes it in place, and a storer writes it back. A block
fits into the first cache, so a picture passes through memory once however many filters there are. The machine code is
cached, so few processes import this module.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numba import types

from whitebox_filters import scales
from whitebox_filters.aliases import Pixel
from whitebox_filters.backends import fuse
from whitebox_filters.backends.cpu import vectors
from whitebox_filters.backends.cpu.kernels import BLOCK, LEVELS_8, OUTPUT_INTERVALS
from whitebox_filters.images import LEVELS
from whitebox_filters.native.exports import INDEX, jit
from whitebox_filters.native.intrinsics import call_stage, stack_array
from whitebox_filters.native.signature import Loop

OPACITY_RUN = 64  # pixels that are all blended if one of them is not opaque

VECTORISED = {scales.power: vectors.power, scales.angle: vectors.angle}
"""What replaces functions of `scales` in float32: polynomials with a stated error, which vectorise."""


def filter_block(formula: Pixel, real: np.dtype[Any]) -> Loop:
    """See `kernels.filter_block`."""
    count = len(inspect.signature(formula).parameters) - 3
    number, pixel = real.type, jit(_bind(formula, real))
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
    loop: Loop = namespace["filter_block"]
    return loop


def look_up(size: int) -> Loop:
    """See `kernels.look_up`."""
    intervals, reserve = np.float32(size), stack_array(types.float32, BLOCK)

    def look_up_block(block, coefficients):  # type: ignore[no-untyped-def]
        result = reserve()
        for channel in range(3):
            for i in range(BLOCK):
                place = block[channel * BLOCK + i] * intervals
                node = np.int32(place)
                left, right = coefficients[channel * (size + 2) + node], coefficients[channel * (size + 2) + node + 1]
                result[i] = left + (right - left) * (place - np.float32(node))
            for i in range(BLOCK):
                block[channel * BLOCK + i] = result[i]

    return look_up_block


def render(
    dtype: np.dtype[Any], real: np.dtype[Any], alpha: np.dtype[Any] | None, from_lines: bool, to_table: bool
) -> Loop:
    """See `kernels.render`."""
    load, store = _line_loader(real) if from_lines else _loader(dtype, real), _storer(dtype, real)
    blended = alpha is not None
    number, zero, one = real.type, real.type(0), real.type(1)
    last, half = number(OUTPUT_INTERVALS), number(0.5)

    def store_block(  # type: ignore[no-untyped-def]
        picture, picture_stride, mask, mask_stride, opacity, block, pieces, piece_count, output_table, table_step, out,
        out_stride,
    ):  # fmt: skip
        nearest = reserve_entries()
        if to_table:
            for i in range(3 * BLOCK):
                nearest[i] = np.int32(block[i] * last + half)
        start = 0
        for piece in range(piece_count):
            y, x, remaining = pieces[3 * piece], pieces[3 * piece + 1], pieces[3 * piece + 2]
            while remaining > 0:
                count = min(remaining, OPACITY_RUN)
                source, target, weight = y * picture_stride + 3 * x, y * out_stride + 3 * x, y * mask_stride + x
                opaque = not blended or is_opaque(mask, weight, count, opacity)
                if to_table and not opaque:
                    for i in range(start, start + count):
                        block[i] = read(output_table[nearest[i]])
                        block[BLOCK + i] = read(output_table[table_step + nearest[BLOCK + i]])
                        block[2 * BLOCK + i] = read(output_table[2 * table_step + nearest[2 * BLOCK + i]])
                # Blending is apart from storing: only then do these loops vectorise although `out` may be the picture.
                if not opaque:
                    blend(picture, source, mask, weight, block, start, count, opacity)
                if to_table and opaque:
                    for i in range(count):
                        out[target + 3 * i] = output_table[nearest[start + i]]
                        out[target + 3 * i + 1] = output_table[table_step + nearest[BLOCK + start + i]]
                        out[target + 3 * i + 2] = output_table[2 * table_step + nearest[2 * BLOCK + start + i]]
                else:
                    put(block, start, count, out, target)
                start += count
                x += count
                remaining -= count

    def blend_pixels(picture, source, mask, weight, block, start, count, opacity):  # type: ignore[no-untyped-def]
        for i in range(count):
            foreground = number(mask[weight + i]) * opacity
            background = one - foreground
            r, g, b = picture[source + 3 * i], picture[source + 3 * i + 1], picture[source + 3 * i + 2]
            block[start + i] = block[start + i] * foreground + background * read(r)
            block[BLOCK + start + i] = block[BLOCK + start + i] * foreground + background * read(g)
            block[2 * BLOCK + start + i] = block[2 * BLOCK + start + i] * foreground + background * read(b)

    def put_pixels(block, start, count, out, target):  # type: ignore[no-untyped-def]
        for i in range(count):
            r, g, b = block[start + i], block[BLOCK + start + i], block[2 * BLOCK + start + i]
            out[target + 3 * i], out[target + 3 * i + 1], out[target + 3 * i + 2] = store(r), store(g), store(b)

    read, flush, is_opaque = _reader(dtype, real), jit(store_block), _opacity_test(alpha, one)
    blend, put = jit(blend_pixels), jit(put_pixels)
    reserve, reserve_pieces = stack_array(numba.from_dtype(real), 3 * BLOCK), stack_array(INDEX, 3 * BLOCK)
    reserve_entries = stack_array(types.int32, 3 * BLOCK)

    def render_rows(  # type: ignore[no-untyped-def]
        picture, picture_stride, mask, mask_stride, opacity, spans, input_table, stages, coefficients, offsets, count,
        output_table, table_step, out, out_stride, top, bottom, part,  # noqa: ARG001
    ):  # fmt: skip
        # A block is filled from several rows if they are short; of each piece it remembers row, column and length.
        block, pieces = reserve(), reserve_pieces()
        for i in range(3 * BLOCK):
            block[i] = zero  # filters run on the whole block even if it is never full
        filled = piece_count = 0
        for y in range(top, bottom):
            x, end = spans[2 * y], spans[2 * y + 1]
            while x < end:
                length = min(end - x, BLOCK - filled)
                load(picture, y * picture_stride + 3 * x, length, input_table, block, filled)
                pieces[3 * piece_count], pieces[3 * piece_count + 1], pieces[3 * piece_count + 2] = y, x, length
                piece_count += 1
                filled += length
                x += length
                if filled == BLOCK:
                    for stage in range(count):
                        call_stage(stages[stage], block, coefficients, offsets[stage])
                    flush(
                        picture, picture_stride, mask, mask_stride, opacity, block, pieces, piece_count, output_table,
                        table_step, out, out_stride,
                    )  # fmt: skip
                    filled = piece_count = 0
        if piece_count:
            for stage in range(count):
                call_stage(stages[stage], block, coefficients, offsets[stage])
            flush(
                picture, picture_stride, mask, mask_stride, opacity, block, pieces, piece_count, output_table,
                table_step, out, out_stride,
            )  # fmt: skip

    return render_rows


def sum_channels(dtype: np.dtype[Any], real: np.dtype[Any], alpha: np.dtype[Any] | None) -> Loop:
    """See `kernels.sum_channels`."""
    load, reserve = _loader(dtype, real), stack_array(numba.from_dtype(real), 3 * BLOCK)
    weighted, zero = alpha is not None, real.type(0)

    def sum_rows(  # type: ignore[no-untyped-def]
        picture, picture_stride, mask, mask_stride, width, input_table, stages, coefficients, offsets, count, sums,
        top, bottom, part,
    ):  # fmt: skip
        block = reserve()
        for i in range(3 * BLOCK):
            block[i] = zero
        for y in range(top, bottom):
            for x in range(0, width, BLOCK):
                length = min(width - x, BLOCK)
                load(picture, y * picture_stride + 3 * x, length, input_table, block, 0)
                for stage in range(count):
                    call_stage(stages[stage], block, coefficients, offsets[stage])
                # Pixels have the working dtype; only their sum needs more digits than float32 has.
                red = green = blue = total = 0.0
                for i in range(length):
                    weight = np.float64(mask[y * mask_stride + x + i]) if weighted else 1.0
                    red += weight * np.float64(block[i])
                    green += weight * np.float64(block[BLOCK + i])
                    blue += weight * np.float64(block[2 * BLOCK + i])
                    total += weight
                sums[4 * part + 0] += red
                sums[4 * part + 1] += green
                sums[4 * part + 2] += blue
                sums[4 * part + 3] += total

    return sum_rows


def _opacity_test(alpha: np.dtype[Any] | None, one: Any) -> Callable[..., Any]:
    """The function (mask, start, count, opacity) that tells whether all of these pixels are opaque."""
    number = np.uint8 if alpha is None else alpha.type

    def is_opaque(mask, start, count, opacity):  # type: ignore[no-untyped-def]
        lowest = mask[start]
        for i in range(count):
            lowest = number(min(lowest, mask[start + i]))
        return lowest * opacity >= one

    return jit(is_opaque)


def _bind(formula: Pixel, real: np.dtype[Any]) -> Callable[..., Any]:
    """The formula with its functions of `scales` compiled, in float32 as polynomials."""
    replaced = VECTORISED if real == np.float32 else {}
    return fuse.bind(formula, lambda function: jit(replaced.get(function, function)))


def _reader(dtype: np.dtype[Any], real: np.dtype[Any]) -> Callable[..., Any]:
    """The function from a stored value to one in [0, 1]."""
    number = real.type
    scale = number(1 / LEVELS.get(dtype, 1))

    def read(value):  # type: ignore[no-untyped-def]
        return number(value) * scale

    return jit(read)


def _loader(dtype: np.dtype[Any], real: np.dtype[Any]) -> Callable[..., Any]:
    """The function (picture, source, count, table, block, start) that fills a part of a block."""
    read, by_table = _reader(dtype, real), dtype == np.uint8

    def load(picture, source, count, table, block, start):  # type: ignore[no-untyped-def]
        for i in range(count):
            r, g, b = picture[source + 3 * i], picture[source + 3 * i + 1], picture[source + 3 * i + 2]
            if by_table:
                block[start + i] = table[r]
                block[BLOCK + start + i] = table[LEVELS_8 + g]
                block[2 * BLOCK + start + i] = table[2 * LEVELS_8 + b]
            else:
                block[start + i], block[BLOCK + start + i], block[2 * BLOCK + start + i] = read(r), read(g), read(b)

    return jit(load)


def _line_loader(real: np.dtype[Any]) -> Callable[..., Any]:
    """The same for levels of 8 bits whose table consists of two straight lines, as of `kernels.fit_lines`."""
    number, zero, one = real.type, real.type(0), real.type(1)

    def evaluate(level, lines, first):  # type: ignore[no-untyped-def]
        below, above = lines[first] + lines[first + 1] * level, lines[first + 2] + lines[first + 3] * level
        return min(max(above if level > lines[first + 4] else below, zero), one)

    value = jit(evaluate)

    def load(picture, source, count, lines, block, start):  # type: ignore[no-untyped-def]
        for i in range(count):
            r, g, b = picture[source + 3 * i], picture[source + 3 * i + 1], picture[source + 3 * i + 2]
            block[start + i] = value(number(r), lines, 0)
            block[BLOCK + start + i] = value(number(g), lines, 5)
            block[2 * BLOCK + start + i] = value(number(b), lines, 10)

    return jit(load)


def _storer(dtype: np.dtype[Any], real: np.dtype[Any]) -> Callable[..., Any]:
    """The function from a value in [0, 1] to the stored value, rounded to the nearest level."""
    number, convert = real.type, dtype.type
    if dtype not in LEVELS:
        return jit(lambda value: convert(value))
    full, half = number(LEVELS[dtype]), number(0.5)

    def store(value):  # type: ignore[no-untyped-def]
        return convert(np.int32(value * full + half))

    return jit(store)
