"""What travels with the pixels, and what a format cannot hold."""

from __future__ import annotations

import struct

import numpy as np
import pytest
import tifffile
from PIL import Image, IptcImagePlugin

from harmonizer import HarmonizerWarning
from harmonizer.pictures import io
from harmonizer.pictures.coding.metadata import jpeg_segment
from harmonizer.pictures.picture import Picture

XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" '
    b'tiff:Orientation="6"><dc:rights>All mine \xc3\xa9</dc:rights></rdf:Description></rdf:RDF></x:xmpmeta>'
)
UPRIGHT_XMP = XMP.replace(b'Orientation="6"', b'Orientation="1"')


IPTC = ("IPTC",)
LOSSES = [("a.jpg", ()), ("a.tif", ()), ("a.png", IPTC), ("a.webp", IPTC), ("a.avif", IPTC), ("a.exr", "all")]


def iptc(text=b"All mine"):
    """A copyright notice, record 2, dataset 116."""
    return b"\x1c\x02\x74" + struct.pack(">H", len(text)) + text


def jpeg(path, image, orientation=1):
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x8298] = "All mine"
    exif.get_ifd(0x8769).update({0xA002: image.shape[1], 0xA003: image.shape[0]})
    Image.fromarray(image).save(path, exif=exif, xmp=XMP, dpi=(300, 150), extra=jpeg_segment(iptc()))
    return path


@pytest.mark.parametrize(("name", "lost"), LOSSES)
def test_metadata_goes_from_file_to_file_or_one_line_says_what_did_not(files, run, image, name, lost):
    jpeg(files / "photo.jpg", image)
    code, _, error = run("run", files / "photo.jpg", files / "mask.png", "-o", files / name)
    assert code == 0
    if lost == "all":
        assert "OpenEXR holds no EXIF data and no XMP data and no IPTC data and no resolution" in error
        return
    assert len(error.splitlines()) == len(lost)
    assert all(what in error for what in lost)
    again = io.read_image(files / name)
    assert again.xmp == UPRIGHT_XMP
    assert b"All mine" in again.exif
    assert (again.iptc == iptc()) == (not lost)
    assert again.resolution == pytest.approx((300, 150), rel=1e-3)


@pytest.mark.parametrize("form", ["8 bits", "16 bits", "float"])
def test_metadata_of_tiff_at_every_depth(tmp_path, image, form):
    deep, real = image.astype(np.uint16) * 257, (image / 255).astype(np.float32)
    pixels = {"8 bits": image, "16 bits": deep, "float": real}[form]
    written = Picture(pixels, xmp=UPRIGHT_XMP, iptc=iptc(), resolution=(300.0, 150.0))
    io.write_image(tmp_path / "a.tif", written)
    again = io.read_image(tmp_path / "a.tif")
    assert (again.xmp, again.iptc, again.resolution) == (UPRIGHT_XMP, iptc(), (300, 150))
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        tags = file.pages[0].tags
        assert (bytes(tags[700].value), bytes(tags[33723].value)) == (UPRIGHT_XMP, iptc())


def test_other_programs_read_what_is_written(tmp_path, image):
    io.write_image(tmp_path / "a.jpg", Picture(image, xmp=UPRIGHT_XMP, iptc=iptc(), resolution=(300.0, 300.0)))
    with Image.open(tmp_path / "a.jpg") as file:
        assert file.info["dpi"] == (300, 300)
        assert file.info["xmp"] == UPRIGHT_XMP
        assert IptcImagePlugin.getiptcinfo(file)[2, 116] == b"All mine"
    io.write_image(tmp_path / "a.png", Picture(image, xmp=UPRIGHT_XMP, resolution=(300.0, 300.0)))
    with Image.open(tmp_path / "a.png") as file:
        file.load()
        assert file.info["XML:com.adobe.xmp"] == UPRIGHT_XMP.decode()
        assert file.info["dpi"] == pytest.approx((300, 300), rel=1e-4)


def test_iptc_that_tiff_declares_as_words_is_read(tmp_path, image):
    data = iptc() + b"\0" * (-len(iptc()) % 4)
    words = struct.unpack(f"<{len(data) // 4}I", data)
    tifffile.imwrite(tmp_path / "a.tif", image, photometric="rgb", extratags=[(33723, "I", len(words), words, True)])
    assert io.read_image(tmp_path / "a.tif").iptc == data


@pytest.mark.parametrize("orientation", range(1, 9))
def test_what_is_said_of_the_size_is_turned_with_the_picture(files, run, image, mask, orientation):
    jpeg(files / "photo.jpg", image, orientation)
    turned = orientation >= 5
    Image.fromarray(mask.T if turned else mask).save(files / "mask.png")
    code, _, _ = run("run", files / "photo.jpg", files / "mask.png", "-o", files / "out.jpg")
    assert code == 0
    with Image.open(files / "out.jpg") as out:
        exif = out.getexif()
        sizes = exif.get_ifd(0x8769)
        assert (sizes[0xA002], sizes[0xA003]) == out.size
        assert exif[0x0112] == 1
        assert out.info["dpi"] == ((150, 300) if turned else (300, 150))
        assert out.info["xmp"] == UPRIGHT_XMP


def test_long_metadata_of_jpeg_is_a_warning_and_not_a_broken_file(tmp_path, image):
    with pytest.warns(HarmonizerWarning, match="IPTC data is too long"):
        io.write_image(tmp_path / "a.jpg", Picture(image, iptc=bytes(70_000)))
    assert io.read_image(tmp_path / "a.jpg").iptc is None
