"""What is read and written, and how."""

from __future__ import annotations

import io as stdio
import struct
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from harmonizer import HarmonizerWarning
from harmonizer.pictures import io
from harmonizer.pictures.picture import Picture

LOSSY = 6  # levels that JPEG and WebP may move a smooth picture by, on average


@cache
def profile(space: str = "sRGB") -> bytes:
    """An ICC profile; it holds the second in which it was made, so a second call must return the same one."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(space)).tobytes()


def exif(orientation: int | None = None) -> Image.Exif:
    data = Image.Exif()
    data[0x010F] = "Maker"
    if orientation is not None:
        data[0x0112] = orientation
    data.get_ifd(0x8769)[0x9003] = "2024:01:02 03:04:05"
    data.get_ifd(0x8825)[0x0001] = "N"
    return data


def reread_exif(path: Path) -> Image.Exif:
    """EXIF data of any file, deep TIFF files included, which Pillow does not open."""
    data = Image.Exif()
    if path.suffix == ".tif":
        data.load(path.read_bytes())
    else:
        with Image.open(path) as image:
            data = image.getexif()
    return data


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.TIFF"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("with_alpha", [False, True])
def test_lossless_formats_give_back_what_was_written(tmp_path, image, mask, name, dtype, with_alpha):
    scale = 1 if dtype == np.uint8 else 257
    # odd levels, which no detour through 8 bits survives
    pixels = image.astype(dtype) * scale - (dtype(3) if dtype == np.uint16 else dtype(0))
    alpha = mask.astype(dtype) * scale if with_alpha else None
    io.write_image(tmp_path / name, Picture(pixels, alpha))
    read = io.read_image(tmp_path / name)
    assert read.pixels.dtype == dtype
    np.testing.assert_array_equal(read.pixels, pixels)
    if with_alpha:
        np.testing.assert_array_equal(read.alpha, alpha)
    else:
        assert read.alpha is None


def test_float_tiff_round_trip(tmp_path, image):
    pixels = (image / 255 * 0.777).astype(np.float32)
    io.write_image(tmp_path / "a.tif", Picture(pixels))
    read = io.read_image(tmp_path / "a.tif").pixels
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, pixels)


@pytest.mark.parametrize("name", ["a.jpg", "a.JPEG", "a.webp"])
def test_lossy_formats_stay_close(tmp_path, image, name):
    smooth = np.asarray(Image.fromarray(image).resize((128, 96)))
    io.write_image(tmp_path / name, Picture(smooth))
    read = io.read_image(tmp_path / name).pixels.astype(int)
    assert np.abs(read - smooth).mean() < LOSSY


def test_jpeg_is_written_without_chroma_subsampling(tmp_path):
    pixels = np.zeros((16, 16, 3), np.uint8)
    pixels[:, ::2, 0] = pixels[:, 1::2, 2] = 255
    io.write_image(tmp_path / "a.jpg", Picture(pixels))
    with Image.open(tmp_path / "a.jpg") as written:
        assert {layer[1:3] for layer in written.layer} == {(1, 1)}


@pytest.mark.parametrize("name", ["a.jpg", "a.webp"])
def test_16_bits_are_rounded_with_a_warning_where_the_format_has_8(tmp_path, name):
    deep = np.full((16, 16, 3), 200 * 257 + 100, np.uint16)
    with pytest.warns(HarmonizerWarning, match="8 bits"):
        io.write_image(tmp_path / name, Picture(deep))
    assert abs(int(io.read_image(tmp_path / name).pixels[8, 8, 1]) - 200) <= 2


def test_float_becomes_16_bits_in_png_with_a_warning(tmp_path):
    with pytest.warns(HarmonizerWarning, match="16 bits"):
        io.write_image(tmp_path / "a.png", Picture(np.full((2, 2, 3), 0.5, np.float32)))
    assert io.read_image(tmp_path / "a.png").pixels[0, 0, 0] == 32768


def test_alpha_is_dropped_from_jpeg_with_a_warning(tmp_path, image, mask):
    with pytest.warns(HarmonizerWarning, match="alpha"):
        io.write_image(tmp_path / "a.jpg", Picture(image, mask))
    assert io.read_image(tmp_path / "a.jpg").alpha is None


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.tif", "deep.png", "deep.tif"])
def test_profile_and_exif_survive_from_file_to_file(tmp_path, image, name):
    Image.fromarray(image).save(tmp_path / "in.jpg", exif=exif(), icc_profile=profile())
    picture = io.read_image(tmp_path / "in.jpg")
    if name.startswith("deep"):
        picture = Picture(picture.pixels.astype(np.uint16) * 257, None, picture.profile, picture.exif)
    io.write_image(tmp_path / name, picture)
    assert io.read_image(tmp_path / name).profile == profile()
    for data in (reread_exif(tmp_path / name), Image.Exif()):
        if not data:
            data.load(io.read_image(tmp_path / name).exif)
        assert data[0x010F] == "Maker"
        assert data.get_ifd(0x8769)[0x9003] == "2024:01:02 03:04:05"
        assert data.get_ifd(0x8825)[0x0001] == "N"


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_orientation_is_applied_once(tmp_path, image, orientation, name):
    stored = Image.fromarray(image)
    stored.save(tmp_path / name, exif=exif(orientation))
    transpositions = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}  # as Pillow's ImageOps.exif_transpose has them
    upright = stored.transpose(Image.Transpose(transpositions[orientation])) if orientation > 1 else stored
    picture = io.read_image(tmp_path / name)
    np.testing.assert_array_equal(picture.pixels, np.asarray(upright))
    io.write_image(tmp_path / f"again_{name}", picture)
    np.testing.assert_array_equal(io.read_image(tmp_path / f"again_{name}").pixels, np.asarray(upright))
    assert reread_exif(tmp_path / f"again_{name}").get(0x0112, 1) == 1


def test_orientation_of_a_16_bit_png_and_a_deep_tiff(tmp_path, image):
    deep = image.astype(np.uint16) * 257
    io.write_image(tmp_path / "a.png", Picture(deep, exif=exif(6).tobytes()))
    np.testing.assert_array_equal(io.read_image(tmp_path / "a.png").pixels, np.rot90(deep, -1))
    tifffile.imwrite(tmp_path / "a.tif", deep, photometric="rgb", extratags=[(274, "H", 1, 6, True)])
    np.testing.assert_array_equal(io.read_image(tmp_path / "a.tif").pixels, np.rot90(deep, -1))


def test_exif_of_a_png_has_no_prefix(tmp_path, image):
    io.write_image(tmp_path / "a.png", Picture(image, exif=exif().tobytes()))
    assert b"eXIfMM\0*" in (tmp_path / "a.png").read_bytes()  # as the PNG specification has it


# A directory beyond the end, and an orientation that is a text: Pillow warns of the first and raises at the second.
BEYOND = b"MM\0*\0\0\0\x08\0\x01\x01\x0f\0\x02\xff\xff\xff\xff\0\0"
TEXT = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x02\0\0\0\x03up\0\0\0\0\0\0"


@pytest.mark.parametrize(("body", "says"), [(BEYOND, r"(?i)exif"), (TEXT, "the EXIF data is damaged")])
def test_damaged_exif_does_not_cost_the_picture(tmp_path, image, body, says):
    stored = stdio.BytesIO()
    Image.fromarray(image).save(stored, "JPEG")
    data = stored.getvalue()
    segment = b"\xff\xe1" + struct.pack(">H", len(body) + 8) + b"Exif\0\0" + body
    (tmp_path / "a.jpg").write_bytes(data[:2] + segment + data[2:])
    with pytest.warns(UserWarning, match=says):
        assert io.read_image(tmp_path / "a.jpg").pixels.shape == image.shape


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGB", "RGBA"])
def test_every_mode_becomes_rgb(tmp_path, mode):
    grey = Image.fromarray(np.tile(np.repeat(np.array([0, 255], np.uint8), 8), (8, 1)))
    grey.convert(mode).save(tmp_path / "a.png")
    picture = io.read_image(tmp_path / "a.png")
    assert picture.pixels.shape == (8, 16, 3)
    assert picture.pixels.dtype == np.uint8
    assert picture.alpha is None  # opaque everywhere
    np.testing.assert_array_equal(picture.pixels[..., 1], np.asarray(grey))


def test_transparent_palette_gives_alpha(tmp_path):
    stored = Image.new("P", (4, 2), 1)
    stored.putpalette([0, 0, 0, 200, 100, 50])
    stored.putpixel((0, 0), 0)
    stored.save(tmp_path / "a.png", transparency=0)
    picture = io.read_image(tmp_path / "a.png")
    assert picture.pixels[1, 1].tolist() == [200, 100, 50]
    assert picture.alpha[0].tolist() == [0, 255, 255, 255]


@pytest.mark.parametrize("name", ["a.jpg", "a.tif"])
def test_cmyk_becomes_rgb(tmp_path, name):
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / name)
    red = io.read_image(tmp_path / name)
    assert red.pixels[4, 4, 0] > 200
    assert red.pixels[4, 4, 1:].max() < 60


def test_cmyk_goes_through_its_profile(tmp_path, monkeypatch):
    # No CMYK profile can be made here, so see that the profile is asked, and that its answer is the picture.
    def convert(image, source, target, outputMode):  # noqa: N803
        assert (image.mode, outputMode) == ("CMYK", "RGB")
        return Image.new("RGB", image.size, (1, 2, 3))

    monkeypatch.setattr(ImageCms, "profileToProfile", convert)
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / "a.tif", icc_profile=profile())
    picture = io.read_image(tmp_path / "a.tif")
    assert picture.pixels[0, 0].tolist() == [1, 2, 3]
    assert picture.profile is None


def test_cmyk_with_a_profile_that_does_not_fit_is_read_without_it(tmp_path):
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / "a.tif", icc_profile=b"no profile at all")
    with pytest.warns(HarmonizerWarning, match="profile"):
        picture = io.read_image(tmp_path / "a.tif")
    assert picture.pixels[4, 4].tolist() == [255, 0, 0]


@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_deep_tiff_of_other_layouts(tmp_path, image, planar):
    deep = image.astype(np.uint16) * 257
    stored = deep if planar == "contig" else np.moveaxis(deep, -1, 0)
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="rgb", planarconfig=planar, byteorder=">")
    np.testing.assert_array_equal(io.read_image(tmp_path / "a.tif").pixels, deep)


def test_deep_grey_tiff_white_is_zero(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.full((4, 4), 65535, np.uint16), photometric="miniswhite")
    assert io.read_image(tmp_path / "a.tif").pixels.max() == 0


@pytest.mark.parametrize("shape", [(1, 1, 3), (10, 30_000, 3), (30_000, 10, 3)])
@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif"])
def test_extreme_sizes(tmp_path, shape, name):
    pixels = np.full(shape, 77, np.uint8)
    io.write_image(tmp_path / name, Picture(pixels))
    np.testing.assert_array_equal(io.read_image(tmp_path / name).pixels, pixels)


def write_mask(path: Path, mask: np.ndarray, form: str) -> None:
    if form == "16 bits":
        Image.fromarray(mask.astype(np.uint16) * 257).save(path)
    elif form == "alpha":
        rgba = np.dstack([np.full((*mask.shape, 3), (200, 10, 60), np.uint8), mask])
        Image.fromarray(rgba).save(path)
    elif form == "0 and 1":
        Image.fromarray((mask > 127).astype(np.uint8)).save(path)
    elif form == "1":
        Image.fromarray(mask > 127).save(path)
    else:
        Image.fromarray(mask).convert(form).save(path)


@pytest.mark.parametrize("form", ["L", "RGB", "P", "LA", "16 bits", "alpha", "1", "0 and 1"])
def test_masks_of_every_form(tmp_path, mask, form):
    write_mask(tmp_path / "m.png", mask, form)
    read = io.read_mask(tmp_path / "m.png", mask.shape)
    expected = mask > 127 if form in ("1", "0 and 1") else mask / np.float32(255)
    assert read.dtype == np.float32
    np.testing.assert_allclose(read, expected, atol=1e-6)


def test_mask_orientation_is_applied(tmp_path, mask):
    Image.fromarray(mask).save(tmp_path / "m.png", exif=exif(6))
    read = io.read_mask(tmp_path / "m.png", (32, 24))
    np.testing.assert_allclose(read, np.rot90(mask, -1) / np.float32(255), atol=1e-6)


def test_composite_and_mask(tmp_path, image, mask):
    io.write_image(tmp_path / "a.png", Picture(image))
    Image.fromarray(mask).save(tmp_path / "m.png")
    picture, opacity = io.read_composite(tmp_path / "a.png", tmp_path / "m.png")
    np.testing.assert_array_equal(picture.pixels, image)
    np.testing.assert_allclose(opacity, mask / 255, atol=1e-6)


def test_foreground_is_pasted_onto_background(tmp_path, image, mask):
    background = 255 - image
    io.write_image(tmp_path / "f.png", Picture(image, mask))
    io.write_image(tmp_path / "b.png", Picture(background, profile=profile()))
    picture, opacity = io.read_composite(tmp_path / "f.png", tmp_path / "b.png")
    np.testing.assert_array_equal(picture.pixels[mask == 255], image[mask == 255])
    np.testing.assert_array_equal(picture.pixels[mask == 0], background[mask == 0])
    soft = mask == 128
    middle = (image[soft].astype(int) + background[soft]) / 2
    assert np.abs(picture.pixels[soft] - middle).max() <= 1
    np.testing.assert_allclose(opacity, mask / 255, atol=1e-6)
    assert picture.profile == profile()


def test_grey_second_file_is_a_mask_even_for_a_picture_with_alpha(tmp_path, image, mask):
    io.write_image(tmp_path / "a.png", Picture(image, 255 - mask))
    Image.fromarray(mask).convert("RGB").save(tmp_path / "m.png")
    picture, opacity = io.read_composite(tmp_path / "a.png", tmp_path / "m.png")
    np.testing.assert_array_equal(picture.pixels, image)
    np.testing.assert_array_equal(picture.alpha, 255 - mask)
    np.testing.assert_allclose(opacity, mask / 255, atol=1e-6)


def test_output_keeps_the_umask_and_replaces_what_was_there(tmp_path, image):
    (tmp_path / "a.png").write_text("old")
    io.write_image(tmp_path / "a.png", Picture(image))
    (tmp_path / "plain").touch()
    assert (tmp_path / "a.png").stat().st_mode == (tmp_path / "plain").stat().st_mode
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "plain"]
