"""The bytes of a picture file to a Picture."""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from harmonizer.alpha import says_something
from harmonizer.errors import HarmonizerWarning, ImageFileError
from harmonizer.pictures import profiles
from harmonizer.pictures.coding import exif, exr, jpegxl, metadata, png, tiff
from harmonizer.pictures.coding.formats import HEADER, READABLE, kind
from harmonizer.pictures.coding.metadata import Metadata
from harmonizer.pictures.picture import Picture, Pixels, check_size, scale_levels

if TYPE_CHECKING:
    from PIL import Image


NOTHING = Metadata()


@dataclass(frozen=True)
class Decoded:
    """What a decoder returns: samples (H, W) or (H, W, S), not yet upright, and what the file says of them."""

    samples: Pixels
    profile: bytes | None = None
    orientation: int = 1  # by EXIF
    told: Metadata = NOTHING  # beside the pixels
    cicp: bytes | None = None
    scene: exr.Scene | None = None


def decode(data: bytes, *, is_mask: bool = False) -> Picture:
    """Decode the first picture of a file, upright. Grey becomes RGB, through its profile unless it is a mask.

    Raises ImageFileError for another format, or one whose decoder is not installed, else whatever the decoder raises.
    """
    format = kind(data[:HEADER])
    if format is None:
        raise ImageFileError(f"it is not a picture; {READABLE} can be read" + ". It is empty" * (not data))
    decoded = _DECODERS[format](data)
    samples = decoded.samples[..., None] if decoded.samples.ndim == 2 else decoded.samples
    if samples.shape[2] > 4:
        raise ValueError(f"it has {samples.shape[2]} channels; grey or RGB, with or without alpha, are supported")
    if is_mask and decoded.scene:
        samples = decoded.scene.linear.astype(np.float32).clip(0, 1)
    if samples.dtype.kind == "f" and not (samples.min() >= 0 and samples.max() <= 1):
        raise ValueError("its float samples are not all finite and within [0, 1]; scale or clip them first")
    samples = _upright(_to_rgb(samples, None if is_mask else decoded.profile), decoded.orientation)
    alpha = samples[..., 3] if samples.shape[2] == 4 else None
    told = decoded.told
    return Picture(
        pixels=np.ascontiguousarray(samples[..., :3]),
        alpha=np.ascontiguousarray(alpha) if alpha is not None and says_something(alpha) else None,
        profile=_meaning(decoded.profile, told.exif),
        exif=told.exif,
        xmp=told.xmp,
        iptc=told.iptc,
        resolution=told.resolution,
        cicp=decoded.cicp,
        scene=decoded.scene,
    )


def read_size(data: bytes) -> tuple[int, int]:
    """Width and height as they are stored, from the head of a file. Raises whatever its decoder raises."""
    format = kind(data[:HEADER])
    if format == "jxl":
        header = jpegxl.read_header(data)
        return header.width, header.height
    if format == "tiff":
        return tiff.read_size(data)
    if format == "exr":
        return exr.read_size(data)
    if format == "heic":
        width, height = _import_heif().open_heif(io.BytesIO(data)).size
        return int(width), int(height)
    with _open(data) as image:
        return image.size


def _meaning(profile: bytes | None, exif_data: bytes | None) -> bytes | None:
    if profile is None and exif.is_adobe_rgb(exif_data):
        return profiles.adobe_rgb()
    return profile if profiles.is_rgb(profile) else None


def _decode_with_pillow(data: bytes) -> Decoded:
    with _open(data) as image:
        profile = image.info.get("icc_profile")
        if profile and image.mode in ("CMYK", "LAB"):
            samples, profile = _to_srgb(image, profile), None
        else:
            samples = _to_8_bits(image)
        _mention_others(image)
        orientation, exif_data = exif.read(image)
        return Decoded(samples, profile, orientation, metadata.read(image, orientation, exif_data))


