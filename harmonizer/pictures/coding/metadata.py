"""What a file says beside its pixels: EXIF data, XMP, IPTC, resolution; and which of it another format cannot hold."""

from __future__ import annotations

import re
import struct
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harmonizer.errors import HarmonizerWarning
from harmonizer.pictures.coding import exif
from harmonizer.pictures.picture import Picture

if TYPE_CHECKING:
    from PIL import Image

XMP_TAG, IPTC_TAG = 700, 33723
RESOLUTION_TAGS = (exif.X_RESOLUTION, exif.Y_RESOLUTION, exif.RESOLUTION_UNIT)
IPTC_RESOURCE = 1028  # of Photoshop's image resources
TITLES = {
    "exif": "EXIF data",
    "xmp": "XMP data",
    "iptc": "IPTC data",
    "resolution": "resolution",
    "cicp": "HDR code points (cICP)",
}


@dataclass(frozen=True)
class Metadata:
    """As the fields of `Picture` of the same names."""

    exif: bytes | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None
    resolution: tuple[float, float] | None = None


def read(image: Image.Image, orientation: int, exif_data: bytes | None) -> Metadata:
    """The metadata of an opened picture that is no TIFF file, whose pixels are turned upright from `orientation`."""
    xmp: Any = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp")
    iptc = image.info.get("photoshop", {}).get(IPTC_RESOURCE) if image.format == "JPEG" else None
    resolution = image.info.get("dpi") or exif.resolution(exif_data)
    return upright(orientation, exif_data, xmp, iptc, resolution)


def upright(orientation: int, exif_data: bytes | None, xmp: Any, iptc: Any, resolution: Any) -> Metadata:
    """What a file says, in values of any type, as it holds of the picture turned upright."""
    turned = orientation >= 5
    usable = isinstance(resolution, tuple) and len(resolution) == 2 and min(resolution) > 0
    across, down = (float(value) for value in resolution) if usable else (0.0, 0.0)
    return Metadata(
        exif.swap_sizes(exif_data) if turned else exif_data,
        upright_xmp(xmp.encode() if isinstance(xmp, str) else xmp),
        bytes(iptc) if isinstance(iptc, bytes) and iptc else None,
        None if not usable else (down, across) if turned else (across, down),
    )


def warn_of_loss(picture: Picture, format: str, holds: Sequence[str]) -> None:
    """Give one HarmonizerWarning that names the metadata that a format does not hold."""
    lost = [title for name, title in TITLES.items() if getattr(picture, name) and name not in holds]
    if lost:
        message = f"{format} holds no {' and no '.join(lost)}; it is dropped"
        warnings.warn(message, HarmonizerWarning, stacklevel=3)


def jpeg_segment(iptc: bytes) -> bytes:
    """IPTC data as the APP13 segment of a JPEG file, or nothing if it is too long for one."""
    body = (
        b"Photoshop 3.0\0" + b"8BIM" + struct.pack(">H2xI", IPTC_RESOURCE, len(iptc)) + iptc + b"\0" * (len(iptc) % 2)
    )
    return b"\xff\xed" + struct.pack(">H", len(body) + 2) + body if len(body) + 2 < 65536 else b""


def upright_xmp(xmp: bytes | None) -> bytes | None:
    """XMP that says of the orientation what now holds: the pixels are upright."""
    if not isinstance(xmp, bytes) or not xmp.strip(b"\0 "):
        return None
    xmp = xmp.rstrip(b"\0")
    attribute = re.sub(rb"(tiff:Orientation\s*=\s*[\"'])[2-8]([\"'])", rb"\g<1>1\2", xmp)
    return re.sub(rb"(<tiff:Orientation>\s*)[2-8](\s*</tiff:Orientation>)", rb"\g<1>1\2", attribute)
