"""Reads and writes picture files: the only place that opens them."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import BinaryIO

from harmonizer.atomic import check_place, write_file
from harmonizer.errors import ImageFileError, MaskError, OutputError
from harmonizer.pictures import roles
from harmonizer.pictures.coding.decode import decode
from harmonizer.pictures.coding.encode import ENCODERS, LONGEST
from harmonizer.pictures.coding.formats import HEADER, READABLE, kind
from harmonizer.pictures.picture import Picture, Pixels

# As the name of a file: standard input where it is read, standard output where it is written.
STANDARD = Path("-")


def read_image(path: str | Path, *, is_mask: bool = False) -> Picture:
    """Read a file of a format that docs/formats.md lists as RGB: 8 bits, 16 bits or float32, upright.

    Grey and palette become RGB; grey, CMYK and Lab through their profile where they have one. Of a mask the values
    themselves count: no profile bends them. `-` is standard input. Raises ImageFileError.
    """
    path = Path(path)
    name = "standard input" if path == STANDARD else str(path)
    try:
        if path == STANDARD and sys.stdin is None:
            raise ImageFileError("standard input is closed; name a file")
        with nullcontext(sys.stdin.buffer) if path == STANDARD else path.open("rb") as file:
            header = file.read(HEADER)
            if kind(header) is None:  # before all of it is read: it may be a film, or a device
                reason = "" if header else ". It is empty"
                raise ImageFileError(f"{name} is not a picture that can be read; {READABLE} can{reason}")
            data = header + file.read()
    except FileNotFoundError:
        raise ImageFileError(f"there is no file {path}; check the name and the folder") from None
    except OSError as error:
        raise ImageFileError(f"{name} cannot be read: {error.strerror}") from error
    return decode_image(data, name, is_mask=is_mask)


def decode_image(data: bytes, name: str, *, is_mask: bool = False) -> Picture:
    """Decode the bytes of a file, as `read_image` does. Raises ImageFileError, with `name`."""
    try:
        return decode(data, is_mask=is_mask)
    except ImageFileError as error:
        raise ImageFileError(f"{name} cannot be read: {error}") from error
    except Exception as error:  # the decoders share no base class of errors
        message = f"{name} cannot be decoded: {error}. If it is damaged or cut off, get it again; else convert it"
        raise ImageFileError(message) from error


def read_mask(path: str | Path, size: tuple[int, int]) -> Pixels:
    """Read a foreground mask for a picture of `size` (H, W): HW, float32 in [0, 1], as `roles.opacity` has it.

    Raises ImageFileError, and MaskError for a picture of another size, or in colour.
    """
    return roles.opacity(read_image(path, is_mask=True), size, str(path))


def read_roles(
    composite: str | Path, mask: str | Path | None = None, background: str | Path | None = None
) -> tuple[Picture, Pixels]:
    """Read a composite and its foreground mask (as `read_mask`).

    With a `background`, `composite` is a foreground, whose alpha channel or `mask` says what is pasted onto it.
    Raises ImageFileError, and MaskError for files of different sizes, a mask in colour, or if nothing is a mask.
    """
    _check_streams(composite, mask, background)
    if mask is None and background is None:
        raise MaskError(
            f"nothing shows the foreground of {composite}; give its mask as second picture, or --background with what "
            "it is to be pasted onto"
        )
    return roles.combine(
        read_image(composite),
        None if mask is None else read_image(mask, is_mask=True),
        None if background is None else read_image(background),
        (str(composite), str(mask), str(background)),
    )


def read_composite(first: str | Path, second: str | Path) -> tuple[Picture, Pixels]:
    """Read two files whose roles have no names: composite and mask, or foreground and background (`roles.is_pasted`).

    Raises ImageFileError and MaskError, as `read_roles` and `roles.is_pasted` do.
    """
    _check_streams(first, second)
    picture, other = read_image(first), read_image(second, is_mask=True)  # if it is grey
    if roles.is_pasted(picture, other, str(second)):
        return roles.paste(picture, other, None, (str(first), str(second)))
    return picture, roles.opacity(other, picture.pixels.shape[:2], str(second))


def check_output(path: str | Path) -> None:
    """Raise OutputError unless `path` is `-`, or the format of its name can be written and its folder exists."""
    path = Path(path)
    if path == STANDARD:
        return
    if path.suffix.lower() not in ENCODERS:
        fault = f"ends in {path.suffix!r}" if path.suffix else "has no extension"
        raise OutputError(f"{path} {fault}; pictures are written as {', '.join(ENCODERS)}")
    check_place(path)


def check_size(path: Path, pixels: Pixels, extension: str = ".png") -> None:
    """Raise OutputError if a format cannot hold so large a picture (H, W, ...): of `path`, for `-` of `extension`."""
    suffix = extension if path == STANDARD else path.suffix.lower()
    height, width = pixels.shape[:2]
    if max(height, width) > LONGEST.get(suffix, max(height, width)):
        raise OutputError(
            f"{path} cannot be written: {suffix} holds at most {LONGEST[suffix]} pixels a side, the picture has "
            f"{width} x {height}; choose .png or .tif"
        )


def check_lut(path: Path) -> None:
    """Raise OutputError unless programs will know the file as a LUT, and it can lie there."""
    if path.suffix.lower() != ".cube":
        raise OutputError(f"{path} is no name of a LUT; programs know one by the extension .cube")
    check_place(path)


def write_image(path: str | Path, picture: Picture, extension: str = ".png") -> None:
    """Write a picture in the format of its extension, one of ENCODERS.

    Where the format has not the depth of the pixels, they are rounded, with a HarmonizerWarning. The file
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
        if sys.stdout is None:
            raise OutputError("standard output is closed; name a file with -o")
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


def _check_streams(*paths: str | Path | None) -> None:
    if [Path(path) for path in paths if path is not None].count(STANDARD) > 1:
        raise ImageFileError("only one of the two pictures can come from standard input; give the other as a file")
