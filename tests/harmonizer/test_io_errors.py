"""What cannot be read or written: typed errors, and nothing left behind."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from harmonizer import ImageFileError, MaskError, OutputError
from harmonizer.pictures import io
from harmonizer.pictures.picture import Picture


def test_missing_file(tmp_path):
    with pytest.raises(ImageFileError, match="there is no file"):
        io.read_image(tmp_path / "none.png")


def test_folder_instead_of_a_file(tmp_path):
    with pytest.raises(ImageFileError, match="cannot be read"):
        io.read_image(tmp_path)


@pytest.mark.parametrize("content", [b"", b"\0", b"GIF89a, of no use here", b"a text, and no picture " * 9])
def test_no_picture(tmp_path, content):
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(ImageFileError, match="is not a picture that can be read; JPEG, PNG, WebP and TIFF"):
        io.read_image(tmp_path / "a.png")


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.tif", "deep.png", "deep.tif", "float.tif"])
@pytest.mark.parametrize("share", [0.1, 0.6, 0.9])
def test_truncated_picture(tmp_path, name, share):
    pixels = np.random.default_rng(0).integers(0, 256, (60, 50, 3), np.uint8)
    if name.startswith("deep"):
        pixels = pixels.astype(np.uint16) * 257
    if name.startswith("float"):
        pixels = (pixels / 255).astype(np.float32)
    io.write_image(tmp_path / name, Picture(pixels))
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ImageFileError, match="cannot be decoded"):
        io.read_image(tmp_path / name)


def png_bomb(width: int, height: int, depth: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b""))
    framed = (struct.pack(">I", len(b)) + n + b + struct.pack(">I", zlib.crc32(n + b)) for n, b in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(framed)


@pytest.mark.parametrize("depth", [8, 16])
def test_decompression_bomb(tmp_path, depth):
    (tmp_path / "a.png").write_bytes(png_bomb(60_000, 60_000, depth))
    with pytest.raises(ImageFileError, match="limit"):
        io.read_image(tmp_path / "a.png")


def test_deep_tiff_bomb(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((8, 8), np.uint16), photometric="minisblack")
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+") as file:
        for tag in ("ImageWidth", "ImageLength"):
            file.pages[0].tags[tag].overwrite(60_000)
    with pytest.raises(ImageFileError, match="60000 x 60000 pixels exceed the limit"):
        io.read_image(tmp_path / "a.tif")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -0.5, 7.0])
def test_float_file_outside_the_range(tmp_path, value):
    pixels = np.full((4, 4, 3), 0.5, np.float32)
    pixels[1, 2, 0] = value
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="rgb")
    with pytest.raises(ImageFileError, match=r"finite and within \[0, 1\]"):
        io.read_image(tmp_path / "a.tif")


@pytest.mark.parametrize(
    ("samples", "options", "reason"),
    [
        (np.zeros((4, 4), np.int32), {"photometric": "minisblack"}, "int32"),
        (np.zeros((4, 4, 4), np.uint16), {"photometric": "separated"}, "SEPARATED"),
        (np.zeros((4, 4, 6), np.uint16), {"photometric": "minisblack", "planarconfig": "contig"}, "6 channels"),
    ],
)
def test_unsupported_tiff(tmp_path, samples, options, reason):
    tifffile.imwrite(tmp_path / "a.tif", samples, **options)
    with pytest.raises(ImageFileError, match=reason):
        io.read_image(tmp_path / "a.tif")


def test_mask_of_another_size_names_both(tmp_path, image):
    io.write_image(tmp_path / "a.png", Picture(image))
    Image.new("L", (10, 20)).save(tmp_path / "m.png")
    with pytest.raises(MaskError, match=r"m.png has 10 x 20 pixels, its picture 32 x 24; scale or crop"):
        io.read_composite(tmp_path / "a.png", tmp_path / "m.png")


def test_background_of_another_size_names_both(tmp_path, image, mask):
    io.write_image(tmp_path / "f.png", Picture(image, mask))
    io.write_image(tmp_path / "b.png", Picture(image[:-4]))
    with pytest.raises(MaskError, match=r"f.png has 32 x 24 pixels, the background .*b.png 32 x 20; put"):
        io.read_composite(tmp_path / "f.png", tmp_path / "b.png")


def test_colour_picture_is_no_mask(tmp_path, image):
    io.write_image(tmp_path / "a.png", Picture(image))
    with pytest.raises(MaskError, match="is in colour; a mask is grey"):
        io.read_composite(tmp_path / "a.png", tmp_path / "a.png")


@pytest.mark.parametrize("name", ["a.gif", "a", "a.png.txt"])
def test_unknown_output_extension(tmp_path, image, name):
    with pytest.raises(OutputError, match=r"written as \.jpg, \.jpeg, \.png, \.webp, \.tif, \.tiff"):
        io.write_image(tmp_path / name, Picture(image))
    assert list(tmp_path.iterdir()) == []


def test_output_folder_that_does_not_exist(tmp_path, image):
    with pytest.raises(OutputError, match="there is no folder"):
        io.write_image(tmp_path / "none" / "a.png", Picture(image))
    assert list(tmp_path.iterdir()) == []


def test_output_under_a_file(tmp_path, image):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="there is no folder"):
        io.write_image(tmp_path / "file" / "a.png", Picture(image))


def test_output_that_is_a_folder(tmp_path, image):
    (tmp_path / "a.png").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        io.write_image(tmp_path / "a.png", Picture(image))


def test_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, image, monkeypatch):
    (tmp_path / "a.png").write_text("old")

    def fail(self, target):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.replace", fail)
    with pytest.raises(OutputError, match="Permission denied"):
        io.write_image(tmp_path / "a.png", Picture(image))
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
    assert (tmp_path / "a.png").read_text() == "old"


@pytest.mark.parametrize(("name", "side"), [("a.webp", 16_384), ("a.jpg", 65_536)])
def test_picture_too_large_for_the_format(tmp_path, name, side):
    with pytest.raises(OutputError, match="cannot be written in this format"):
        io.write_image(tmp_path / name, Picture(np.zeros((1, side, 3), np.uint8)))
    assert list(tmp_path.iterdir()) == []
