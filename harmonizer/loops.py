"""The loops over pixels that are no filters: thumbnails, and video frames to RGB and back.

Numba compiles them; `kernels` declares their arguments. The machine code is cached, so few processes import this
module.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from harmonizer.kernels import ROWS
from whitebox_filters.native.signature import Loop


def shrink_rows() -> Loop:
    """See `kernels.shrink_rows`."""

    def shrink(  # type: ignore[no-untyped-def]
        picture, picture_stride, height, width, channels, down, down_weights, down_most, across, across_weights,
        across_most, side, scale, sums, out, top, bottom, part,
    ):  # fmt: skip
        begin = part * (width + across_most) * channels
        for y in range(top, bottom):
            for i in range(width * channels):
                sums[begin + i] = np.float32(0)
            for tap in range(0, down_most, ROWS):  # each sum is loaded and stored once for all of them
                # Rows of weight 0 may lie below the picture.
                line, weights = down[y] + tap, y * down_most + tap
                a, b = min(line, height - 1) * picture_stride, min(line + 1, height - 1) * picture_stride
                c, d = min(line + 2, height - 1) * picture_stride, min(line + 3, height - 1) * picture_stride
                of_a, of_b = scale * down_weights[weights], scale * down_weights[weights + 1]
                of_c, of_d = scale * down_weights[weights + 2], scale * down_weights[weights + 3]
                for i in range(width * channels):
                    sums[begin + i] += (
                        of_a * np.float32(picture[a + i])
                        + of_b * np.float32(picture[b + i])
                        + of_c * np.float32(picture[c + i])
                        + of_d * np.float32(picture[d + i])
                    )
            for x in range(side):
                place, weights = begin + channels * across[x], x * across_most
                red = green = blue = np.float32(0)
                if channels == 1:
                    for tap in range(across_most):
                        red += across_weights[weights + tap] * sums[place + tap]
                else:
                    for tap in range(across_most):
                        weight = across_weights[weights + tap]
                        red += weight * sums[place + 3 * tap]
                        green += weight * sums[place + 3 * tap + 1]
                        blue += weight * sums[place + 3 * tap + 2]
                    out[(side + y) * side + x], out[(2 * side + y) * side + x] = green, blue
                out[y * side + x] = red

    return shrink


def to_rgb() -> Loop:
    """See `kernels.to_rgb`."""

    def convert(  # type: ignore[no-untyped-def]
        luma, luma_stride, blue, blue_stride, red, red_stride, width, height, terms, narrow, wide, out
    ):  # fmt: skip
        scale, black, red_of_v, green_of_u, green_of_v, blue_of_u = (
            terms[0], terms[1], terms[2], terms[3], terms[4], terms[5],
        )  # fmt: skip
        columns, rows = (width + 1) // 2, (height + 1) // 2
        # Chroma gets a neighbour beyond each edge: a loop that tests for the edge takes twice the time.
        pitch = columns + 2
        for y in range(height):
            near = y // 2
            far = min(max(near + 2 * (y % 2) - 1, 0), rows - 1)
            for i in range(columns):
                to_blue = between(blue[near * blue_stride + i], blue[far * blue_stride + i])
                to_red = between(red[near * red_stride + i], red[far * red_stride + i])
                narrow[1 + i], narrow[pitch + 1 + i] = to_blue - np.float32(128), to_red - np.float32(128)
            for plane in range(2):
                source, target = plane * pitch, plane * 2 * columns
                narrow[source], narrow[source + columns + 1] = narrow[source + 1], narrow[source + columns]
                for i in range(columns):
                    here = narrow[source + i + 1]
                    wide[target + 2 * i] = between(here, narrow[source + i])
                    wide[target + 2 * i + 1] = between(here, narrow[source + i + 2])
            for x in range(width):
                level = (np.float32(luma[y * luma_stride + x]) - black) * scale
                to_blue, to_red = wide[x], wide[2 * columns + x]
                place = 3 * (y * width + x)
                out[place] = to_byte(level + red_of_v * to_red)
                out[place + 1] = to_byte(level + green_of_u * to_blue + green_of_v * to_red)
                out[place + 2] = to_byte(level + blue_of_u * to_blue)

    return convert


def to_yuv() -> Loop:
    """See `kernels.to_yuv`."""

    def convert(  # type: ignore[no-untyped-def]
        picture, picture_stride, width, height, terms, luma, luma_stride, blue, blue_stride, red, red_stride
    ):  # fmt: skip
        black, y_red, y_green, y_blue = terms[1], terms[6], terms[7], terms[8]
        u_red, u_green, u_blue, v_red, v_green, v_blue = (
            terms[9], terms[10], terms[11], terms[12], terms[13], terms[14],
        )  # fmt: skip
        for y in range(height):
            for x in range(width):
                place = y * picture_stride + 3 * x
                r, g, b = picture[place], picture[place + 1], picture[place + 2]
                luma[y * luma_stride + x] = to_byte(
                    y_red * np.float32(r) + y_green * np.float32(g) + y_blue * np.float32(b) + black
                )
        for y in range((height + 1) // 2):
            top, bottom = 2 * y * picture_stride, min(2 * y + 1, height - 1) * picture_stride
            for x in range(width // 2):
                r, g, b = sums_of_four(picture, top + 6 * x, bottom + 6 * x, 3)
                blue[y * blue_stride + x] = to_byte(u_red * r + u_green * g + u_blue * b + np.float32(128))
                red[y * red_stride + x] = to_byte(v_red * r + v_green * g + v_blue * b + np.float32(128))
            if width % 2:  # a test within the loop takes as long as everything else
                x = width // 2
                r, g, b = sums_of_four(picture, top + 6 * x, bottom + 6 * x, 0)
                blue[y * blue_stride + x] = to_byte(u_red * r + u_green * g + u_blue * b + np.float32(128))
                red[y * red_stride + x] = to_byte(v_red * r + v_green * g + v_blue * b + np.float32(128))

    return convert


def to_grey() -> Loop:
    """See `kernels.to_grey`."""

    def convert(luma, luma_stride, width, height, terms, out):  # type: ignore[no-untyped-def]
        scale, black = terms[0], terms[1]
        for y in range(height):
            for x in range(width):
                out[y * width + x] = to_byte((np.float32(luma[y * luma_stride + x]) - black) * scale)

    return convert


_jit = numba.njit(error_model="numpy", fastmath=True, inline="always")


@_jit  # type: ignore[untyped-decorator]
def between(near: Any, far: Any) -> Any:
    """A quarter of the way from one value to the other."""
    return np.float32(0.75) * np.float32(near) + np.float32(0.25) * np.float32(far)


@_jit  # type: ignore[untyped-decorator]
def sums_of_four(picture: Any, top: int, bottom: int, right: int) -> Any:
    """The sums of each channel over two pixels and the pixels `right` bytes beside them, as float32."""
    return (
        sum_of_four(picture, top, top + right, bottom, bottom + right),
        sum_of_four(picture, top + 1, top + right + 1, bottom + 1, bottom + right + 1),
        sum_of_four(picture, top + 2, top + right + 2, bottom + 2, bottom + right + 2),
    )


@_jit  # type: ignore[untyped-decorator]
def sum_of_four(picture: Any, a: int, b: int, c: int, d: int) -> Any:
    """The sum of four bytes, as float32."""
    return np.float32(np.int32(picture[a]) + np.int32(picture[b]) + np.int32(picture[c]) + np.int32(picture[d]))


@_jit  # type: ignore[untyped-decorator]
def to_byte(value: Any) -> Any:
    """The nearest integer from 0 to 255."""
    return np.uint8(np.int32(min(max(value, np.float32(0)), np.float32(255)) + np.float32(0.5)))
