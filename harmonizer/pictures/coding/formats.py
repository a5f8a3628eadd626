"""The formats of picture files, told by how they begin."""

from __future__ import annotations

from enum import StrEnum

HEADER = 64
"""Bytes from the start of a file by which its format is told."""

READABLE = "JPEG, PNG, WebP and TIFF (not BigTIFF), AVIF, HEIC, JPEG XL and OpenEXR"


class Format(StrEnum):
    """What a picture is written as where no file name tells; a key of `encode.ENCODERS` after a dot."""

    png = "png"
    jpg = "jpg"
    webp = "webp"
    tif = "tif"
    avif = "avif"
    exr = "exr"

    @property
    def media_type(self) -> str:
        """As HTTP names it."""
        return {"jpg": "image/jpeg", "tif": "image/tiff", "exr": "image/x-exr"}.get(self, f"image/{self}")


_TIFF = (b"II*\0", b"MM\0*")
_JPEG_XL = (b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n")
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")


def kind(header: bytes) -> str | None:
    """The format that the first HEADER bytes of a file announce.

    One of jpeg, png, webp, tiff, avif, heic, jxl and exr, or None.
    """
    if header.startswith(_TIFF):
        return "tiff"
    if header.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if header.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if header.startswith(_JPEG_XL):
        return "jxl"
    if header.startswith(b"v/1\x01"):
        return "exr"
    if header[4:8] == b"ftyp":
        return _iso_kind(header)
    return "webp" if header[:4] == b"RIFF" and header[8:12] == b"WEBP" else None


def _iso_kind(header: bytes) -> str | None:
    """AVIF and HEIC share their container; the brands in its first box tell them apart."""
    brands = header[8 : int.from_bytes(header[:4], "big")]
    if b"avif" in brands or b"avis" in brands:
        return "avif"
    return "heic" if header[8:12] in _HEIC_BRANDS else None
