"""The chunks of PNG files that neither Pillow nor imagecodecs reads or writes as we need them."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence

import numpy as np

from harmonizer.pictures.picture import Picture, Pixels

SIGNATURE = b"\x89PNG\r\n\x1a\n"
HEADER_END = len(SIGNATURE) + 25
XMP_KEYWORD = b"XML:com.adobe.xmp"
INCH = 0.0254  # metres


def is_deep(data: bytes) -> bool:
    """Whether it has 16 bits a sample."""
    return data[24:25] == b"\x10"


def read_chunks(data: bytes) -> dict[bytes, bytes]:
    """The first chunk of each name before the pixels, by name."""
    chunks: dict[bytes, bytes] = {}
    at = len(SIGNATURE)
    while at + 8 <= len(data):
        size, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if name in (b"IDAT", b"IEND"):
            break
        chunks.setdefault(name, data[at + 8 : at + 8 + size])
        at += 12 + size
    return chunks


def decode_deep(data: bytes, chunks: Mapping[bytes, bytes]) -> Pixels:
    """Samples (H, W) or (H, W, S), uint16; a colour that tRNS makes transparent becomes an alpha channel."""
    import imagecodecs

    samples: Pixels = imagecodecs.png_decode(data)
    colours = {0: 1, 2: 3}.get(data[25])
    key = chunks.get(b"tRNS", b"")
    if colours is None or len(key) != 2 * colours or (samples.shape[2] if samples.ndim == 3 else 1) != colours:
        return samples
    planes = samples.reshape(*samples.shape[:2], colours)
    hidden = (planes == np.frombuffer(key, ">u2")).all(axis=2)
    return np.dstack([planes, np.where(hidden, 0, 65535).astype(np.uint16)])


def add_metadata(encoded: bytes, picture: Picture) -> bytes:
    """An encoded PNG with the picture's profile, cICP, EXIF data, XMP and resolution behind its header."""
    return encoded[:HEADER_END] + b"".join(_chunks(picture)) + encoded[HEADER_END:]


def _chunks(picture: Picture) -> Sequence[bytes]:
    chunks = []
    if picture.cicp:
        chunks.append(_chunk(b"cICP", picture.cicp))
    if picture.profile:
        chunks.append(_chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(picture.profile)))
    if picture.resolution:
        across, down = (round(dots / INCH) for dots in picture.resolution)
        chunks.append(_chunk(b"pHYs", struct.pack(">2IB", across, down, 1)))
    if picture.exif:
        chunks.append(_chunk(b"eXIf", picture.exif.removeprefix(b"Exif\0\0")))
    if picture.xmp:
        chunks.append(_chunk(b"iTXt", XMP_KEYWORD + b"\0\0\0\0\0" + picture.xmp))
    return chunks


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
