"""Raw frames from FFmpeg and back to it: no container, only the values of each frame, row by row."""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from harmonizer.errors import HarmonizerWarning, StreamError
from harmonizer.pictures import io
from harmonizer.pictures.picture import Pixels, check_size, convert_depth
from harmonizer.pipeline import Harmonizer


class PixelFormat(StrEnum):
    """How raw frames are laid out, by FFmpeg's names: 8 or 16 bits a sample, with alpha or without."""

    rgb24 = "rgb24"
    rgba = "rgba"
    rgb48le = "rgb48le"
    rgba64le = "rgba64le"

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype("u1" if self in ("rgb24", "rgba") else "<u2")

    @property
    def channels(self) -> int:
        return 4 if self.startswith("rgba") else 3


def standard_streams() -> tuple[BinaryIO, BinaryIO]:
    """Standard input and output for raw frames. Raises StreamError for one that is closed."""
    for stream, name in ((sys.stdin, "input"), (sys.stdout, "output")):
        if stream is None:
            raise StreamError(f"standard {name} is closed; frames go from standard input to standard output")
    return sys.stdin.buffer, sys.stdout.buffer


def harmonize_stream(
    harmonizer: Harmonizer,
    source: BinaryIO,
    sink: BinaryIO,
    shape: tuple[int, int],
    pixel_format: PixelFormat,
    mask: Path | None,
) -> None:
    """Harmonize raw frames of `shape` (H, W), each by itself, until the source ends; the pixel format stays.

    `mask` is a picture with the mask of all frames. Without it, the alpha channel of each frame is its mask.
    A warning that applies to many frames is given once.
    Raises StreamError, ImageFileError, MaskError, OutputError, and BrokenPipeError.
    """
    has_alpha = pixel_format.channels == 4
    if mask is None and not has_alpha:
        raise StreamError(
            f"{pixel_format} frames have no alpha channel, so nothing shows the foreground; give a mask, or send "
            "rgba or rgba64le"
        )
    if mask is not None and has_alpha:
        raise StreamError(
            f"the mask {mask} and the alpha channel of {pixel_format} frames both show the foreground; leave the mask "
            "out, or send rgb24 or rgb48le"
        )
    still = None if mask is None else io.read_mask(mask, shape)
    with warnings.catch_warnings():
        warnings.simplefilter("default", HarmonizerWarning)  # once for each place in the code
        for frame in read_frames(source, shape, pixel_format):
            # As opacity: a frame of a fade that is nowhere above level 1 would be taken for flags.
            alpha = convert_depth(frame[..., 3], np.float32) if still is None else still
            image = harmonizer.harmonize(frame[..., :3], alpha).image
            out = np.dstack([image, frame[..., 3]]) if has_alpha else image
            io.write_stream(sink, out.astype(pixel_format.dtype, copy=False).tobytes())


def read_frames(source: BinaryIO, shape: tuple[int, int], pixel_format: PixelFormat) -> Iterator[Pixels]:
    """Frames (H, W, 3 or 4), uint8 or uint16, one at a time.

    Raises StreamError if none comes or the last is cut off.
    """
    dtype, channels = pixel_format.dtype, pixel_format.channels
    expected = shape[0] * shape[1] * channels * dtype.itemsize
    count = 0
    while data := source.read(expected):
        count += 1
        if len(data) < expected:
            raise StreamError(
                f"frame {count} is cut off: {len(data)} of {expected} bytes came. If the sender did not fail, it sends "
                f"another size or pixel format than {shape[1]}x{shape[0]} {pixel_format}"
            )
        yield np.frombuffer(data, dtype).astype(dtype.newbyteorder("="), copy=False).reshape(*shape, channels)
    if not count:
        raise StreamError("no frame came; send raw frames, as ffmpeg -i VIDEO -f rawvideo -pix_fmt rgb24 - does")


def parse_size(size: str) -> tuple[int, int]:
    """(H, W) from text such as 1920x1080. Raises StreamError."""
    match = re.fullmatch(r"([1-9][0-9]*)x([1-9][0-9]*)", size, re.ASCII)
    if not match:
        raise StreamError(f"a frame's size is WIDTHxHEIGHT, as 1920x1080; got {size!r}")
    width, height = int(match[1]), int(match[2])
    try:
        check_size(width, height)
    except ValueError as error:
        raise StreamError(f"a frame's {error}") from None
    return height, width
