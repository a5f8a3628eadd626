"""A decoded picture file, and conversions between its depths: 8 bits, 16 bits and float."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from whitebox_filters.images import LEVELS

Pixels = npt.NDArray[Any]
"""HWC RGB or HW: uint8, uint16 (full scale 255, 65535), float32 or float64 in [0, 1]."""

# Where Pillow refuses a picture as a decompression bomb; the other decoders get the same limit.
MAX_PIXELS = 178_956_970


@dataclass(frozen=True)
class Picture:
    """A decoded file, upright: `pixels` HWC RGB in uint8, uint16 or float32, `alpha` HW of that dtype."""

    pixels: Pixels
    alpha: Pixels | None = None  # straight, not premultiplied; None if the file has none, or if it is opaque everywhere
    profile: bytes | None = None  # ICC profile of `pixels`; None means sRGB
    exif: bytes | None = None  # as Pillow writes it; its orientation is 1


def convert_depth(pixels: Pixels, dtype: npt.DTypeLike) -> Pixels:
    """`pixels` in another depth, rounded to the nearest level; the same array if it has that depth already."""
    if pixels.dtype == dtype:
        return pixels
    before, after = LEVELS.get(pixels.dtype), LEVELS.get(np.dtype(dtype))
    scaled = pixels if before is None else np.divide(pixels, np.float32(before), dtype=np.float32)
    if after is None:
        return np.ascontiguousarray(scaled, dtype)
    return (scaled * np.float32(after) + np.float32(0.5)).astype(dtype, order="C")


def check_size(width: int, height: int) -> None:
    """Raise ValueError for a picture too large to decode."""
    if width * height > MAX_PIXELS:
        raise ValueError(f"{width} x {height} pixels exceed the limit of {MAX_PIXELS}; scale it down first")
