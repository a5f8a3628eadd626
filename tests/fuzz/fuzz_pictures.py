"""Small valid pictures of every format, and crafted ones that lie about what they hold."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import imagecodecs
import numpy as np
import tifffile
from PIL import Image, ImageCms

from harmonizer.pictures.coding import exr

HEIGHT, WIDTH = 12, 16
RGB = np.random.default_rng(7).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
GREY = np.pad(np.full((6, 8), 255, np.uint8), ((3, 3), (4, 4)))
RGBA = np.dstack([RGB, GREY])
DEEP = RGB.astype(np.uint16) * 257
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
XMP = b'<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'


def jpeg() -> list[bytes]:
    return [
        _pillow(Image.fromarray(RGB), "JPEG", exif=_exif(), xmp=XMP, icc_profile=PROFILE, dpi=(300, 300)),
        _pillow(Image.fromarray(RGB), "JPEG", progressive=True, subsampling="4:2:0"),
        _pillow(Image.fromarray(GREY), "JPEG"),
        _pillow(Image.fromarray(RGB).convert("CMYK"), "JPEG", icc_profile=PROFILE),
    ]


def png() -> list[bytes]:
    palette = Image.fromarray(RGB).quantize(16)
    return [
        _pillow(Image.fromarray(RGB), "PNG", exif=_exif(), icc_profile=PROFILE, dpi=(72, 72)),
        _pillow(Image.fromarray(RGBA), "PNG"),
        _pillow(Image.fromarray(GREY), "PNG", transparency=255),
        _pillow(palette, "PNG", transparency=3),
        _pillow(Image.fromarray(GREY).convert("1"), "PNG"),
        _pillow(Image.fromarray(RGB), "PNG", save_all=True, append_images=[Image.fromarray(RGB[::-1].copy())]),
        bytes(imagecodecs.png_encode(DEEP)),
        with_chunks((b"cICP", b"\x09\x10\0\1"), (b"gAMA", struct.pack(">I", 45455)),
                    (b"cHRM", struct.pack(">8I", *[31270] * 8)),
                    (b"tRNS", b"\0\1\0\2\0\3"), (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP)),
    ]  # fmt: skip


def webp() -> list[bytes]:
    return [
        _pillow(Image.fromarray(RGB), "WEBP", exif=_exif(), icc_profile=PROFILE, xmp=XMP),
        _pillow(Image.fromarray(RGBA), "WEBP", lossless=True),
        _pillow(Image.fromarray(RGB), "WEBP", save_all=True, append_images=[Image.fromarray(RGB[::-1].copy())]),
    ]


def tiff() -> list[bytes]:
    grey16 = GREY.astype(np.uint16) * 257
    return [
        _pillow(Image.fromarray(RGB), "TIFF", compression="tiff_lzw", icc_profile=PROFILE, dpi=(72, 72)),
        _pillow(Image.fromarray(RGB).quantize(8), "TIFF"),
        _pillow(Image.fromarray(RGB).convert("CMYK"), "TIFF", icc_profile=PROFILE),
        _pillow(Image.fromarray(RGB), "TIFF", compression="jpeg"),
        _pillow(Image.fromarray(GREY).convert("1"), "TIFF", compression="group4"),
        _tifffile(DEEP, photometric="rgb", compression="zlib", predictor=True),
        _tifffile(DEEP, photometric="rgb", byteorder=">", rowsperstrip=3),
        _tifffile((RGB / 255).astype(np.float32), photometric="rgb", tile=(16, 16)),
        _tifffile(np.moveaxis(DEEP, 2, 0), photometric="rgb", planarconfig="separate"),
        _tifffile(grey16, photometric="miniswhite"),
        _tifffile(np.dstack([DEEP, grey16]), photometric="rgb", extrasamples=["assocalpha"]),
        _tifffile(np.dstack([RGB, GREY]), photometric="rgb", extrasamples=["unspecified"]),
        _tifffile(np.stack([DEEP, DEEP]), photometric="rgb"),
    ]


def avif() -> list[bytes]:
    return [
        _pillow(Image.fromarray(RGB), "AVIF", exif=_exif(), icc_profile=PROFILE, xmp=XMP),
        _pillow(Image.fromarray(RGBA), "AVIF"),
        bytes(imagecodecs.avif_encode(DEEP >> 6, bitspersample=10)),
    ]


def heic() -> list[bytes]:
    import pillow_heif

    sources = (Image.fromarray(RGB), Image.fromarray(RGBA), Image.fromarray(GREY))
    files = []
    for source in sources:
        sink = io.BytesIO()
        pillow_heif.from_pillow(source).save(sink, exif=_exif())
        files.append(sink.getvalue())
    return files


def jxl() -> list[bytes]:
    return [bytes(imagecodecs.jpegxl_encode(picture, lossless=True)) for picture in (RGB, RGBA, DEEP, GREY)]


def openexr() -> list[bytes]:
    linear = (RGBA / 200).astype(np.float16)
    return [exr.write(linear, {}), exr.write(linear[..., :3].astype(np.float32), {"chromaticities": (0.6, 0.3) * 4})]


def masks() -> list[bytes]:
    mask = Image.fromarray(GREY)
    return [
        *(_pillow(mask, name) for name in ("PNG", "JPEG", "WEBP", "TIFF", "AVIF")),
        _pillow(mask.convert("1"), "PNG"),
        _pillow(Image.fromarray(GREY // 255), "PNG"),
        _pillow(Image.fromarray(RGBA), "PNG"),
        bytes(imagecodecs.png_encode(GREY.astype(np.uint16) * 257)),
        _tifffile(GREY.astype(np.float32) / 255, photometric="minisblack"),
    ]


def crafted() -> dict[str, list[bytes]]:
    """By format, files that a random change hardly makes."""
    return {
        "jpeg": [_with_jpeg_size(jpeg()[1], 65_535, 65_535), jpeg()[0] * 3, b"\xff\xd8\xff" + b"\xff" * 10_000],
        "png": [
            *(png_of(width, height, depth) for depth in (1, 8, 16) for width, height in SIZES),
            with_chunks((b"iCCP", b"x\0\0" + zlib.compress(bytes(50_000_000), 9))),
            with_chunks((b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(bytes(50_000_000), 9))),
            with_chunks((b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(b"\nexif\n 99999999\n" + b"00" * 999))),
            with_chunks((b"gAMA", b"\0\0\0\0"), (b"cHRM", bytes(32))),
            with_chunks((b"cICP", b"\x09")),
            with_chunks((b"eXIf", _cyclic_exif())),
            with_chunks(*[(b"tEXt", b"a\0b")] * 50_000),
        ],
        "webp": [_with_webp_size(webp()[1], 16_384, 16_384), webp()[0][:20] + b"\xff\xff\xff\xff" + webp()[0][24:]],
        "tiff": tiffs(),
        "avif": [avif()[0].replace(struct.pack(">2I", WIDTH, HEIGHT), struct.pack(">2I", *size)) for size in SIZES],
        "heic": [heic()[0].replace(struct.pack(">2I", 64, 64), struct.pack(">2I", *size)) for size in SIZES],
        "jxl": [b"\xff\x0a" + bytes([value] * 40) for value in (0, 0x55, 0xAA, 0xFF)],
        "exr": [_with_exr_window(openexr()[0], *window) for window in WINDOWS],
    }


SIZES = ((0, 0), (1, 0), (60_000, 60_000), (0x7FFFFFFF, 0x7FFFFFFF), (0xFFFFFFFF, 0xFFFFFFFF), (100_000_000, 1))
WINDOWS = (
    (0, 0, -1, -1),
    (0, 0, 59_999, 59_999),
    (-(2**31), -(2**31), 2**31 - 1, 2**31 - 1),
    (9, 9, 3, 3),
    (-5, -5, -5, 2**30),
)


def tiffs() -> list[bytes]:
    """Directories that follow themselves and each other, counts and places beyond the file, huge and empty pictures."""
    whole = tiff()[5]
    files = []
    for size in SIZES:
        files.append(directory([(256, 4, 1, size[0]), (257, 4, 1, size[1]), *PLAIN]))
        files.append(directory([(256, 4, 1, size[0]), (257, 4, 1, size[1]), *PLAIN[:-1], (258, 3, 1, 16)]))
    files += [
        directory(TINY, following=8),  # itself
        directory(TINY, following=4),
        directory(TINY, following=0xFFFFFFF0),
        directory([*TINY, (330, 4, 1, 8)]),  # a directory inside which is the same one
        directory([*TINY, (34665, 4, 1, 8)]),  # the camera's settings are the same one
        directory([*TINY, (34853, 4, 1, 8), (40965, 4, 1, 8)]),
        directory([*TINY, (270, 2, 0xFFFFFFFF, 0)]),
        directory([*TINY, (700, 1, 0x7FFFFFFF, 8), (33723, 4, 0x3FFFFFFF, 8)]),
        directory([*TINY, (282, 5, 1, 0), (283, 5, 1, 0), (296, 3, 1, 2)]),
        directory([*TINY[:-1], (258, 3, 1, 16), (277, 3, 1, 65535)]),
        directory([(256, 4, 1, 12_000), (257, 4, 1, 12_000), *PLAIN[:-1], (258, 3, 1, 16), (277, 3, 1, 255)]),
        directory([(256, 4, 1, 8), (257, 4, 1, 8), *PLAIN[:-1], (258, 3, 1, 16), (32997, 4, 1, 100_000_000)]),
        directory([*TINY[:-1], (258, 3, 1, 16), (322, 4, 1, 0), (323, 4, 1, 0)]),
        directory(
            [*TINY[:-1], (258, 3, 1, 16), (322, 4, 1, 2**31), (323, 4, 1, 2**31), (324, 4, 1, 8), (325, 4, 1, 8)]
        ),
        chain(100),
        chain(20_000),
        whole + whole,
    ]
    return files


PLAIN = [
    (259, 3, 1, 1),
    (262, 3, 1, 1),
    (273, 4, 1, 8),
    (277, 3, 1, 1),
    (278, 4, 1, 0xFFFF),
    (279, 4, 1, 64),
    (258, 3, 1, 8),
]
TINY = [(256, 4, 1, 8), (257, 4, 1, 8), *PLAIN]


def directory(entries: list[tuple[int, int, int, int]], following: int = 0) -> bytes:
    """A little-endian TIFF file of one directory, at 8."""
    body = b"".join(
        struct.pack("<HHI", tag, kind, count)
        + (struct.pack("<HH", value, 0) if kind == 3 else struct.pack("<I", value))
        for tag, kind, count, value in sorted(entries)
    )
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + body + struct.pack("<I", following) + bytes(64)


def chain(count: int) -> bytes:
    """A TIFF file of so many directories, the last of which leads to the first."""
    size = 2 + 12 * len(TINY) + 4
    one = directory(TINY)[8:-68]
    return b"II*\0\x08\0\0\0" + b"".join(
        one + struct.pack("<I", 8 + (index + 1) % count * size) for index in range(count)
    )


def png_of(width: int, height: int, depth: int, data: bytes = bytes(1000)) -> bytes:
    """A PNG whose header tells of these sizes, of one sample a pixel."""
    header = struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        _chunk(*each) for each in ((b"IHDR", header), (b"IDAT", zlib.compress(data)), (b"IEND", b""))
    )


def with_chunks(*chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG of 16 bits with these chunks behind its header."""
    whole = bytes(imagecodecs.png_encode(DEEP))
    return whole[:33] + b"".join(_chunk(*each) for each in chunks) + whole[33:]


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _pillow(image: Image.Image, name: str, **options: Any) -> bytes:
    sink = io.BytesIO()
    image.save(sink, name, **options)
    return sink.getvalue()


