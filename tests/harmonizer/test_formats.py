"""AVIF, HEIC, JPEG XL and OpenEXR."""

from __future__ import annotations

import io as stdio
import sys
from itertools import chain

import imagecodecs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import whitebox_filters as wf
from harmonizer import HarmonizerWarning, ImageFileError, OutputError
from harmonizer.pictures import io, profiles
from harmonizer.pictures.coding import jpegxl
from harmonizer.pictures.coding.decode import decode
from harmonizer.pictures.picture import Picture

heif = pytest.importorskip("pillow_heif")
openexr = pytest.importorskip("OpenEXR")

LOSSY = 6


@pytest.fixture
def smooth():
    """(48, 64, 3) uint8 without detail, which lossy codecs keep."""
    rows, columns = np.mgrid[:48, :64]
    return np.dstack([40 + 2 * columns, 60 + 3 * rows, 200 - columns]).astype(np.uint8)


def oriented(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def distance(read, expected):
    full = 255 if read.pixels.dtype == np.uint8 else 65535
    return np.abs(read.pixels / full * 255 - expected).mean()


@pytest.mark.parametrize("alpha", [False, True])
def test_avif_goes_both_ways(tmp_path, smooth, alpha):
    opacity = np.full(smooth.shape[:2], 128, np.uint8) if alpha else None
    io.write_image(tmp_path / "a.avif", Picture(smooth, opacity, profiles.adobe_rgb()))
    read = io.read_image(tmp_path / "a.avif")
    assert distance(read, smooth) < LOSSY
    assert read.profile == profiles.adobe_rgb()
    assert (read.alpha is not None) == alpha


@pytest.mark.parametrize("bits", [10, 12])
def test_deep_avif_has_its_full_scale(tmp_path, smooth, bits):
    top = (1 << bits) - 1
    samples = np.dstack([np.full((16, 16), level, np.uint16) for level in (top, top // 2, 0)])
    (tmp_path / "a.avif").write_bytes(imagecodecs.avif_encode(samples, level=100, bitspersample=bits))
    pixels = io.read_image(tmp_path / "a.avif").pixels
    assert pixels.dtype == np.uint16
    np.testing.assert_allclose(pixels[8, 8] / 65535, [1, 0.5, 0], atol=0.004)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied_once(tmp_path, smooth, orientation):
    Image.fromarray(smooth).save(tmp_path / "a.bin", "AVIF", exif=oriented(orientation), quality=95)
    read = io.read_image(tmp_path / "a.bin")
    flips = {1: smooth, 2: smooth[:, ::-1], 3: smooth[::-1, ::-1], 4: smooth[::-1]}
    turned = {5: smooth, 6: smooth[::-1], 7: smooth[::-1, ::-1], 8: smooth[:, ::-1]}
    expected = flips[orientation] if orientation < 5 else turned[orientation].swapaxes(0, 1)
    assert read.pixels.shape == expected.shape
    assert distance(read, expected) < LOSSY


def test_of_heic_the_container_says_how_it_is_turned_and_not_its_exif_data(tmp_path, smooth):
    """ISO/IEC 23008-12: the decoder has done it, and the orientation in the EXIF data is of no meaning."""
    heif.register_heif_opener()
    Image.fromarray(smooth).save(tmp_path / "a.heic", "HEIF", exif=oriented(6), quality=95)
    read = io.read_image(tmp_path / "a.heic")
    assert distance(read, smooth) < LOSSY
    exif = Image.Exif()
    exif.load(read.exif)
    assert exif[0x0112] == 1


@pytest.mark.parametrize("deep", [False, True])
def test_heic_with_profile_and_alpha(tmp_path, smooth, deep):
    profile = profiles.from_cicp(12, 13)
    pixels = smooth.astype(np.uint16) * 257 if deep else smooth
    file = heif.from_bytes("RGB;16" if deep else "RGB", (64, 48), pixels.tobytes())
    file.info["icc_profile"], file.info["icc_profile_type"] = profile, "prof"
    buffer = stdio.BytesIO()
    file.save(buffer, quality=95)
    read = decode(buffer.getvalue())
    assert read.pixels.dtype == (np.uint16 if deep else np.uint8)
    assert distance(read, smooth) < LOSSY
    assert read.profile == profile


def test_heic_without_its_library_says_what_to_install(tmp_path, smooth, monkeypatch):
    heif.register_heif_opener()
    Image.fromarray(smooth).save(tmp_path / "a.heic", "HEIF")
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(ImageFileError, match=r"a.heic cannot be read: it is a HEIC picture.*\[heic\]"):
        io.read_image(tmp_path / "a.heic")


@pytest.mark.parametrize("bits", [8, 10, 12, 16])
@pytest.mark.parametrize("lossless", [False, True])
def test_jpeg_xl_has_its_full_scale(tmp_path, bits, lossless):
    top = (1 << bits) - 1
    dtype = np.uint8 if bits == 8 else np.uint16
    samples = np.dstack([np.full((24, 40), level, dtype) for level in (top, top // 2, 0)])
    (tmp_path / "a.jxl").write_bytes(imagecodecs.jpegxl_encode(samples, lossless=lossless, bitspersample=bits))
    read = io.read_image(tmp_path / "a.jxl")
    full = 255 if bits == 8 else 65535
    np.testing.assert_allclose(read.pixels[8, 8] / full, [1, top // 2 / top, 0], atol=0.005)


@given(width=st.integers(1, 300), height=st.integers(1, 300))
def test_the_head_of_jpeg_xl_tells_the_size(width, height):
    data = imagecodecs.jpegxl_encode(np.zeros((height, width, 3), np.uint8))
    header = jpegxl.read_header(data)
    assert (header.width, header.height, header.bits, header.colour) == (width, height, 8, (1, 13))


def scene_file(tmp_path, channels, **header):
    fields = {"compression": openexr.ZIP_COMPRESSION, "type": openexr.scanlineimage, **header}
    with openexr.File(fields, channels) as file:
        file.write(str(tmp_path / "scene.exr"))
    return tmp_path / "scene.exr"


def planes(linear):
    return {name: np.ascontiguousarray(linear[..., index]) for index, name in enumerate("RGBA"[: linear.shape[2]])}


@pytest.fixture(params=[np.float16, np.float32])
def linear(request):
    """(24, 32, 3) with highlights above 1 and colours outside the gamut."""
    values = np.random.default_rng(0).gamma(1, 0.4, (24, 32, 3))
    values[0, 0], values[1, 1] = [-0.1, 0.2, 0.3], [30, 2, 0.5]
    return values.astype(request.param)


def test_openexr_outside_the_mask_comes_back_bit_for_bit(files, run, mask, linear):
    path = scene_file(files, planes(linear), owner="me")
    code, _, error = run("run", path, files / "mask.png", "-o", files / "out.exr")
    assert (code, error) == (0, "")
    part = openexr.File(str(files / "out.exr"), separate_channels=True).parts[0]
    result = np.dstack([part.channels[name].pixels for name in "RGB"])
    assert result.dtype == linear.dtype
    np.testing.assert_array_equal(result[mask == 0], linear[mask == 0])
    assert np.abs(result[mask > 0] - linear[mask > 0]).max() > 0.01
    assert part.header["owner"] == "me"


def test_openexr_highlights_above_1_are_graded_and_not_clipped(files, run, linear):
    bright = linear + linear.dtype.type(2)
    run("run", scene_file(files, planes(bright)), files / "mask.png", "-o", files / "out.exr", "--set", "brightness=0")
    result = openexr.File(str(files / "out.exr"), separate_channels=True).parts[0].channels["R"].pixels
    assert result.min() > 1


def test_openexr_means_what_a_display_shows(tmp_path, linear):
    picture = io.read_image(scene_file(tmp_path, planes(linear)))
    inside = (linear >= 0).all(axis=2) & (linear <= 1).all(axis=2)
    np.testing.assert_allclose(profiles.to_linear(picture.pixels[inside]), linear[inside], atol=2e-6)
    assert picture.profile is None


def test_openexr_with_alpha_is_associated(files, run, linear):
    alpha = np.linspace(0, 1, 24 * 32).reshape(24, 32, 1).astype(linear.dtype)
    associated = np.dstack([linear * alpha, alpha])
    picture = io.read_image(scene_file(files, planes(associated)))
    np.testing.assert_array_equal(picture.alpha, alpha[..., 0].astype(np.float32))
    io.write_image(files / "again.exr", picture)
    part = openexr.File(str(files / "again.exr"), separate_channels=True).parts[0]
    np.testing.assert_array_equal(np.dstack([part.channels[name].pixels for name in "RGBA"]), associated)


def test_an_openexr_matte_is_opacity_as_it_is(tmp_path):
    matte = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)
    np.testing.assert_array_equal(io.read_mask(scene_file(tmp_path, {"Y": matte}), (3, 4)), matte)


def test_primaries_of_openexr_become_a_profile(tmp_path, linear):
    points = (0.713, 0.293, 0.165, 0.83, 0.128, 0.044, 0.32168, 0.33767)  # ACEScg
    assert profiles.is_rgb(io.read_image(scene_file(tmp_path, planes(linear), chromaticities=points)).profile)


def test_a_picture_becomes_scene_linear(tmp_path, smooth):
    io.write_image(tmp_path / "a.exr", Picture(smooth))
    read = io.read_image(tmp_path / "a.exr")
    assert np.abs(read.pixels * 255 - smooth).max() < 0.5


@pytest.mark.parametrize(
    ("channels", "message"),
    [
        ({"depth": np.zeros((4, 4), np.float32)}, "channels depth; R, G and B"),
        ({name: np.full((4, 4), np.nan, np.float32) for name in "RGB"}, "NaN"),
        ({name: np.zeros((4, 4), np.uint32) for name in "RGB"}, "all are float"),
    ],
)
def test_openexr_that_is_no_picture(tmp_path, channels, message):
    with pytest.raises(ImageFileError, match=message):
        io.read_image(scene_file(tmp_path, channels))


def test_other_channels_are_left_out_and_that_is_said(tmp_path, linear):
    path = scene_file(tmp_path, planes(linear) | {"depth.Z": np.zeros((24, 32), np.float32)})
    with pytest.warns(HarmonizerWarning, match="depth.Z"):
        io.read_image(path)


def test_openexr_without_its_library_says_what_to_install(tmp_path, smooth, linear, monkeypatch):
    path = scene_file(tmp_path, planes(linear))
    monkeypatch.setitem(sys.modules, "OpenEXR", None)
    with pytest.raises(ImageFileError, match=r"OpenEXR picture; to read it.*\[exr\]"):
        io.read_image(path)
    with pytest.raises(OutputError, match=r"\[exr\]"):
        io.write_image(tmp_path / "b.exr", Picture(smooth))


@pytest.mark.parametrize("name", ["a.avif", "a.heic", "a.jxl", "a.exr"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_truncated_files_are_one_error(tmp_path, smooth, name, share):
    heif.register_heif_opener()
    if name == "a.jxl":
        data = imagecodecs.jpegxl_encode(smooth, lossless=True)
    else:
        file = stdio.BytesIO()
        if name == "a.exr":
            io.write_image(tmp_path / name, Picture(smooth))
            data = (tmp_path / name).read_bytes()
        else:
            Image.fromarray(smooth).save(file, "AVIF" if name == "a.avif" else "HEIF")
            data = file.getvalue()
    (tmp_path / name).write_bytes(data[: int(share * len(data))])
    with pytest.raises(ImageFileError):
        io.read_image(tmp_path / name)


@pytest.mark.parametrize(("name", "side"), [("out.jpg", 65536), ("out.webp", 16384), ("out.avif", 65537)])
@pytest.mark.parametrize("option", ["-o", "--delta", "--mask-out"])
def test_a_picture_too_large_for_its_format_is_refused_before_the_work(files, run, monkeypatch, name, side, option):
    monkeypatch.setattr("harmonizer.jobs.harmonize", lambda *_: pytest.fail("the work was begun"))
    for part in ("composite.png", "mask.png"):
        Image.new("L", (side, 1), 255).save(files / part)
    outputs = {"-o": files / "out.png"} | {option: files / name}
    code, _, error = run("run", files / "composite.png", files / "mask.png", *chain(*outputs.items()))
    assert code == 2
    assert f"{side} x 1; choose .png or .tif" in error


def test_the_difference_and_the_comparison_of_an_openexr_picture_are_pictures(files, run, linear):
    path = scene_file(files, planes(linear))
    outputs = [files / "out.exr", "--delta", files / "delta.exr", "--compare", files / "both.png"]
    code, _, error = run("run", path, files / "mask.png", "-o", *outputs)
    assert (code, error) == (0, "")
    delta = io.read_image(files / "delta.exr").pixels
    assert np.abs(delta[0, 0] - 0.5).max() < 0.01


@pytest.mark.parametrize("name", ["a.png", "a.webp", "a.avif"])
def test_of_an_animation_the_first_picture_is_used_and_that_is_said(tmp_path, smooth, name):
    first, second = (Image.fromarray(pixels) for pixels in (smooth, 255 - smooth))
    first.save(tmp_path / name, save_all=True, append_images=[second])
    with pytest.warns(HarmonizerWarning, match="2 pictures; the first"):
        assert distance(io.read_image(tmp_path / name), smooth) < LOSSY


@pytest.mark.parametrize("transparent", [False, True])
def test_what_is_pasted_onto_bright_light_is_as_bright_as_it_was(files, run, image, mask, transparent):
    light = np.full((24, 32, 3), 20, np.float32)
    alpha = np.where(np.arange(32) < 16, 0.5, 1).astype(np.float32) * np.ones((24, 1), np.float32)
    background = np.dstack([light * alpha[..., None], alpha]) if transparent else light
    path = scene_file(files, planes(background))
    settings = [argument for name in wf.DEFAULT_FILTERS for argument in ("--set", f"{name}=0")]
    code, _, error = run("run", files / "foreground.png", "--background", path, "-o", files / "out.exr", *settings)
    assert (code, error) == (0, "")
    part = openexr.File(str(files / "out.exr"), separate_channels=True).parts[0]
    result = np.dstack([part.channels[name].pixels for name in "RGB"])
    np.testing.assert_array_equal(result[mask == 0], background[..., :3][mask == 0])
    opaque = mask == 255
    np.testing.assert_allclose(result[opaque], profiles.to_linear(image[opaque] / 255), atol=1e-4)
    if transparent:
        np.testing.assert_allclose(part.channels["A"].pixels, np.where(opaque, 1, alpha), atol=0.51)
        assert (part.channels["A"].pixels[opaque] == 1).all()
