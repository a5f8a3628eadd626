"""What the numbers of a file mean: profiles, and what stands in their place."""

from __future__ import annotations

import io as stdio
import struct
import zlib
from contextlib import ExitStack

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from harmonizer import HarmonizerWarning
from harmonizer.pictures import io, profiles
from harmonizer.pictures.picture import Picture
from harmonizer.video.masks import open_masks

LINEAR = imagecodecs.cms_profile("gray", gamma=1.0)
SRGB_POINTS = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
ADOBE_POINTS = (31270, 32900, 64000, 33000, 21000, 71000, 15000, 6000)
RAMP = np.tile(np.arange(256, dtype=np.uint8), (4, 1))


def chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(tmp_path, *chunks, pixels=None, name="a.png"):
    file = stdio.BytesIO()
    Image.fromarray(np.full((4, 5, 3), 100, np.uint8) if pixels is None else pixels).save(file, "PNG")
    data = file.getvalue()
    path = tmp_path / name
    path.write_bytes(data[:33] + b"".join(chunks) + data[33:])
    return path


def gama(gamma):
    return chunk(b"gAMA", struct.pack(">I", round(gamma * 100_000)))


def chrm(points):
    return chunk(b"cHRM", struct.pack(">8I", *points))


def cicp(primaries, transfer):
    return chunk(b"cICP", bytes([primaries, transfer, 0, 1]))


def to_srgb(value, profile):
    """A grey of a profile as sRGB, by littleCMS through Pillow."""
    source = ImageCms.ImageCmsProfile(stdio.BytesIO(profile))
    patch = Image.new("RGB", (1, 1), (value,) * 3)
    return ImageCms.profileToProfile(patch, source, ImageCms.createProfile("sRGB")).getpixel((0, 0))


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        ([gama(1.0)], 166),  # 100 / 255, linear
        ([gama(1.0), chrm(SRGB_POINTS)], 166),
        ([gama(1 / 1.8)], 119),
        ([cicp(1, 8)], 166),
        ([cicp(1, 8), gama(1 / 1.8)], 166),  # cICP counts before
    ],
)
def test_a_png_says_how_bright_its_values_are(tmp_path, chunks, expected):
    picture = io.read_image(png(tmp_path, *chunks))
    assert picture.pixels[0, 0].tolist() == [100] * 3
    assert np.abs(np.array(to_srgb(100, picture.profile)) - expected).max() <= 2


@pytest.mark.parametrize(
    "chunks",
    [
        [],
        [gama(0.45455)],
        [gama(0.45455), chrm(SRGB_POINTS)],
        [chunk(b"sRGB", b"\0"), gama(1.0)],  # sRGB counts before gAMA
        [cicp(1, 13)],
        [chunk(b"gAMA", struct.pack(">I", 0))],
    ],
)
def test_srgb_said_in_any_way_needs_no_profile(tmp_path, chunks):
    assert io.read_image(png(tmp_path, *chunks)).profile is None


@pytest.mark.parametrize("chunks", [[chrm(ADOBE_POINTS)], [cicp(12, 13)], [cicp(9, 1)]])
def test_other_primaries_become_a_profile(tmp_path, chunks):
    profile = io.read_image(png(tmp_path, *chunks)).profile
    red = profiles.convert(np.array([[[255, 0, 0]]], np.uint8), None, profile)
    assert red[0, 0, 0] < 0.99  # the red of sRGB is not the brightest there
    assert max(to_srgb(100, profile)) - min(to_srgb(100, profile)) <= 1  # grey is grey


def test_a_damaged_chunk_is_ignored_with_a_warning(tmp_path):
    with pytest.warns(HarmonizerWarning, match="damaged"):
        assert io.read_image(png(tmp_path, chunk(b"cICP", b"\1"))).profile is None


@pytest.mark.parametrize("name", ["out.png", "out.tif", "out.jpg", "out.webp", "out.avif"])
def test_what_gamma_says_goes_into_every_format(files, run, image, name):
    png(files, gama(1.0), pixels=image, name="linear.png")
    code, _, error = run("run", files / "linear.png", files / "mask.png", "-o", files / name)
    assert (code, error) == (0, "")
    assert np.abs(np.array(to_srgb(64, io.read_image(files / name).profile)) - 137).max() <= 1


@pytest.mark.parametrize(("transfer", "name"), [(16, "PQ"), (18, "HLG")])
def test_hdr_is_said_and_stays(files, run, image, transfer, name):
    png(files, cicp(9, transfer), pixels=image, name="hdr.png")
    code, _, error = run("run", files / "hdr.png", files / "mask.png", "-o", files / "out.png")
    assert code == 0
    assert f"HDR ({name})" in error
    with pytest.warns(HarmonizerWarning, match="HDR"):
        assert io.read_image(files / "out.png").cicp == bytes([9, transfer, 0, 1])
    code, _, error = run("run", files / "hdr.png", files / "mask.png", "-o", files / "out.tif")
    assert "TIFF holds no HDR code points" in error


