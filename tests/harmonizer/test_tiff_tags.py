"""The tags of TIFF that say what samples mean, at every depth."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st

from harmonizer import HarmonizerWarning, ImageFileError
from harmonizer.pictures import io
from harmonizer.pictures.picture import scale_levels

COLOURS = np.random.default_rng(0).integers(0, 256, (6, 7, 3), dtype=np.uint8)
ALPHA = np.random.default_rng(1).integers(0, 256, (6, 7), dtype=np.uint8)
ALPHA[0, 0] = 0
LAYOUTS = ({"planarconfig": "separate"}, {"tile": (16, 16)}, {"predictor": True, "compression": "zlib"})
DEPTHS = (np.uint8, np.uint16, np.float32)


def deepen(levels, dtype):
    return (levels / 255).astype(dtype) if dtype == np.float32 else levels.astype(dtype) * (np.iinfo(dtype).max // 255)


def full(dtype):
    return 1 if dtype == np.float32 else np.iinfo(dtype).max


@given(bits=st.integers(1, 16), level=st.floats(0, 1))
def test_levels_keep_their_share_of_full_scale(bits, level):
    top = (1 << bits) - 1
    sample = np.array([0, round(level * top), top], np.uint16)
    scaled = scale_levels(sample, bits)
    top_scaled = np.iinfo(scaled.dtype).max
    assert scaled[[0, 2]].tolist() == [0, top_scaled]
    assert abs(scaled[1] / top_scaled - sample[1] / top) <= 0.5 / top_scaled + 1e-12


@pytest.mark.parametrize("bits", range(9, 17))
@pytest.mark.parametrize("photometric", ["rgb", "minisblack", "miniswhite"])
def test_white_is_the_largest_value_of_the_bits_that_there_are(tmp_path, bits, photometric):
    top = (1 << bits) - 1
    samples = np.linspace(0, top, 42).round().astype(np.uint16).reshape(6, 7)
    stored = (
        np.dstack([samples] * 3) if photometric == "rgb" else top - samples if photometric == "miniswhite" else samples
    )
    tifffile.imwrite(tmp_path / "a.tif", stored, bitspersample=bits, photometric=photometric)
    pixels = io.read_image(tmp_path / "a.tif").pixels
    assert pixels.dtype == np.uint16
    np.testing.assert_allclose(pixels[..., 0] / 65535, samples / top, atol=0.5 / 65535)


@pytest.mark.parametrize("dtype", DEPTHS)
@pytest.mark.parametrize("kind", ["unspecified", "unassalpha", "assocalpha"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_a_fourth_sample_means_the_same_at_every_depth(tmp_path, dtype, kind, order):
    colours, alpha = deepen(COLOURS, dtype), deepen(ALPHA, dtype)
    stored = colours
    if kind == "assocalpha":
        rounding = 0 if dtype == np.float32 else 0.5
        stored = (colours * (alpha[..., None] / np.float32(full(dtype))) + rounding).astype(dtype)
    four = np.dstack([stored, alpha]).astype(np.dtype(dtype).newbyteorder(order))
    tifffile.imwrite(tmp_path / "a.tif", four, photometric="rgb", extrasamples=[kind], byteorder=order)
    picture = io.read_image(tmp_path / "a.tif")
    np.testing.assert_array_equal(picture.alpha, alpha)
    clear = (128 if kind == "assocalpha" else -1) < ALPHA
    error = np.abs(picture.pixels / full(dtype) - COLOURS / 255)[clear]
    assert error.max() < (0.006 if kind == "assocalpha" else 1e-6)


@pytest.mark.parametrize("dtype", DEPTHS)
@pytest.mark.parametrize("kinds", [["unassalpha", "unspecified"], ["unspecified", "unassalpha"], ["unspecified"] * 2])
def test_of_several_extra_channels_the_one_that_is_alpha_is_read(tmp_path, dtype, kinds):
    alpha, other = deepen(ALPHA, dtype), deepen(255 - ALPHA, dtype)
    extras = [alpha if kind == "unassalpha" else other for kind in kinds]
    samples = np.dstack([deepen(COLOURS, dtype), *extras])
    tifffile.imwrite(tmp_path / "a.tif", samples, photometric="rgb", extrasamples=kinds)
    with pytest.warns(HarmonizerWarning, match="2 extra channels"):
        picture = io.read_image(tmp_path / "a.tif")
    if "unassalpha" in kinds:
        np.testing.assert_array_equal(picture.alpha, alpha)
    else:
        assert picture.alpha is None
    np.testing.assert_array_equal(picture.pixels, deepen(COLOURS, dtype))


@pytest.mark.parametrize("dtype", DEPTHS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_samples_are_read_however_they_are_laid_out(tmp_path, dtype, layout):
    colours = deepen(COLOURS, dtype)
    stored = np.moveaxis(colours, 2, 0) if "planarconfig" in layout else colours
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="rgb", **layout)
    np.testing.assert_array_equal(io.read_image(tmp_path / "a.tif").pixels, colours)


@pytest.mark.parametrize("dtype", DEPTHS)
def test_a_preview_before_the_picture_is_not_the_picture(tmp_path, dtype):
    colours = deepen(COLOURS, dtype)
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(colours[::2, ::2], photometric="rgb", subfiletype=1)
        file.write(colours, photometric="rgb", subfiletype=0)
    np.testing.assert_array_equal(io.read_image(tmp_path / "a.tif").pixels, colours)


@pytest.mark.parametrize("dtype", DEPTHS)
def test_of_several_pictures_the_first_is_read_and_that_is_said(tmp_path, dtype):
    colours = deepen(COLOURS, dtype)
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(colours, photometric="rgb")
        file.write(colours[::-1], photometric="rgb")
    with pytest.warns(HarmonizerWarning, match="2 pictures; the first"):
        np.testing.assert_array_equal(io.read_image(tmp_path / "a.tif").pixels, colours)


def test_a_file_of_previews_alone_is_no_picture(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", COLOURS, photometric="rgb", subfiletype=1)
    with pytest.raises(ImageFileError, match="only previews"):
        io.read_image(tmp_path / "a.tif")
