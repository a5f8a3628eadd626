"""A decoded picture file, and conversions between its depths: 8 bits, 16 bits and float."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from whitebox_filters.images import LEVELS

if TYPE_CHECKING:
    from harmonizer.pictures.coding.exr import Scene

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
    xmp: bytes | None = None
    iptc: bytes | None = None
    resolution: tuple[float, float] | None = None  # dots an inch, across and down
    scene: Scene | None = None  # the OpenEXR file that `pixels` was encoded from
    cicp: bytes | None = None  # code points of ITU-T H.273 as PNG holds them; of HDR alone, which no profile describes


def convert_depth(pixels: Pixels, dtype: npt.DTypeLike) -> Pixels:
    """`pixels` in another depth, rounded to the nearest level; the same array if it has that depth already."""
    if pixels.dtype == dtype:
        return pixels
    before, after = LEVELS.get(pixels.dtype), LEVELS.get(np.dtype(dtype))
    scaled = pixels if before is None else np.divide(pixels, np.float32(before), dtype=np.float32)
    if after is None:
        return np.ascontiguousarray(scaled, dtype)
    return (scaled * np.float32(after) + np.float32(0.5)).astype(dtype, order="C")


def scale_levels(samples: Pixels, bits: int) -> Pixels:
    """Integer samples of which 2^bits - 1 is full scale, on the full scale of uint8 or uint16, rounded."""
    dtype = np.dtype(np.uint8 if bits <= 8 else np.uint16)
    top, full = (1 << bits) - 1, LEVELS[dtype]
    if top == full:
        return samples.astype(dtype, copy=False)
    return ((samples.astype(np.uint32).clip(max=top) * full + top // 2) // top).astype(dtype)


def check_size(width: int, height: int) -> None:
    """Raise ValueError for a picture too large to decode."""
    if width * height > MAX_PIXELS:
        raise ValueError(f"{width} x {height} pixels exceed the limit of {MAX_PIXELS}; scale it down first")
