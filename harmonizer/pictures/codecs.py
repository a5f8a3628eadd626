"""The bytes of a picture file <-> a Picture."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from harmonizer.alpha import says_something
from harmonizer.errors import HarmonizerWarning
from harmonizer.pictures import exif, tiff
from harmonizer.pictures.picture import Picture, Pixels, convert_depth

if TYPE_CHECKING:
    from PIL import Image

JPEG_QUALITY = 95
WEBP_QUALITY = 95
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Run lengths (strategy 3): photographs get as small as with zlib's default, in a fifth of the time.
PNG_FAST = {"level": 3, "strategy": 3}


def kind(header: bytes) -> str | None:
    """The format that the first 16 bytes of a file announce: jpeg, png, webp, tiff, or None."""
    if header.startswith(tiff.HEADERS):
        return "tiff"
    if header.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if header.startswith(PNG_SIGNATURE):
        return "png"
    return "webp" if header[:4] == b"RIFF" and header[8:12] == b"WEBP" else None


def decode(data: bytes) -> Picture:
    """Decode the first picture of a JPEG, PNG, WebP or TIFF file, upright. Raises whatever its decoder raises."""
    deep_tiff = tiff.read_deep(data) if kind(data) == "tiff" else None
    if deep_tiff is None:
        samples, profile, orientation, exif_data = _decode_with_pillow(data)
    else:
        samples, profile = deep_tiff
        orientation, exif_data = exif.read(data)
    samples = _upright(_to_rgb(samples), orientation)
    if samples.dtype.kind == "f" and not (samples.min() >= 0 and samples.max() <= 1):
        raise ValueError("its float samples are not all finite and within [0, 1]; scale or clip them first")
    alpha = samples[..., 3] if samples.shape[2] == 4 else None
    return Picture(
        pixels=np.ascontiguousarray(samples[..., :3]),
        alpha=np.ascontiguousarray(alpha) if alpha is not None and says_something(alpha) else None,
        profile=profile if profile and profile[16:20] == b"RGB " else None,
        exif=exif_data,
    )


def _decode_with_pillow(data: bytes) -> tuple[Pixels, bytes | None, int, bytes | None]:
    """Samples, ICC profile, orientation and EXIF data of all but deep TIFF files."""
    from PIL import Image

    with warnings.catch_warnings():
        # Pillow warns from half of its limit on, which medium-format cameras reach.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        image = Image.open(io.BytesIO(data), formats=[kind(data) or ""])
    with image:
        profile = image.info.get("icc_profile")
        if kind(data) == "png" and data[24] == 16:  # the bit depth; Pillow cuts 16-bit colour to 8
            import imagecodecs

            samples = imagecodecs.png_decode(data)
        elif profile and image.mode in ("L", "CMYK"):
            samples, profile = _to_srgb(image, profile), None
        else:
            samples = _to_8_bits(image)
        return samples, profile, *exif.read(image)


def _to_8_bits(image: Image.Image) -> Pixels:
    return np.asarray(image.convert("RGBA" if image.has_transparency_data else "RGB"))


def _to_srgb(image: Image.Image, profile: bytes) -> Pixels:
    from PIL import ImageCms

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return np.asarray(ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB"))
    except (OSError, ImageCms.PyCMSError):
        warnings.warn("the colour profile is damaged; it is ignored", HarmonizerWarning, stacklevel=2)
        return _to_8_bits(image)


def _to_rgb(samples: Pixels) -> Pixels:
    """Grey (H, W) or 1 to 4 samples a pixel (H, W, S) to RGB or RGBA."""
    samples = samples[..., None] if samples.ndim == 2 else samples
    channels = samples.shape[2]
    if channels > 4:
        raise ValueError(f"it has {channels} channels; grey or RGB, with or without alpha, are supported")
    if channels >= 3:
        return samples
    return samples[..., [0, 0, 0] if channels == 1 else [0, 0, 0, 1]]


def _upright(samples: Pixels, orientation: int) -> Pixels:
    """Undo the EXIF orientation (1 to 8; anything else counts as 1)."""
    if orientation in (5, 6, 7, 8):
        samples = np.swapaxes(samples, 0, 1)
    if orientation in (2, 3, 6, 7):
        samples = samples[:, ::-1]
    if orientation in (3, 4, 7, 8):
        samples = samples[::-1]
    return samples


def encode_jpeg(picture: Picture) -> bytes:
    """Quality 95, 4:4:4. Raises whatever Pillow raises, e.g. OSError beyond 65535 pixels."""
    if picture.alpha is not None:
        warnings.warn("JPEG holds no alpha channel; it is dropped", HarmonizerWarning, stacklevel=2)
    pixels = _fit(picture.pixels, np.uint8, "JPEG")
    return _encode_with_pillow(pixels, picture, "JPEG", quality=JPEG_QUALITY, subsampling="4:4:4")


def encode_webp(picture: Picture) -> bytes:
    """Quality 95. Raises whatever Pillow raises, e.g. beyond 16383 pixels."""
    return _encode_with_pillow(_samples(picture, np.uint8, "WebP"), picture, "WEBP", quality=WEBP_QUALITY)


def encode_png(picture: Picture) -> bytes:
    """8 or 16 bits a channel; float is rounded to 16."""
    import imagecodecs

    samples = _samples(picture, np.uint8 if picture.pixels.dtype == np.uint8 else np.uint16, "PNG")
    encoded = bytes(imagecodecs.png_encode(samples, **PNG_FAST))
    header_end = len(PNG_SIGNATURE) + 25
    chunks = b""
    if picture.profile:
        chunks += _png_chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(picture.profile))
    if picture.exif:
        chunks += _png_chunk(b"eXIf", picture.exif.removeprefix(b"Exif\0\0"))
    return encoded[:header_end] + chunks + encoded[header_end:]


def encode_tiff(picture: Picture) -> bytes:
    """8 or 16 bits or float32, as the pixels are; deflate."""
    dtype = np.float32 if picture.pixels.dtype.kind == "f" else picture.pixels.dtype
    return tiff.write(_samples(picture, dtype, "TIFF"), picture.profile, picture.exif)


ENCODERS = {
    ".jpg": encode_jpeg,
    ".jpeg": encode_jpeg,
    ".png": encode_png,
    ".webp": encode_webp,
    ".tif": encode_tiff,
    ".tiff": encode_tiff,
}


def _encode_with_pillow(samples: Pixels, picture: Picture, format: str, **options: Any) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    image = Image.fromarray(samples)
    image.save(file, format, icc_profile=picture.profile, exif=picture.exif or b"", **options)
    return file.getvalue()


def _png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


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
