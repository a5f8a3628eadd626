"""Pictures as clients send them: told by their content, and measured before they are decoded."""

from __future__ import annotations

from dataclasses import dataclass, replace

from harmonizer.errors import ImageFileError, OutputError
from harmonizer.pictures import roles
from harmonizer.pictures.coding.decode import decode, read_size
from harmonizer.pictures.coding.encode import ENCODERS
from harmonizer.pictures.coding.formats import HEADER, READABLE, Format, kind
from harmonizer.pictures.picture import Picture, Pixels, convert_depth
from harmonizer.pictures.placement import Placement, place
from harmonizer.server.problems import RequestError

NAMES = ("upload", "upload", "upload")  # clients' names of files are none of ours


@dataclass(frozen=True)
class Upload:
    """The bytes of the pictures of one request; with a background, `composite` is a cut-out to be pasted onto it."""

    composite: bytes
    mask: bytes | None = None
    background: bytes | None = None


def read_composite(upload: Upload, placement: Placement | None, most: int) -> tuple[Picture, Pixels | None]:
    """A composite and its mask as opacity (H, W), None without mask and background.

    With a background, `composite` is pasted onto that first: where `placement` says, else pixel over pixel.
    Raises RequestError 415 for a file that is no picture, 413 for one of more than `most` pixels, ImageFileError and
    MaskError.
    """
    picture = decode_upload(upload.composite, "composite", most)
    mask = None if upload.mask is None else decode_upload(upload.mask, "mask", most, is_mask=True)
    background = None if upload.background is None else decode_upload(upload.background, "background", most)
    if mask is None and background is None:
        return picture, None
    if background is not None and placement is not None:
        if mask is not None:
            _, opacity = roles.combine(picture, mask, None, NAMES)
            picture, mask = replace(picture, alpha=convert_depth(opacity, picture.pixels.dtype)), None
        picture = place(picture, background.pixels.shape[:2], placement, NAMES[0])
    return roles.combine(picture, mask, background, NAMES)


def decode_upload(data: bytes, name: str, most: int, *, is_mask: bool = False) -> Picture:
    """Decode a picture by its content. Raises RequestError 415 and 413, and ImageFileError."""
    if kind(data[:HEADER]) is None:
        raise RequestError(
            415,
            f"the {name} is not a picture that can be read",
            given=f"{len(data)} bytes" + (f" that begin with {data[:4].hex(' ')}" if data else ""),
            accepted=READABLE,
            advice="Send the bytes of the file unchanged, as multipart/form-data.",
        )
    _check_pixels(data, name, most)
    try:
        return decode(data, is_mask=is_mask)
    except Exception as error:  # the decoders share no base class of errors
        raise ImageFileError(f"the {name} cannot be decoded: {error}") from error


def _check_pixels(data: bytes, name: str, most: int) -> None:
    from PIL.Image import DecompressionBombError

    try:
        width, height = read_size(data)
    except DecompressionBombError as error:
        given = str(error)
    except Exception as error:  # the decoders share no base class of errors
        raise ImageFileError(f"the {name} cannot be decoded: {error}") from error
    else:
        if width * height <= most:
            return
        given = f"{width} x {height} pixels"
    raise RequestError(
        413,
        f"the {name} has too many pixels",
        given=given,
        accepted=f"{most} pixels",
        advice="Scale it down, or ask whoever runs this service to raise the limit.",
    )


def encode(picture: Picture, format: Format) -> bytes:
    """The bytes of a picture in a format. Raises OutputError."""
    try:
        return ENCODERS[f".{format}"](picture)
    except Exception as error:  # the encoders share no base class of errors
        raise OutputError(f"the picture cannot be written as {format}: {error}") from error
