"""Reads and writes picture files: the only place that opens them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import numpy as np

from harmonizer.atomic import check_place, write_file
from harmonizer.errors import ImageFileError, MaskError, OutputError
from harmonizer.pictures.codecs import ENCODERS, decode, kind
from harmonizer.pictures.picture import Picture, Pixels, convert_depth
from whitebox_filters.images import to_alpha

# A grey picture that went through a lossy format has channels that differ by a few levels.
COLOUR_TOLERANCE = 1 / 16
# As the name of a file: standard input where it is read, standard output where it is written.
STANDARD = Path("-")


def read_image(path: str | Path) -> Picture:
    """Read a JPEG, PNG, WebP or TIFF file as RGB: 8 bits, 16 bits or float32, upright by its EXIF orientation.

    Grey and palette become RGB; CMYK too, through its profile where it has one. `-` is standard input.
    Raises ImageFileError.
    """
    path = Path(path)
    name = "standard input" if path == STANDARD else str(path)
    try:
        with nullcontext(sys.stdin.buffer) if path == STANDARD else path.open("rb") as file:
            header = file.read(16)
            if kind(header) is None:
                reason = "" if header else ". It is empty"
                raise ImageFileError(
                    f"{name} is not a picture that can be read; JPEG, PNG, WebP and TIFF (not BigTIFF) can{reason}"
                )
            data = header + file.read()
    except FileNotFoundError:
        raise ImageFileError(f"there is no file {path}; check the name and the folder") from None
    except OSError as error:
        raise ImageFileError(f"{name} cannot be read: {error.strerror}") from error
    try:
        return decode(data)
    except Exception as error:  # the decoders share no base class of errors
        message = f"{name} cannot be decoded: {error}. If it is damaged or cut off, get it again; else convert it"
        raise ImageFileError(message) from error


def read_mask(path: str | Path, size: tuple[int, int]) -> Pixels:
    """Read a foreground mask for a picture of `size` (H, W): HW, float32 in [0, 1], 1 on the foreground.

    The mask is the file's alpha channel if that varies, else its grey values; values of only 0 and 1 count as
    false and true. Raises ImageFileError, and MaskError for a picture of another size, or in colour.
    """
    return _opacity(path, read_image(path), size)


def read_composite(first: str | Path, second: str | Path) -> tuple[Picture, Pixels]:
    """Read a composite and its foreground mask (as `read_mask`) from two files of one size.

    Either composite and mask, or foreground and background: where the first file has an alpha channel that varies,
    and the second has none and is in colour (channels that differ by more than 1/16 of full scale somewhere), the
    first is pasted onto the second, and its alpha channel is the mask.
    Raises ImageFileError, and MaskError for a second file of another size, or in colour without that.
    """
    if Path(first) == Path(second) == STANDARD:
        raise ImageFileError("only one of the two pictures can come from standard input; give the other as a file")
    picture, other = read_image(first), read_image(second)
    size = picture.pixels.shape[:2]
    if picture.alpha is None or other.alpha is not None or not is_colour(other.pixels):
        return picture, _opacity(second, other, size)
    if other.pixels.shape != picture.pixels.shape:
        raise MaskError(
            f"the foreground {first} has {_extent(size)} pixels, the background {second} "
            f"{_extent(other.pixels.shape)}; put the foreground on a transparent canvas of the background's size"
        )
    alpha = convert_depth(picture.alpha, np.float32)
    return _paste(picture, other, alpha), alpha


def check_output(path: str | Path) -> None:
    """Raise OutputError unless `path` is `-`, or the format of its name can be written and its folder exists."""
    path = Path(path)
    if path == STANDARD:
        return
    if path.suffix.lower() not in ENCODERS:
        fault = f"ends in {path.suffix!r}" if path.suffix else "has no extension"
        raise OutputError(f"{path} {fault}; pictures are written as {', '.join(ENCODERS)}")
    check_place(path)


def check_lut(path: Path) -> None:
    """Raise OutputError unless programs will know the file as a LUT, and it can lie there."""
    if path.suffix.lower() != ".cube":
        raise OutputError(f"{path} is no name of a LUT; programs know one by the extension .cube")
    check_place(path)


def write_image(path: str | Path, picture: Picture, extension: str = ".png") -> None:
    """Write a picture in the format of its extension: .jpg, .jpeg, .png, .webp, .tif or .tiff.

    PNG and TIFF keep 16 bits, TIFF float too; else the pixels are rounded, with a HarmonizerWarning. The file
    appears whole or not at all. `-` is standard output, in the format of `extension`. Raises OutputError.
    """
    check_output(path)
    path = Path(path)
    try:
        data = ENCODERS[extension if path == STANDARD else path.suffix.lower()](picture)
    except Exception as error:  # the encoders share no base class of errors
        message = f"{path} cannot be written in this format: {error}. Choose another of {', '.join(ENCODERS)}"
        raise OutputError(message) from error
    if path == STANDARD:
        write_stream(sys.stdout.buffer, data)
    else:
        write_file(path, data)


def write_stream(sink: BinaryIO, data: bytes) -> None:
    """Write to a pipe and flush it. Raises OutputError, or BrokenPipeError if the receiver has closed the pipe."""
    try:
        sink.write(data)
        sink.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"standard output cannot be written: {error.strerror}") from error


def is_colour(pixels: Pixels) -> bool:
    """Whether the channels of a picture (HWC RGB) differ by more than 1/16 of full scale somewhere."""
    red, green, blue = np.moveaxis(pixels, 2, 0)  # ten times as fast as over the last axis
    low, high = np.minimum(np.minimum(red, green), blue), np.maximum(np.maximum(red, green), blue)
    scale = 1 if pixels.dtype.kind == "f" else np.iinfo(pixels.dtype).max
    return bool(np.max(high - low) > COLOUR_TOLERANCE * scale)


def _opacity(path: str | Path, mask: Picture, size: tuple[int, int]) -> Pixels:
    if mask.alpha is None and is_colour(mask.pixels):
        raise MaskError(
            f"{path} is in colour; a mask is grey, white on the foreground. To paste a foreground onto a "
            "background, give first the foreground, with an alpha channel, then the background"
        )
    if mask.pixels.shape[:2] != size:
        raise MaskError(
            f"the mask {path} has {_extent(mask.pixels.shape)} pixels, its picture {_extent(size)}; "
            "scale or crop the mask to the size of the picture"
        )
    return to_alpha(mask.pixels[..., 1] if mask.alpha is None else mask.alpha, size, np.dtype(np.float32))


def _extent(shape: Sequence[int]) -> str:
    return f"{shape[1]} x {shape[0]}"


def _paste(foreground: Picture, background: Picture, alpha: Pixels) -> Picture:
    """The foreground over the background; depth, profile and EXIF data of the background."""
    over, under = (convert_depth(picture.pixels, np.float32) for picture in (foreground, background))
    opacity = alpha[..., None]
    pixels = convert_depth(over * opacity + under * (1 - opacity), background.pixels.dtype)
    return replace(background, pixels=pixels)
