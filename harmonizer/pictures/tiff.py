"""TIFF files: reads those of 16 bits and float, which Pillow cannot; writes EXIF data, which tifffile cannot."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from harmonizer.pictures import exif
from harmonizer.pictures.picture import Pixels, check_size

# BigTIFF is left out: Pillow cannot read its EXIF data alone, and no picture below the size limit needs it.
HEADERS = (b"II*\0", b"MM\0*")
START = 8  # of the directory: right behind the header


def read_deep(data: bytes) -> tuple[Pixels, bytes | None] | None:
    """Grey or RGB samples (H, W) or (H, W, S) with the ICC profile of a 16-bit or float TIFF; None if it is of 8 bits.

    uint16 or float32. Raises ValueError for what is not supported, else whatever tifffile raises.
    """
    import tifffile

    with tifffile.TiffFile(io.BytesIO(data)) as file:
        page: Any = file.pages[0]
        dtype = np.dtype(page.dtype)
        if dtype.itemsize == 1:
            return None
        if dtype != np.uint16 and dtype.kind != "f":
            raise ValueError(f"its samples are {dtype}; convert them to 8 or 16 bits or to float first")
        if page.photometric.name not in ("MINISBLACK", "MINISWHITE", "RGB"):
            raise ValueError(f"its {dtype} samples are {page.photometric.name}; convert them to RGB first")
        if 1 in page.extrasamples:
            raise ValueError("its alpha is premultiplied; save it with straight alpha")
        check_size(page.imagewidth, page.imagelength)
        samples: Pixels = page.asarray().astype(dtype if dtype == np.uint16 else np.float32, copy=False)
        if page.photometric.name == "MINISWHITE":
            samples = (65535 if dtype == np.uint16 else np.float32(1)) - samples
        return np.moveaxis(samples, 0, -1) if page.axes == "SYX" else samples, page.iccprofile


def write(samples: Pixels, profile: bytes | None, exif_data: bytes | None) -> bytes:
    """RGB or RGBA samples (H, W, 3 or 4), uint8, uint16 or float32, in one deflated strip; profile and EXIF data."""
    import imagecodecs
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    height, width, channels = samples.shape
    integer = samples.dtype.kind == "u"
    if integer:
        # TIFF's horizontal predictor; unsigned subtraction wraps, as the format wants it
        samples = np.concatenate([samples[:, :1], samples[:, 1:] - samples[:, :-1]], axis=1)
    strip = imagecodecs.zlib_encode(samples.astype(samples.dtype.newbyteorder("<")).tobytes())

    directory = ImageFileDirectory_v2(ifh=b"II*\0\0\0\0\0")
    tags = {
        256: width,
        257: height,
        258: (samples.dtype.itemsize * 8,) * channels,
        259: 8,  # deflate
        262: 2,  # RGB
        273: 0,  # the strip follows the directory; Pillow adds where that ends
        274: 1,  # upright
        277: channels,
        278: height,
        279: len(strip),
        317: 2 if integer else 1,
        339: (1 if integer else 3,) * channels,
    }
    if channels == 4:
        tags[338] = 2  # straight alpha
    if profile:
        tags[34675] = profile
    for tag, value in {**exif.describing(exif_data), **tags}.items():
        directory[tag] = value
    return b"II*\0" + START.to_bytes(4, "little") + directory.tobytes(START) + strip
