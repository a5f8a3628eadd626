"""How a CUDA thread reads and writes pixels: packed into three machine words, whatever the width of the frame.

A contiguous frame, taken as one long row, consists of groups of pixels that fill exactly three words: four pixels of
uint8, two of uint16, one of a float dtype. A group may begin in one row of the picture and end in the next. A thread
works at the low end of a group: `first` unpacks the lowest pixel, `rotate` removes it and puts another one on top.
After one rotation for each pixel all of them are in place again.
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
class Packing:
    """How pixels of a dtype are packed, and the device functions that unpack and pack them."""

    pixels: int  # in a group of three words
    word: np.dtype[Any]
    first: Device  # (three words) -> the stored values r, g, b of the lowest pixel
    rotate: Device  # (three words, r, g, b) -> three words without the lowest pixel, with this one on top
    load: Device  # (items, words, group) -> three words
    store: Device  # (items, words, group, three words)


def device_function(function: Device) -> Any:
    """Compile for the device. Inlined, so that a kernel compiles to PTX on a machine without a GPU too."""
    return cuda.jit(device=True, inline="always")(function)


def packing_of(dtype: np.dtype[Any]) -> Packing:
    """The packing of an image of uint8, uint16, float32 or float64.

    `load` and `store` take the frame twice: `items` (3 N,) of `dtype`, and the same memory as `words`. Groups beyond
    the end of `words` are read and written by items: a last group that is not full, and all groups of a frame that is
    not aligned to words.
    """
    if dtype == np.uint8:
        pixels, word, first, rotate = 4, np.dtype(np.uint32), _first_bytes, _rotate_bytes
    elif dtype == np.uint16:
        pixels, word, first, rotate = 2, np.dtype(np.uint32), _first_halves, _rotate_halves
    else:
        pixels, word, first, rotate = 1, dtype, _first_floats, _rotate_floats
    first, rotate = device_function(first), device_function(rotate)
    convert, nothing = word.type, word.type(0)

    def load(items: Any, words: Any, group: Any) -> Any:
        low, middle, high = nothing, nothing, nothing
        if 3 * group + 2 < words.size:
            low, middle, high = words[3 * group], words[3 * group + 1], words[3 * group + 2]
        else:
            for pixel in range(pixels):
                item = 3 * (group * pixels + pixel)
                red, green, blue = nothing, nothing, nothing
                if item < items.size:
                    red, green, blue = convert(items[item]), convert(items[item + 1]), convert(items[item + 2])
                low, middle, high = rotate(low, middle, high, red, green, blue)
        return low, middle, high

    def store(items: Any, words: Any, group: Any, low: Any, middle: Any, high: Any) -> None:
        if 3 * group + 2 < words.size:
            words[3 * group], words[3 * group + 1], words[3 * group + 2] = low, middle, high
        else:
            for pixel in range(pixels):
                item = 3 * (group * pixels + pixel)
                red, green, blue = first(low, middle, high)
                if item < items.size:
                    items[item], items[item + 1], items[item + 2] = red, green, blue
                low, middle, high = rotate(low, middle, high, red, green, blue)

    return Packing(pixels, word, first, rotate, device_function(load), device_function(store))


# Numba computes with integers of 64 bits, so each result is converted back.
def _first_bytes(low: Any, middle: Any, high: Any) -> Any:
    return np.uint32(low & BYTE), np.uint32((low >> EIGHT) & BYTE), np.uint32((low >> SIXTEEN) & BYTE)


def _rotate_bytes(low: Any, middle: Any, high: Any, red: Any, green: Any, blue: Any) -> Any:
    above = np.uint32(red | (green << EIGHT) | (blue << SIXTEEN))
    return (
        np.uint32((low >> TWENTY_FOUR) | (middle << EIGHT)),
        np.uint32((middle >> TWENTY_FOUR) | (high << EIGHT)),
        np.uint32((high >> TWENTY_FOUR) | (above << EIGHT)),
    )


def _first_halves(low: Any, middle: Any, high: Any) -> Any:
    return np.uint32(low & HALF_WORD), np.uint32(low >> SIXTEEN), np.uint32(middle & HALF_WORD)


def _rotate_halves(low: Any, middle: Any, high: Any, red: Any, green: Any, blue: Any) -> Any:
    return (
        np.uint32((middle >> SIXTEEN) | (high << SIXTEEN)),
        np.uint32((high >> SIXTEEN) | (red << SIXTEEN)),
        np.uint32(green | (blue << SIXTEEN)),
    )


def _first_floats(low: Any, middle: Any, high: Any) -> Any:
    return low, middle, high


def _rotate_floats(low: Any, middle: Any, high: Any, red: Any, green: Any, blue: Any) -> Any:
    return red, green, blue
