"""TIFF files: which page is the picture, samples that Pillow cannot read, and EXIF data that tifffile cannot write."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np

from harmonizer.errors import HarmonizerWarning
from harmonizer.pictures.coding import exif, metadata
from harmonizer.pictures.picture import Picture, Pixels, check_size, scale_levels

START = 8  # of the directory: right behind the header
# NewSubfileType, a sum of these: a smaller version of another page, and a transparency mask of one.
REDUCED, TRANSPARENCY = 1, 4
MOST_PAGES = 256  # that are looked at: a small file can hold millions
MOST_SAMPLES = 16  # a pixel; of which all but colours and alpha are left out
UNSPECIFIED, ASSOCIATED, UNASSOCIATED = 0, 1, 2  # ExtraSamples


@dataclass(frozen=True)
class Layout:
    """The page that is the picture, what it says beside its pixels, and its samples.

    The samples are (H, W) or (H, W, S), with their ICC profile; None if Pillow can read them.
    """

    page: int
    xmp: bytes | None
    iptc: bytes | None
    resolution: tuple[float, float] | None  # dots an inch
    samples: Pixels | None = None
    profile: bytes | None = None


def read_layout(data: bytes) -> Layout:
    """Find the picture in a file, and read samples of 9 to 16 bits, of floats, and those with an unspecified extra one.

    White is the largest value of BitsPerSample bits (TIFF 6.0, PhotometricInterpretation), of float samples 1. An
    extra sample that is unspecified is alpha at any depth, as libvips, GraphicsMagick and GIMP have it.
    Raises ValueError for what is not supported, else whatever tifffile raises.
    """
    import tifffile

    with tifffile.TiffFile(io.BytesIO(data)) as file:
        index = _find_picture(file)
        page: Any = file.pages[index]
        dtype, photometric = np.dtype(page.dtype), page.photometric.name
        plain = dtype.itemsize == 1 and UNSPECIFIED not in page.extrasamples and len(page.extrasamples) < 2
        layout = Layout(index, _bytes(page, metadata.XMP_TAG), _bytes(page, metadata.IPTC_TAG), _resolution(page))
        if plain or (dtype.itemsize == 1 and photometric not in ("MINISBLACK", "MINISWHITE", "RGB")):
            return layout
        if dtype not in (np.uint8, np.uint16) and dtype.kind != "f":
            raise ValueError(f"its samples are {dtype}; convert them to 8 or 16 bits or to float first")
        if photometric not in ("MINISBLACK", "MINISWHITE", "RGB"):
            raise ValueError(f"its {dtype} samples are {photometric}; convert them to RGB first")
        check_size(page.imagewidth, page.imagelength)
        if page.size > MOST_SAMPLES * page.imagewidth * page.imagelength:
            raise ValueError(f"it has the shape {page.shape}; one picture, grey or RGB, with or without alpha, is read")
        samples: Pixels = page.asarray()
        samples = np.moveaxis(samples, 0, -1) if page.axes == "SYX" else samples
        samples = scale_levels(samples, page.bitspersample) if dtype.kind == "u" else samples.astype(np.float32)
        white = 1 if samples.dtype.kind == "f" else np.iinfo(samples.dtype).max
        colours = 3 if photometric == "RGB" else 1
        if photometric == "MINISWHITE":
            samples = _invert(samples, white, colours)
        samples = _choose_alpha(samples, colours, page.extrasamples, white)
        return replace(layout, samples=samples, profile=page.iccprofile)


def read_size(data: bytes) -> tuple[int, int]:
    """Width and height of the picture. Raises ValueError for a file of previews, else whatever tifffile raises."""
    import tifffile

    with tifffile.TiffFile(io.BytesIO(data)) as file:
        page: Any = file.pages[_find_picture(file)]
        return int(page.imagewidth), int(page.imagelength)


def _find_picture(file: Any) -> int:
    """The first page that is neither a smaller version nor the mask of another."""
    pages = islice(file.pages, MOST_PAGES)
    kinds = [int(page.tags[254].value) if 254 in page.tags else 0 for page in pages]
    pictures = [index for index, kind in enumerate(kinds) if not kind & (REDUCED | TRANSPARENCY)]
    if not pictures:
        raise ValueError("it holds only previews, as raw files of cameras do; develop it first")
    if len(pictures) > 1:
        some = "or more " * (len(kinds) == MOST_PAGES)
        message = f"it holds {len(pictures)} {some}pictures; the first is used"
        warnings.warn(message, HarmonizerWarning, stacklevel=3)
    return pictures[0]


def _bytes(page: Any, tag: int) -> bytes | None:
    """The bytes of a tag, which some programs declare as numbers."""
    value = page.tags[tag].value if tag in page.tags else None
    if isinstance(value, tuple):
        value = np.array(value, f"{page.parent.byteorder}u{page.tags[tag].dtype_size}").tobytes()
    return value.encode() if isinstance(value, str) else value


def _resolution(page: Any) -> tuple[float, float] | None:
    across, down, unit = (page.tags[tag].value if tag in page.tags else None for tag in metadata.RESOLUTION_TAGS)
    if not across or not down or 0 in (across[0], across[1], down[0], down[1]):
        return None
    scale = {exif.INCH: 1.0, exif.CENTIMETRE: 2.54}.get(int(unit or exif.INCH))
    return None if scale is None else (scale * across[0] / across[1], scale * down[0] / down[1])


def _invert(samples: Pixels, white: float, colours: int) -> Pixels:
    grey = samples if samples.ndim == 2 else samples[..., :colours]
    inverted = (samples.dtype.type(white) - grey).astype(samples.dtype)
    return inverted if samples.ndim == 2 else np.concatenate([inverted, samples[..., colours:]], axis=2)


def _choose_alpha(samples: Pixels, colours: int, extras: tuple[int, ...], white: float) -> Pixels:
    """Colours and at most one extra sample: straight alpha. Others are left out, with a HarmonizerWarning."""
    if samples.ndim == 2 or not extras:
        return samples
    kinds = [int(extra) for extra in extras]
    known = [place for place, kind in enumerate(kinds) if kind in (ASSOCIATED, UNASSOCIATED)]
    chosen = known[0] if known else 0 if len(kinds) == 1 else None
    if len(kinds) > 1:
        if colours == 1:
            raise ValueError(f"it has {1 + len(kinds)} channels; grey or RGB, with or without alpha, are supported")
        left_out = "all but alpha" if chosen is not None else "all"
        message = f"it has {len(kinds)} extra channels; {left_out} of them are left out"
        warnings.warn(message, HarmonizerWarning, stacklevel=3)
    if chosen is None:
        return samples[..., :colours]
    alpha = samples[..., colours + chosen, None]
    pixels = samples[..., :colours]
    if kinds[chosen] == ASSOCIATED:
        opacity = alpha / np.float32(white)
        straight = np.divide(pixels, opacity, out=np.zeros(pixels.shape, np.float32), where=opacity > 0).clip(0, white)
        pixels = straight if samples.dtype.kind == "f" else (straight + np.float32(0.5)).astype(samples.dtype)
    return np.concatenate([pixels, alpha], axis=2)


def write(samples: Pixels, picture: Picture) -> bytes:
    """RGB or RGBA samples (H, W, 3 or 4), uint8, uint16 or float32, in one deflated strip; all that `picture` says."""
    import imagecodecs
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    height, width, channels = samples.shape
    integer = samples.dtype.kind == "u"
    if integer:
        # TIFF's horizontal predictor; unsigned subtraction wraps, as the format wants it
        samples = np.concatenate([samples[:, :1], samples[:, 1:] - samples[:, :-1]], axis=1)
    strip = imagecodecs.zlib_encode(samples.astype(samples.dtype.newbyteorder("<")).tobytes())

    directory = ImageFileDirectory_v2(ifh=b"II*\0\0\0\0\0")
    tags: dict[int, Any] = {
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
    beside = {34675: picture.profile, metadata.XMP_TAG: picture.xmp, metadata.IPTC_TAG: picture.iptc}
    tags |= {tag: content for tag, content in beside.items() if content}
    if picture.resolution:
        tags |= dict(zip(metadata.RESOLUTION_TAGS, (*picture.resolution, exif.INCH), strict=True))
    for tag, value in {**exif.describing(picture.exif), **tags}.items():
        if tag == metadata.IPTC_TAG:
            directory.tagtype[tag] = 7  # bytes; Pillow would take words of 32 bits
        directory[tag] = value
    return b"II*\0" + START.to_bytes(4, "little") + directory.tobytes(START) + strip
