"""A background has the primaries and transfer of the video that is pasted onto it, or one line says that it has not."""

from __future__ import annotations

import warnings
from contextlib import ExitStack
from dataclasses import replace

import numpy as np
import pytest
from clips import HEIGHT, WIDTH, ffmpeg
from PIL import Image

from harmonizer.errors import HarmonizerWarning
from harmonizer.pictures import profiles
from harmonizer.video import masks
from harmonizer.video.coding.reader import Reader
from harmonizer.video.frames import Colour

SIZE = (HEIGHT, WIDTH)
BT709 = Colour(1, False, 1, 1)
TAGS = {"bt709": 1, "smpte432": 12, "bt2020": 9, "smpte170m": 6}
# To linear BT.709 from linear light of these primaries (white D65).
TO_BT709 = {
    12: [[1.2249, -0.2247, 0.0], [-0.0420, 1.0419, 0.0], [-0.0197, -0.0786, 1.0979]],
    9: [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]],
}
RGB = (150, 110, 70)


def clip(folder, primaries="bt709", transfer="bt709", name="back.mkv"):
    colour = f"color=0x{RGB[0]:02x}{RGB[1]:02x}{RGB[2]:02x}:s={WIDTH}x{HEIGHT}:r=25:d=0.1,format=gbrp"
    tags = f"setparams=color_primaries={primaries}:color_trc={transfer}:colorspace=bt709:range=tv"
    ffmpeg(folder, "-f", "lavfi", "-i", colour, "-vf", f"scale=out_color_matrix=bt709,format=yuv444p,{tags}",
           "-c:v", "libx264", "-qp", "0", name)  # fmt: skip
    return folder / name


def first(path, colour):
    with ExitStack() as stack:
        return next(masks.open_background(path, SIZE, stack, colour))[1][0, 0].astype(int)


def linear(values):
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def encoded(values):
    return np.where(values <= 0.0031308, values * 12.92, 1.055 * values ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize("primaries", ["smpte432", "bt2020"])
def test_primaries_are_converted(tmp_path, primaries):
    path = clip(tmp_path, primaries)
    with Reader(path) as video:
        assert video.info.colour.primaries == TAGS[primaries]
    expected = 255 * encoded(np.array(TO_BT709[TAGS[primaries]]) @ linear(np.array(RGB) / 255))
    assert np.abs(expected - RGB).max() > 4
    np.testing.assert_allclose(first(path, BT709), expected, atol=3)


@pytest.mark.parametrize("primaries", ["bt709", "smpte432", "bt2020", "smpte170m"])
def test_one_space_keeps_its_values(tmp_path, primaries):
    path = clip(tmp_path, primaries)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_allclose(first(path, replace(BT709, primaries=TAGS[primaries])), RGB, atol=2)


@pytest.mark.parametrize(("transfer", "number"), [("smpte2084", 16), ("arib-std-b67", 18)])
def test_hdr_beside_sdr_is_said_in_one_line(tmp_path, transfer, number):
    path = clip(tmp_path, "bt2020", transfer)
    with pytest.warns(HarmonizerWarning, match="Convert one to the other's colour space") as caught:
        np.testing.assert_allclose(first(path, BT709), RGB, atol=2)
    assert len(caught) == 1
    same = replace(BT709, primaries=9, transfer=number)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_allclose(first(path, same), RGB, atol=2)


def test_profile_of_a_picture_is_converted(tmp_path):
    profile = profiles.from_cicp(12, 13)
    Image.fromarray(np.full((*SIZE, 3), RGB, np.uint8)).save(tmp_path / "back.png", icc_profile=profile)
    expected = 255 * encoded(np.array(TO_BT709[12]) @ linear(np.array(RGB) / 255))
    np.testing.assert_allclose(first(tmp_path / "back.png", BT709), expected, atol=2)
    np.testing.assert_allclose(first(tmp_path / "back.png", replace(BT709, primaries=12)), RGB, atol=1)


def test_the_command_converts(tmp_path, run, still):
    clip(tmp_path, "bt709", name="front.mkv")
    clip(tmp_path, "bt2020")
    code, _, err = run(tmp_path / "front.mkv", still, "--background", tmp_path / "back.mkv", "-o", tmp_path / "out.mkv")
    assert (code, err) == (0, "")
    with Reader(tmp_path / "out.mkv") as video:
        corner = next(iter(video)).pixels[-1, -1]
    expected = 255 * encoded(np.array(TO_BT709[9]) @ linear(np.array(RGB) / 255))
    np.testing.assert_allclose(corner, expected, atol=5)