def _decode_png(data: bytes) -> Decoded:
    chunks = png.read_chunks(data)
    with _open(data) as image:
        samples = png.decode_deep(data, chunks) if png.is_deep(data) else _to_8_bits(image)
        profile, cicp = image.info.get("icc_profile"), None
        image.load()  # XMP may stand behind the pixels
        _mention_others(image)
        try:
            profile = profiles.from_png(chunks) or (None if b"cICP" in chunks else profile)
            cicp = _hdr(chunks.get(b"cICP"))
        except (struct.error, ValueError):
            warnings.warn("a chunk about the colours is damaged; it is ignored", HarmonizerWarning, stacklevel=2)
        orientation, exif_data = exif.read(image)
        return Decoded(samples, profile, orientation, metadata.read(image, orientation, exif_data), cicp)


def _decode_tiff(data: bytes) -> Decoded:
    layout = tiff.read_layout(data)
    orientation, exif_data = exif.read(data)
    told = metadata.upright(orientation, exif_data, layout.xmp, layout.iptc, layout.resolution)
    if layout.samples is not None:
        return Decoded(layout.samples, layout.profile, orientation, told)
    with _open(data) as image:
        image.seek(layout.page)
        profile = image.info.get("icc_profile")
        if profile and image.mode in ("CMYK", "LAB"):
            return Decoded(_to_srgb(image, profile), None, 1, told)
        return Decoded(_to_8_bits(image), profile, 1, told)  # Pillow has turned it


def _decode_avif(data: bytes) -> Decoded:
    with _open(data) as image:
        bits = _avif_bits(data)
        if bits > 8:
            import imagecodecs

            check_size(*image.size)
            samples = scale_levels(imagecodecs.avif_decode(data), bits)
        else:
            samples = _to_8_bits(image)
        _mention_others(image)
        profile, cicp = image.info.get("icc_profile"), None
        place = data.find(b"colrnclx")
        if profile is None and place >= 0:
            points = struct.unpack(">2H", data[place + 8 : place + 12])
            profile, cicp = profiles.from_cicp(*points), _hdr(bytes([points[0], points[1], 0, 1]))
        orientation, exif_data = exif.read(image)
        return Decoded(samples, profile, orientation, metadata.read(image, orientation, exif_data), cicp)


def _decode_heic(data: bytes) -> Decoded:
    file = _import_heif().open_heif(io.BytesIO(data), convert_hdr_to_8bit=False)
    check_size(*file.size)
    samples, bits = np.asarray(file), int(file.info.get("bit_depth", 8))
    if samples.dtype == np.uint16:
        samples = scale_levels(samples >> (16 - bits), bits)
    exif_data = exif.upright(file.info.get("exif") or b"")
    profile, cicp = file.info.get("icc_profile"), None
    points = file.info.get("nclx_profile")
    if profile is None and points:
        numbers = int(points["color_primaries"]), int(points["transfer_characteristics"])
        profile, cicp = profiles.from_cicp(*numbers), _hdr(bytes([*numbers, 0, 1]))
    xmp = file.info.get("xmp")
    return Decoded(samples, profile, 1, Metadata(exif_data, metadata.upright_xmp(xmp)), cicp)


def _import_heif() -> Any:
    try:
        import pillow_heif
    except ImportError as error:
        raise ImageFileError(
            "it is a HEIC picture; to read it, pip install 'whitebox-harmonizer[heic]', or convert it first"
        ) from error
    return pillow_heif


def _decode_jpeg_xl(data: bytes) -> Decoded:
    import imagecodecs

    header = jpegxl.read_header(data)
    check_size(header.width, header.height)
    samples = imagecodecs.jpegxl_decode(data)
    samples = samples[0] if samples.ndim == 4 else samples
    if samples.dtype == np.uint16 and header.bits:
        samples = scale_levels(samples, header.bits)
    profile = cicp = None
    if header.colour:
        profile, cicp = profiles.from_cicp(*header.colour), _hdr(bytes([*header.colour, 0, 1]))
    else:
        message = "the colour profile of a JPEG XL file cannot be read; its values are taken for sRGB"
        warnings.warn(message, HarmonizerWarning, stacklevel=2)
    contents = dict(jpegxl.boxes(data))
    exif_data = contents.get(b"Exif", b"")[4:]
    told = Metadata(exif.upright(exif_data), metadata.upright_xmp(contents.get(b"xml ")))
    return Decoded(samples, profile, 1, told, cicp)


