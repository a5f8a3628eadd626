"""4:2:0 to RGB and back by our own code: what the definitions of the colour spaces say, at any size."""

from __future__ import annotations

import av
import numpy as np
import pytest
from clips import to_yuv as define_yuv

from harmonizer.video.coding import planar
from harmonizer.video.coding.colour import Converter
from harmonizer.video.frames import Colour

CODINGS = [(matrix, full) for matrix in planar.LUMA for full in (False, True)]
SIZES = [(48, 64), (47, 63), (2, 2), (1, 1), (1, 9), (5, 40)]


def coding(matrix: int = 1, full: bool = False) -> Colour:
    return Colour(matrix, full, 1, 1)


def smooth(height: int, width: int) -> np.ndarray:
    """RGB in [0, 1] that changes little from pixel to pixel."""
    y, x = np.mgrid[0:height, 0:width] / np.float64([[[height]], [[width]]])
    return np.stack([0.1 + 0.7 * x, 0.2 + 0.6 * y, 0.9 - 0.4 * x - 0.3 * y], axis=-1)


def levels(rgb: np.ndarray) -> np.ndarray:
    return np.rint(rgb * 255).astype(np.uint8)


def planes_of(frame: av.VideoFrame) -> list[np.ndarray]:
    return [np.frombuffer(bytes(p), np.uint8).reshape(p.height, p.line_size)[:, : p.width] for p in frame.planes]


@pytest.mark.parametrize(("matrix", "full"), CODINGS)
def test_a_smooth_picture_is_coded_by_the_definition(matrix, full):
    rgb = smooth(48, 64)
    frame = planar.to_yuv(levels(rgb), planar.make_terms(coding(matrix, full)))
    means = rgb.reshape(24, 2, 32, 2, 3).mean(axis=(1, 3))
    expected = [define_yuv(rgb, matrix, full=full)[0], *define_yuv(means, matrix, full=full)[1:]]
    for found, plane in zip(planes_of(frame), expected, strict=True):
        assert np.abs(found.astype(int) - plane).max() <= 1


@pytest.mark.parametrize(("matrix", "full"), CODINGS)
@pytest.mark.parametrize("size", SIZES)
def test_there_and_back(matrix, full, size):
    picture, terms = levels(smooth(*size)), planar.make_terms(coding(matrix, full))
    grey = levels(np.repeat(smooth(*size)[..., :1], 3, axis=2))
    again = planar.to_rgb(planar.to_yuv(grey, terms), terms)
    assert np.abs(again.astype(int) - grey).max() <= 1
    if min(size) > 10:  # else neighbours differ too much to share their chroma
        again = planar.to_rgb(planar.to_yuv(picture, terms), terms).astype(int)
        # At the edges chroma has a neighbour on one side only.
        assert np.abs(again - picture)[2:-2, 2:-2].max() <= 3
        assert abs(np.mean(again - picture)) < 0.3


@pytest.mark.parametrize("level", [0, 16, 100, 235, 255])
def test_black_and_white_are_those_of_the_range(level):
    grey = np.full((4, 4, 3), level, np.uint8)
    for full in (False, True):
        terms = planar.make_terms(coding(full=full))
        luma, *chroma = planes_of(planar.to_yuv(grey, terms))
        assert (luma == (level if full else round(16 + 219 * level / 255))).all()
        assert all((plane == 128).all() for plane in chroma)


def test_what_lies_beyond_the_range_is_cut_off():
    frame = av.VideoFrame(4, 4, "yuv420p")
    for plane, level in zip(frame.planes, (255, 255, 0), strict=True):
        np.frombuffer(plane, np.uint8)[:] = level
    assert planar.to_rgb(frame, planar.make_terms(coding()))[0, 0].tolist() == [49, 255, 255]


def test_chroma_lies_where_the_converter_of_ffmpeg_has_it():
    frame = av.VideoFrame(128, 96, "yuv420p")
    y, x = np.mgrid[0:48, 0:64]
    waves = [np.full((96, 128), 128), 128 + 60 * np.sin(x / 3 + y / 5), 128 + 60 * np.cos(x / 4 - y / 3)]
    for plane, wave in zip(frame.planes, waves, strict=True):
        np.frombuffer(plane, np.uint8).reshape(plane.height, -1)[:, : plane.width] = wave
    converter = Converter(coding())
    ours = converter.to_rgb(frame).astype(int)
    theirs = converter._decode(frame, "rgb24", "rgb48le").astype(int)
    inside = np.s_[4:-4, 4:-4]
    assert np.abs(ours - theirs)[inside].mean() < 1.5
    shifted = [np.abs(np.roll(ours, shift, axis) - theirs)[inside].mean() for shift in (-1, 1) for axis in (0, 1)]
    assert min(shifted) > 4


def test_views_and_padded_rows():
    terms = planar.make_terms(coding())
    wide = levels(smooth(48, 200))
    for view in (wide[:, 3:160], wide[::-1], wide[:, ::2]):
        found, expected = planar.to_yuv(view, terms), planar.to_yuv(view.copy(), terms)
        for one, other in zip(planes_of(found), planes_of(expected), strict=True):
            np.testing.assert_array_equal(one, other)


def test_other_layouts_and_codings_are_left_to_ffmpeg():
    assert planar.is_known("yuv420p", coding(9))
    assert not planar.is_known("yuv444p", coding())
    assert not planar.is_known("yuv420p10le", coding())
    assert not planar.is_known("yuv420p", coding(8))
    picture = levels(smooth(48, 64))
    found = Converter(coding(7)).to_rgb(Converter(coding(7)).to_yuv(picture, "yuv420p"))
    assert np.abs(found.astype(int) - picture)[2:-2, 2:-2].max() <= 4
