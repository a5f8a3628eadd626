"""How a CUDA thread reads and writes pixels: as three whole words, whatever the width of the frame.

Seen as one row, a contiguous frame falls into groups of pixels that are exactly three words long: four pixels of
uint8, two of uint16, one of a float dtype. A group may begin in one row of the picture and end in the next. Within a
group a thread works at the low end of the words: `take` reads the lowest pixel, `turn` shifts it out and puts another
on top, so that after a turn for each pixel all are in place again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import cuda

Device = Callable[..., Any]

BYTE, HALF_WORD = np.uint32(0xFF), np.uint32(0xFFFF)
EIGHT, SIXTEEN, TWENTY_FOUR = np.uint32(8), np.uint32(16), np.uint32(24)


@dataclass(frozen=True)
class Words:
    """The words of a dtype, and the device functions that move pixels through them."""

    pixels: int  # in a group of three words
    dtype: np.dtype[Any]  # of a word
    take: Device  # (three words) -> the stored values r, g, b of the lowest pixel
    turn: Device  # (three words, r, g, b) -> three words, the lowest pixel gone, this one on top
    gather: Device  # (items, words, group) -> three words
    scatter: Device  # (items, words, group, three words), stored


def device_function(function: Device) -> Any:
    """Compile for the device. Inlined, so that a kernel compiles to PTX on a machine without a GPU too."""
    return cuda.jit(device=True, inline="always")(function)


def words_of(dtype: np.dtype[Any]) -> Words:
    """The words of an image of uint8, uint16, float32 or float64.

    `gather` and `scatter` take the frame twice: `items` (3 N,) of `dtype`, and `words`, the same memory. Groups
    beyond the end of `words` go by items: the last one of a frame that does not fill it, and all of a frame that
    is not aligned to words.
    """
    if dtype == np.uint8:
        pixels, word, take, turn = 4, np.dtype(np.uint32), _take_bytes, _turn_bytes
    elif dtype == np.uint16:
        pixels, word, take, turn = 2, np.dtype(np.uint32), _take_halves, _turn_halves
    else:
        pixels, word, take, turn = 1, dtype, _take_floats, _turn_floats
    take, turn = device_function(take), device_function(turn)
    convert, nothing = word.type, word.type(0)

    def gather(items: Any, words: Any, group: Any) -> Any:
        low, middle, high = nothing, nothing, nothing
        if 3 * group + 2 < words.size:
            low, middle, high = words[3 * group], words[3 * group + 1], words[3 * group + 2]
        else:
            for pixel in range(pixels):
                item = 3 * (group * pixels + pixel)
                red, green, blue = nothing, nothing, nothing
                if item < items.size:
                    red, green, blue = convert(items[item]), convert(items[item + 1]), convert(items[item + 2])
                low, middle, high = turn(low, middle, high, red, green, blue)
        return low, middle, high

    def scatter(items: Any, words: Any, group: Any, low: Any, middle: Any, high: Any) -> None:
        if 3 * group + 2 < words.size:
            words[3 * group], words[3 * group + 1], words[3 * group + 2] = low, middle, high
        else:
            for pixel in range(pixels):
                item = 3 * (group * pixels + pixel)
                red, green, blue = take(low, middle, high)
                if item < items.size:
                    items[item], items[item + 1], items[item + 2] = red, green, blue
                low, middle, high = turn(low, middle, high, red, green, blue)

    return Words(pixels, word, take, turn, device_function(gather), device_function(scatter))


# Numba computes with integers of 64 bits, hence the conversions back.
def _take_bytes(low: Any, middle: Any, high: Any) -> Any:
    return np.uint32(low & BYTE), np.uint32((low >> EIGHT) & BYTE), np.uint32((low >> SIXTEEN) & BYTE)


def _turn_bytes(low: Any, middle: Any, high: Any, red: Any, green: Any, blue: Any) -> Any:
    above = np.uint32(red | (green << EIGHT) | (blue << SIXTEEN))
    return (
        np.uint32((low >> TWENTY_FOUR) | (middle << EIGHT)),
        np.uint32((middle >> TWENTY_FOUR) | (high << EIGHT)),
        np.uint32((high >> TWENTY_FOUR) | (above << EIGHT)),
    )


def _take_halves(low: Any, middle: Any, high: Any) -> Any:
    return np.uint32(low & HALF_WORD), np.uint32(low >> SIXTEEN), np.uint32(middle & HALF_WORD)


def _turn_halves(low: Any, middle: Any, high: Any, red: Any, green: Any, blue: Any) -> Any:
    return (
        np.uint32((middle >> SIXTEEN) | (high << SIXTEEN)),
        np.uint32((high >> SIXTEEN) | (red << SIXTEEN)),
        np.uint32(green | (blue << SIXTEEN)),
    )


def _take_floats(low: Any, middle: Any, high: Any) -> Any:
    return low, middle, high


def _turn_floats(low: Any, middle: Any, high: Any, red: Any, green: Any, blue: Any) -> Any:
    return red, green, blue