def _decode_exr(data: bytes) -> Decoded:
    scene = exr.read(data)
    return Decoded(scene.encoded, scene.profile, scene=scene)


_DECODERS: dict[str, Callable[[bytes], Decoded]] = {
    "jpeg": _decode_with_pillow,
    "webp": _decode_with_pillow,
    "png": _decode_png,
    "tiff": _decode_tiff,
    "avif": _decode_avif,
    "heic": _decode_heic,
    "jxl": _decode_jpeg_xl,
    "exr": _decode_exr,
}


OPENED = ("JPEG", "PNG", "WEBP", "TIFF", "AVIF")
"""What Pillow opens of all that it could: no other of its decoders meets a user's file."""


def _open(data: bytes) -> Image.Image:
    from PIL import Image

    with warnings.catch_warnings():
        # Pillow warns from half of its limit on, which medium-format cameras reach.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        return Image.open(io.BytesIO(data), formats=OPENED)


def _mention_others(image: Image.Image) -> None:
    """Give a HarmonizerWarning if the file holds more than one picture."""
    count = getattr(image, "n_frames", 1)
    if count > 1 and image.format != "MPO":  # the others of a camera's JPEG file are previews
        warnings.warn(f"it holds {count} pictures; the first is used", HarmonizerWarning, stacklevel=2)


def _to_8_bits(image: Image.Image) -> Pixels:
    grey = image.mode in ("1", "L", "LA")
    transparent = image.has_transparency_data
    return np.asarray(image.convert(("LA" if transparent else "L") if grey else "RGBA" if transparent else "RGB"))


def _to_srgb(image: Image.Image, profile: bytes) -> Pixels:
    from PIL import ImageCms

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return np.asarray(ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB"))
    except (OSError, ImageCms.PyCMSError):
        warnings.warn("the colour profile is damaged; it is ignored", HarmonizerWarning, stacklevel=2)
        return _to_8_bits(image)


def _to_rgb(samples: Pixels, profile: bytes | None) -> Pixels:
    """1 to 4 samples a pixel (H, W, S) to RGB or RGBA; grey through its profile, if it has one."""
    channels = samples.shape[2]
    if channels >= 3:
        return samples
    if not profiles.is_grey(profile):
        return samples[..., [0, 0, 0] if channels == 1 else [0, 0, 0, 1]]
    try:
        assert profile is not None
        rgb = profiles.grey_to_srgb(samples[..., 0], profile)
    except Exception:  # the colour engine's errors have no public base class
        warnings.warn("the colour profile is damaged; it is ignored", HarmonizerWarning, stacklevel=2)
        return _to_rgb(samples, None)
    return rgb if channels == 1 else np.dstack([rgb, samples[..., 1]])


def _upright(samples: Pixels, orientation: int) -> Pixels:
    """Undo the EXIF orientation (1 to 8; anything else counts as 1)."""
    if orientation in (5, 6, 7, 8):
        samples = np.swapaxes(samples, 0, 1)
    if orientation in (2, 3, 6, 7):
        samples = samples[:, ::-1]
    if orientation in (3, 4, 7, 8):
        samples = samples[::-1]
    return samples


def _hdr(cicp: bytes | None) -> bytes | None:
    """The code points of an HDR picture, which no profile describes; says so in a HarmonizerWarning."""
    if cicp is None or cicp[1] not in profiles.HDR_TRANSFERS:
        return None
    message = f"its values are HDR ({profiles.HDR_TRANSFERS[cicp[1]]}); they are worked on as if they were not"
    warnings.warn(message, HarmonizerWarning, stacklevel=2)
    return cicp


def _avif_bits(data: bytes) -> int:
    """Bits a sample, by the configuration of the AV1 codec (AV1 Codec ISO Media File Format Binding, 2.3.3)."""
    place: Any = data.find(b"av1C")
    flags = data[place + 6] if 0 <= place < len(data) - 6 else 0
    return 8 if not flags & 0x40 else 12 if flags & 0x20 else 10
