"""A Picture to the bytes of a file."""

from __future__ import annotations

import io
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from harmonizer.errors import HarmonizerWarning
from harmonizer.pictures import profiles
from harmonizer.pictures.coding import exif, exr, metadata, png, tiff
from harmonizer.pictures.picture import Picture, Pixels, convert_depth

JPEG_QUALITY = 95
WEBP_QUALITY = 95
AVIF_QUALITY = 90
# Run lengths (strategy 3): photographs get as small as with zlib's default, in a fifth of the time.
PNG_FAST = {"level": 3, "strategy": 3}


def encode_jpeg(picture: Picture) -> bytes:
    """Quality 95, 4:4:4. Raises whatever Pillow raises, e.g. OSError beyond 65535 pixels."""
    if picture.alpha is not None:
        warnings.warn("JPEG holds no alpha channel; it is dropped", HarmonizerWarning, stacklevel=2)
    metadata.warn_of_loss(picture, "JPEG", ("exif", "xmp", "iptc", "resolution"))
    pixels = _fit(picture.pixels, np.uint8, "JPEG")
    options: dict[str, Any] = {}
    if picture.iptc:
        options["extra"] = metadata.jpeg_segment(picture.iptc)
        if not options["extra"]:
            warnings.warn("the IPTC data is too long for JPEG; it is dropped", HarmonizerWarning, stacklevel=2)
    options |= {"dpi": picture.resolution} if picture.resolution else {}
    return _encode_with_pillow(pixels, picture, "JPEG", quality=JPEG_QUALITY, subsampling="4:4:4", **options)


def encode_webp(picture: Picture) -> bytes:
    """Quality 95. Raises whatever Pillow raises, e.g. beyond 16383 pixels."""
    metadata.warn_of_loss(picture, "WebP", ("exif", "xmp", "resolution"))
    return _encode_with_pillow(_samples(picture, np.uint8, "WebP"), picture, "WEBP", quality=WEBP_QUALITY)


def encode_avif(picture: Picture) -> bytes:
    """Quality 90, 4:4:4, 8 bits. Raises whatever Pillow raises."""
    metadata.warn_of_loss(picture, "AVIF", ("exif", "xmp", "resolution"))
    samples = _samples(picture, np.uint8, "AVIF")
    return _encode_with_pillow(samples, picture, "AVIF", quality=AVIF_QUALITY, subsampling="4:4:4")


def encode_png(picture: Picture) -> bytes:
    """8 or 16 bits a channel; float is rounded to 16."""
    import imagecodecs

    metadata.warn_of_loss(picture, "PNG", ("exif", "xmp", "resolution", "cicp"))
    samples = _samples(picture, np.uint8 if picture.pixels.dtype == np.uint8 else np.uint16, "PNG")
    return png.add_metadata(bytes(imagecodecs.png_encode(samples, **PNG_FAST)), picture)


def encode_tiff(picture: Picture) -> bytes:
    """8 or 16 bits or float32, as the pixels are; deflate."""
    metadata.warn_of_loss(picture, "TIFF", ("exif", "xmp", "iptc", "resolution"))
    dtype = np.float32 if picture.pixels.dtype.kind == "f" else picture.pixels.dtype
    return tiff.write(_samples(picture, dtype, "TIFF"), picture)


def encode_exr(picture: Picture) -> bytes:
    """Scene-linear: as the OpenEXR file was that the picture comes from, else float16 of Rec. 709 primaries."""
    metadata.warn_of_loss(picture, "OpenEXR", ())
    if picture.scene is not None:
        return exr.write(exr.restore(picture.scene, picture.pixels), picture.scene.header)
    linear = profiles.to_linear(profiles.convert(picture.pixels, picture.profile, None))
    if picture.alpha is not None:
        alpha = convert_depth(picture.alpha, np.float32)[..., None]
        linear = np.dstack([linear * alpha, alpha])
    return exr.write(linear.astype(np.float16 if picture.pixels.dtype == np.uint8 else np.float32), {})


ENCODERS = {
    ".jpg": encode_jpeg,
    ".jpeg": encode_jpeg,
    ".png": encode_png,
    ".webp": encode_webp,
    ".tif": encode_tiff,
    ".tiff": encode_tiff,
    ".avif": encode_avif,
    ".exr": encode_exr,
}


LONGEST = {".jpg": 65535, ".jpeg": 65535, ".webp": 16383, ".avif": 65536}
"""Pixels of a side that a format can hold, where that is less than a picture may have."""


def _encode_with_pillow(samples: Pixels, picture: Picture, format: str, **options: Any) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    image = Image.fromarray(samples)
    exif_data = picture.exif
    if picture.resolution and "dpi" not in options:
        exif_data = exif.with_resolution(exif_data, picture.resolution)
    beside = {"icc_profile": picture.profile, "exif": exif_data or b"", "xmp": picture.xmp or b""}
    image.save(file, format, **beside, **options)
    return file.getvalue()


def _samples(picture: Picture, dtype: npt.DTypeLike, format: str) -> Pixels:
    """RGB, or RGBA where there is alpha, in `dtype`."""
    pixels = _fit(picture.pixels, dtype, format)
    return pixels if picture.alpha is None else np.dstack([pixels, convert_depth(picture.alpha, dtype)])


def _fit(pixels: Pixels, dtype: npt.DTypeLike, format: str) -> Pixels:
    dtype = np.dtype(dtype)
    if dtype.itemsize < pixels.dtype.itemsize:
        message = f"{format} holds {8 * dtype.itemsize} bits a channel; the {pixels.dtype} pixels are rounded"
        warnings.warn(message, HarmonizerWarning, stacklevel=2)
    return convert_depth(pixels, dtype)
