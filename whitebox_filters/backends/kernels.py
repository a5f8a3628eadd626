"""The loops over pixels, as Numba compiles them; `compiled` declares their arguments.

Pixels are worked on in blocks of BLOCK, which fit into the first cache: three planes [red, green, blue] of the working
type, one after the other. A loader fills a block from rows of a picture, each filter changes it in place, and a storer
writes it back, so a picture passes through memory once however many filters there are. The machine code is cached, so
few processes import this module.
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
from whitebox_filters.backends.blocks import BLOCK, ENDS, LEVELS_8
from whitebox_filters.images import LEVELS
from whitebox_filters.native.exports import INDEX, jit
from whitebox_filters.native.intrinsics import call_stage, reservation
from whitebox_filters.native.kernel import Loop
from whitebox_filters.spec import Pixel

STRETCH = 64  # pixels that are blended if one of them is not opaque

OWN_IN_SINGLE = {scales.power: vectors.power, scales.angle: vectors.angle}
"""What stands in for functions of `scales` in float32: polynomials of a stated error, which vectorise."""


def filter_block(formula: Pixel, real: np.dtype[Any]) -> Loop:
    """See `compiled.filter_block`."""
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
    """See `compiled.look_up`."""
    intervals, reserve = np.float32(size), reservation(types.float32, BLOCK)

    def look_up_block(block, coefficients):  # type: ignore[no-untyped-def]
        found = reserve()
        for channel in range(3):
            for i in range(BLOCK):
                place = block[channel * BLOCK + i] * intervals
                node = np.int32(place)
                left, right = coefficients[channel * (size + 2) + node], coefficients[channel * (size + 2) + node + 1]
                found[i] = left + (right - left) * (place - np.float32(node))
            for i in range(BLOCK):
                block[channel * BLOCK + i] = found[i]

    return look_up_block


def render(dtype: np.dtype[Any], real: np.dtype[Any], alpha: np.dtype[Any] | None, straight: bool, ended: bool) -> Loop:
    """See `compiled.render`."""
    load, store = _line_loader(real) if straight else _loader(dtype, real), _storer(dtype, real)
    blended = alpha is not None
    number, zero, one = real.type, real.type(0), real.type(1)
    end, half = number(ENDS), number(0.5)

    def put_back(picture, stride, mask, mask_stride, opacity, block, pieces, count, ends, step, out, out_stride):  # type: ignore[no-untyped-def]
        nearest = reserve_places()
        if ended:
            for i in range(3 * BLOCK):
                nearest[i] = np.int32(block[i] * end + half)
        start = 0
        for piece in range(count):
            y, first, left = pieces[3 * piece], pieces[3 * piece + 1], pieces[3 * piece + 2]
            while left > 0:
                take = min(left, STRETCH)
                source, target, weight = y * stride + 3 * first, y * out_stride + 3 * first, y * mask_stride + first
                opaque = not blended or is_opaque(mask, weight, take, opacity)
                if ended and not opaque:
                    for i in range(start, start + take):
                        block[i] = read(ends[nearest[i]])
                        block[BLOCK + i] = read(ends[step + nearest[BLOCK + i]])
                        block[2 * BLOCK + i] = read(ends[2 * step + nearest[2 * BLOCK + i]])
                # Apart from the stores: only so do these loops vectorise although `out` may be the picture itself.
                if not opaque:
                    blend(picture, source, mask, weight, block, start, take, opacity)
                if ended and opaque:
                    for i in range(take):
                        out[target + 3 * i] = ends[nearest[start + i]]
                        out[target + 3 * i + 1] = ends[step + nearest[BLOCK + start + i]]
                        out[target + 3 * i + 2] = ends[2 * step + nearest[2 * BLOCK + start + i]]
                else:
                    put(block, start, take, out, target)
                start += take
                first += take
                left -= take

    def blend_pixels(picture, source, mask, weight, block, start, take, opacity):  # type: ignore[no-untyped-def]
        for i in range(take):
            foreground = number(mask[weight + i]) * opacity
            background = one - foreground
            r, g, b = picture[source + 3 * i], picture[source + 3 * i + 1], picture[source + 3 * i + 2]
            block[start + i] = block[start + i] * foreground + background * read(r)
            block[BLOCK + start + i] = block[BLOCK + start + i] * foreground + background * read(g)
            block[2 * BLOCK + start + i] = block[2 * BLOCK + start + i] * foreground + background * read(b)

    def put_pixels(block, start, take, out, target):  # type: ignore[no-untyped-def]
        for i in range(take):
            r, g, b = block[start + i], block[BLOCK + start + i], block[2 * BLOCK + start + i]
            out[target + 3 * i], out[target + 3 * i + 1], out[target + 3 * i + 2] = store(r), store(g), store(b)

    read, flush, is_opaque = _reader(dtype, real), jit(put_back), _opacity_test(alpha, one)
    blend, put = jit(blend_pixels), jit(put_pixels)
    reserve, reserve_pieces = reservation(numba.from_dtype(real), 3 * BLOCK), reservation(INDEX, 3 * BLOCK)
    reserve_places = reservation(types.int32, 3 * BLOCK)

    def render_rows(  # type: ignore[no-untyped-def]
        picture, picture_stride, mask, mask_stride, opacity, spans, tables, stages, coefficients, offsets, count, ends,
        step, out, out_stride, top, bottom, part,  # noqa: ARG001
    ):  # fmt: skip
        block, pieces = reserve(), reserve_pieces()
        for i in range(3 * BLOCK):
            block[i] = zero  # a block that is never full is filtered as a whole
        filled = held = 0
        for y in range(top, bottom):
            x, stop = spans[2 * y], spans[2 * y + 1]
            while x < stop:
                take = min(stop - x, BLOCK - filled)
                load(picture, y * picture_stride + 3 * x, take, tables, block, filled)
                pieces[3 * held], pieces[3 * held + 1], pieces[3 * held + 2] = y, x, take
                held += 1
                filled += take
                x += take
                if filled == BLOCK:
                    for stage in range(count):
                        call_stage(stages[stage], block, coefficients, offsets[stage])
                    flush(
                        picture, picture_stride, mask, mask_stride, opacity, block, pieces, held, ends, step, out,
                        out_stride,
                    )  # fmt: skip
                    filled = held = 0
        if held:
            for stage in range(count):
                call_stage(stages[stage], block, coefficients, offsets[stage])
            flush(
                picture, picture_stride, mask, mask_stride, opacity, block, pieces, held, ends, step, out, out_stride,
            )  # fmt: skip

    return render_rows


def sum_rows(dtype: np.dtype[Any], real: np.dtype[Any], alpha: np.dtype[Any] | None) -> Loop:
    """See `compiled.sum_rows`."""
    load, reserve = _loader(dtype, real), reservation(numba.from_dtype(real), 3 * BLOCK)
    weighted, zero = alpha is not None, real.type(0)

    def sum_rows(  # type: ignore[no-untyped-def]
        picture, picture_stride, mask, mask_stride, width, tables, stages, coefficients, offsets, count, sums, top,
        bottom, part,
    ):  # fmt: skip
        block = reserve()
        for i in range(3 * BLOCK):
            block[i] = zero
        for y in range(top, bottom):
            for x in range(0, width, BLOCK):
                take = min(width - x, BLOCK)
                load(picture, y * picture_stride + 3 * x, take, tables, block, 0)
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
                sums[4 * part + 0] += red
                sums[4 * part + 1] += green
                sums[4 * part + 2] += blue
                sums[4 * part + 3] += total

    return sum_rows


def _opacity_test(alpha: np.dtype[Any] | None, one: Any) -> Callable[..., Any]:
    """(mask, where, count, opacity): whether blending would change nothing."""
    number = np.uint8 if alpha is None else alpha.type

    def is_opaque(mask, where, count, opacity):  # type: ignore[no-untyped-def]
        lowest = mask[where]
        for i in range(count):
            lowest = number(min(lowest, mask[where + i]))
        return lowest * opacity >= one

    return jit(is_opaque)


def _bind(formula: Pixel, real: np.dtype[Any]) -> Callable[..., Any]:
    """The formula with its functions of `scales` compiled, by way of polynomials in float32."""
    own = OWN_IN_SINGLE if real == np.float32 else {}
    return fuse.bind(formula, lambda function: jit(own.get(function, function)))


def _reader(dtype: np.dtype[Any], real: np.dtype[Any]) -> Callable[..., Any]:
    """The function that turns one stored value into [0, 1]."""
    number = real.type
    scale = number(1 / LEVELS.get(dtype, 1))

    def read(value):  # type: ignore[no-untyped-def]
        return number(value) * scale

    return jit(read)


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

    return jit(load)


def _line_loader(real: np.dtype[Any]) -> Callable[..., Any]:
    """The same for levels of 8 bits that become two straight lines: base and slope of both, then where the first ends,
    for each channel.
    """
    number, zero, one = real.type, real.type(0), real.type(1)

    def follow(level, lines, first):  # type: ignore[no-untyped-def]
        below, above = lines[first] + lines[first + 1] * level, lines[first + 2] + lines[first + 3] * level
        return min(max(above if level > lines[first + 4] else below, zero), one)

    line = jit(follow)

    def load(picture, where, count, lines, block, start):  # type: ignore[no-untyped-def]
        for i in range(count):
            r, g, b = picture[where + 3 * i], picture[where + 3 * i + 1], picture[where + 3 * i + 2]
            block[start + i] = line(number(r), lines, 0)
            block[BLOCK + start + i] = line(number(g), lines, 5)
            block[2 * BLOCK + start + i] = line(number(b), lines, 10)

    return jit(load)


def _storer(dtype: np.dtype[Any], real: np.dtype[Any]) -> Callable[..., Any]:
    """The function that turns a value in [0, 1] into one stored value, rounded to the nearest level."""
    number, convert = real.type, dtype.type
    if dtype not in LEVELS:
        return jit(lambda value: convert(value))
    full, half = number(LEVELS[dtype]), number(0.5)

    def store(value):  # type: ignore[no-untyped-def]
        return convert(np.int32(value * full + half))

    return jit(store)