def _tifffile(samples: np.ndarray, **options: Any) -> bytes:
    sink = io.BytesIO()
    tifffile.imwrite(sink, samples, **options)
    return sink.getvalue()


def _exif() -> bytes:
    exif = Image.Exif()
    exif[0x0112], exif[271], exif[282], exif[283], exif[296] = 6, "maker", 72.0, 72.0, 2
    exif.get_ifd(0x8769).update({0xA002: WIDTH, 0xA003: HEIGHT, 33434: 0.01})
    exif.get_ifd(0x8825).update({1: "N", 2: (1.0, 2.0, 3.0)})
    return exif.tobytes()


def _cyclic_exif() -> bytes:
    return b"Exif\0\0" + directory([(274, 3, 1, 6), (34665, 4, 1, 8), (34853, 4, 1, 8)], following=8)


def _with_jpeg_size(data: bytes, width: int, height: int) -> bytes:
    at = next(data.find(marker) for marker in (b"\xff\xc2", b"\xff\xc0") if marker in data)
    return data[: at + 5] + struct.pack(">2H", height, width) + data[at + 9 :]


def _with_webp_size(data: bytes, width: int, height: int) -> bytes:
    at = data.find(b"VP8L") + 9
    bits = int.from_bytes(data[at : at + 4], "little") >> 28 << 28 | height - 1 << 14 | width - 1
    return data[:at] + bits.to_bytes(4, "little") + data[at + 4 :]


def _with_exr_window(data: bytes, *window: int) -> bytes:
    for name in (b"dataWindow\0box2i\0\x10\0\0\0", b"displayWindow\0box2i\0\x10\0\0\0"):
        at = data.find(name) + len(name)
        data = data[:at] + struct.pack("<4i", *window) + data[at + 16 :]
    return data


FORMATS: dict[str, Callable[[], list[bytes]]] = {
    "jpeg": jpeg, "png": png, "webp": webp, "tiff": tiff, "avif": avif, "heic": heic, "jxl": jxl, "exr": openexr,
}  # fmt: skip