def grey_files(folder):
    """The same linear ramp in every form that can have a grey profile."""
    deep, alpha = RAMP.astype(np.uint16) * 257, np.full_like(RAMP, 200)
    Image.fromarray(RAMP).save(folder / "8.png", icc_profile=LINEAR)
    Image.fromarray(RAMP).save(folder / "8.jpg", icc_profile=LINEAR, quality=100)
    Image.fromarray(RAMP).save(folder / "8.tif", icc_profile=LINEAR)
    Image.fromarray(np.dstack([RAMP, alpha]), "LA").save(folder / "8 alpha.png", icc_profile=LINEAR)
    Image.fromarray(deep).save(folder / "16.png", icc_profile=LINEAR)
    for name, samples in (("16.tif", deep), ("float.tif", (RAMP / 255).astype(np.float32))):
        tifffile.imwrite(folder / name, samples, photometric="minisblack", iccprofile=LINEAR)
    both = np.dstack([deep, alpha.astype(np.uint16) * 257])
    tifffile.imwrite(
        folder / "16 alpha.tif", both, photometric="minisblack", extrasamples=["unassalpha"], iccprofile=LINEAR
    )
    return sorted(path for path in folder.iterdir() if path.suffix in (".png", ".jpg", ".tif"))


@pytest.mark.filterwarnings("ignore:'mode' parameter is deprecated:DeprecationWarning")
def test_a_grey_profile_means_the_same_in_every_form(tmp_path):
    files = grey_files(tmp_path)
    assert len(files) == 8
    for path in files:
        picture = io.read_image(path)
        full = 1 if picture.pixels.dtype.kind == "f" else np.iinfo(picture.pixels.dtype).max
        assert np.abs(picture.pixels[0, 64] / full * 255 - 137).max() < 1.5, path.name
        assert picture.profile is None


@pytest.mark.filterwarnings("ignore:'mode' parameter is deprecated:DeprecationWarning")
def test_no_profile_bends_a_mask(tmp_path):
    for path in grey_files(tmp_path):
        if "alpha" not in path.name:
            opacity = io.read_mask(path, RAMP.shape)
            np.testing.assert_allclose(opacity, RAMP / 255, atol=1.5 / 255, err_msg=path.name)
    mask = png(tmp_path, gama(1.0), pixels=np.dstack([RAMP] * 3))
    np.testing.assert_allclose(io.read_mask(mask, RAMP.shape), RAMP / 255, atol=1e-6)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_pasted_foreground_keeps_its_look(tmp_path, dtype):
    wide = profiles.adobe_rgb()
    scale = np.iinfo(dtype).max // 255
    colour, alpha = np.zeros((6, 6, 3), dtype), np.zeros((6, 6), dtype)
    colour[2:4, 2:4], alpha[2:4, 2:4] = np.array([200, 60, 40]) * scale, 255 * scale
    background = np.random.default_rng(0).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    io.write_image(tmp_path / "cut.png", Picture(colour, alpha, wide))
    for profile, expected in ((None, (231, 57, 34)), (wide, (200, 60, 40))):
        io.write_image(tmp_path / "below.png", Picture(background, profile=profile))
        picture, _ = io.read_composite(tmp_path / "cut.png", tmp_path / "below.png")
        assert np.abs(picture.pixels[3, 3].astype(int) - expected).max() <= 2
        np.testing.assert_array_equal(picture.pixels[0], background[0])
        assert picture.profile == profile


def test_a_damaged_profile_is_said_when_pictures_are_mixed(tmp_path, image, mask):
    damaged = profiles.adobe_rgb()[:128] + bytes(200)
    io.write_image(tmp_path / "cut.tif", Picture(image, mask, damaged))
    io.write_image(tmp_path / "below.png", Picture(image[::-1].copy()))
    with pytest.warns(HarmonizerWarning, match="damaged"):
        io.read_composite(tmp_path / "cut.tif", tmp_path / "below.png")


def test_a_camera_says_adobe_rgb_without_a_profile(tmp_path, image):
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0xA005] = {1: "R03"}
    Image.fromarray(image).save(tmp_path / "camera.jpg", exif=exif)
    assert io.read_image(tmp_path / "camera.jpg").profile == profiles.adobe_rgb()


def test_lab_goes_through_its_profile(tmp_path):
    lab = Image.merge("LAB", [Image.new("L", (4, 4), value) for value in (137, 128, 128)])
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    lab.save(tmp_path / "a.tif", icc_profile=profile)
    grey = io.read_image(tmp_path / "a.tif").pixels[0, 0].astype(int)
    assert np.ptp(grey) <= 2
    assert abs(grey[0] - 127) <= 3  # L* 54


def test_no_profile_bends_the_masks_of_a_folder(tmp_path):
    Image.fromarray(RAMP).save(tmp_path / "0.png", icc_profile=LINEAR)
    with ExitStack() as stack:
        opacity = next(iter(open_masks(tmp_path, RAMP.shape, stack)))
    np.testing.assert_allclose(opacity, RAMP / 255, atol=1e-6)
