"""EXIF data, kept but for the orientation, which the pixels have taken on."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from harmonizer.errors import HarmonizerWarning

if TYPE_CHECKING:
    from PIL import Image

ORIENTATION = 0x0112
WIDTH, HEIGHT = 0xA002, 0xA003  # in the directory of camera settings
INTEROPERABILITY = 0xA005
X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 282, 283, 296
INCH, CENTIMETRE = 2, 3
DIRECTORIES = (0x8769, 0x8825)  # camera settings, GPS
# Description, make, model, software, date, artist, host, copyright. The other tags of a TIFF file tell how its
# pixels are stored, which no longer holds in another file.
TEXTS = (270, 271, 272, 305, 306, 315, 316, 33432)


def read(source: Image.Image | bytes) -> tuple[int, bytes | None]:
    """The orientation (1 to 8) and the EXIF data with orientation 1, of a loaded picture or a whole TIFF file.

    Pillow turns a TIFF file upright as it loads it, and then reports orientation 1.
    """
    try:
        exif = parse(source) if isinstance(source, bytes) else source.getexif()
        orientation = int(exif.get(ORIENTATION, 1))
        if isinstance(source, bytes) or source.format == "TIFF":
            for tag in set(exif) - {*TEXTS, *DIRECTORIES}:
                del exif[tag]
        elif ORIENTATION in exif:
            exif[ORIENTATION] = 1
        return orientation, exif.tobytes() if len(exif) else None
    except Exception:  # Pillow lets errors of many types out of damaged EXIF data; the pixels are good without it
        warnings.warn("the EXIF data is damaged; it is dropped", HarmonizerWarning, stacklevel=2)
        return 1, None


def upright(data: bytes) -> bytes | None:
    """EXIF data of a picture that its decoder has turned, with orientation 1; None for none, or damaged data."""
    if not data:
        return None
    try:
        exif = parse(data)
        if ORIENTATION in exif:
            exif[ORIENTATION] = 1
        return exif.tobytes() if len(exif) else None
    except Exception:  # as in `read`
        warnings.warn("the EXIF data is damaged; it is dropped", HarmonizerWarning, stacklevel=2)
        return None


def swap_sizes(data: bytes | None) -> bytes | None:
    """EXIF data with width and height exchanged, of a picture that was turned by a quarter."""
    exif = parse(data)
    directory = exif.get_ifd(DIRECTORIES[0])
    if not (WIDTH in directory and HEIGHT in directory):
        return data
    directory[WIDTH], directory[HEIGHT] = directory[HEIGHT], directory[WIDTH]
    return exif.tobytes()


def with_resolution(data: bytes | None, resolution: tuple[float, float]) -> bytes:
    """EXIF data that says the resolution, in dots an inch across and down."""
    exif = parse(data)
    exif[X_RESOLUTION], exif[Y_RESOLUTION], exif[RESOLUTION_UNIT] = *resolution, INCH
    return exif.tobytes()


def resolution(data: bytes | None) -> tuple[float, float] | None:
    """The resolution that EXIF data say, in dots an inch; None for none, or in no unit of length."""
    exif = parse(data)
    scale = {INCH: 1.0, CENTIMETRE: 2.54}.get(exif.get(RESOLUTION_UNIT, INCH))
    if scale is None or not (X_RESOLUTION in exif and Y_RESOLUTION in exif):
        return None
    return scale * float(exif[X_RESOLUTION]), scale * float(exif[Y_RESOLUTION])


def is_adobe_rgb(data: bytes | None) -> bool:
    """Whether a camera says so (Design rule for Camera File system: the interoperability index R03)."""
    return parse(data).get_ifd(INTEROPERABILITY).get(1) == "R03"


def parse(data: bytes | None) -> Image.Exif:
    """EXIF data, or a whole TIFF file, as Pillow's mapping; empty for None."""
    from PIL import Image

    exif = Image.Exif()
    if data:
        exif.load(data)
    return exif


def describing(data: bytes | None) -> dict[int, Any]:
    """The tags that describe the photograph, not its storage: texts, and each directory as a mapping of its own."""
    exif = parse(data)
    texts = {tag: exif[tag] for tag in TEXTS if tag in exif}
    return texts | {tag: exif.get_ifd(tag) for tag in DIRECTORIES if tag in exif}
