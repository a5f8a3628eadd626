"""A cut-out on a transparent canvas of its background's size."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harmonizer.errors import MaskError
from harmonizer.pictures.picture import Picture
from harmonizer.pictures.placement import Placement, place


def cut_out(height=6, width=8, dtype=np.uint8):
    generator = np.random.default_rng(0)
    top = np.iinfo(dtype).max
    pixels = generator.integers(0, top, (height, width, 3), dtype, endpoint=True)
    alpha = generator.integers(1, top, (height, width), dtype, endpoint=True)
    return Picture(pixels, alpha, profile=b"profile")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("flip", [False, True])
def test_at_scale_1_pixels_only_move(dtype, flip):
    picture = cut_out(dtype=dtype)
    placed = place(picture, (20, 30), Placement(x=10, y=7, flip=flip), "it")
    step = -1 if flip else 1
    assert placed.pixels.dtype == dtype
    np.testing.assert_array_equal(placed.pixels[4:10, 6:14], picture.pixels[:, ::step])
    np.testing.assert_array_equal(placed.alpha[4:10, 6:14], picture.alpha[:, ::step])
    outside = np.ones((20, 30), bool)
    outside[4:10, 6:14] = False
    assert not placed.alpha[outside].any()
    assert placed.profile == b"profile"


def test_what_lies_beyond_the_canvas_is_cut_off():
    picture = cut_out()
    placed = place(picture, (5, 5), Placement(x=0, y=5), "it")
    np.testing.assert_array_equal(placed.pixels[2:5, 0:4], picture.pixels[:3, 4:])
    assert not placed.alpha[:2].any()
    assert not placed.alpha[:, 4:].any()


@pytest.mark.parametrize("scale", [0.5, 3.0])
def test_a_scaled_cut_out_has_its_colour_to_the_edge(scale):
    """Colours under alpha 0 do not bleed into those that can be seen."""
    pixels, alpha = np.zeros((40, 40, 3), np.uint8), np.zeros((40, 40), np.uint8)
    pixels[10:30, 10:30] = (200, 100, 50)
    pixels[:10] = 255
    alpha[10:30, 10:30] = 255
    placed = place(Picture(pixels, alpha), (200, 200), Placement(100, 100, scale), "it")
    visible = placed.alpha > 0.02
    assert (placed.alpha > 0.5).sum() == pytest.approx((20 * scale) ** 2, rel=0.1)
    np.testing.assert_allclose(
        placed.pixels[visible], np.broadcast_to([200, 100, 50], (visible.sum(), 3)) / 255, atol=0.01
    )


def test_a_part_on_the_canvas_is_that_part_of_the_whole():
    picture = cut_out(30, 40)
    whole = place(picture, (300, 300), Placement(150, 150, 2.5), "it")
    part = place(picture, (300, 120), Placement(150, 150, 2.5), "it")
    np.testing.assert_allclose(part.alpha, whole.alpha[:, :120], atol=2e-3)


@given(
    st.floats(-50, 100), st.floats(-50, 100), st.floats(0.01, 20), st.booleans(), st.integers(1, 40), st.integers(1, 40)
)
def test_every_placement_stays_in_range_or_is_refused(x, y, scale, flip, height, width):
    try:
        placed = place(cut_out(), (height, width), Placement(x, y, scale, flip), "it")
    except MaskError:
        assert not (1 <= x <= width - 1 and 1 <= y <= height - 1)
        return
    assert placed.pixels.shape == (height, width, 3)
    assert placed.alpha.shape == (height, width)
    if placed.pixels.dtype == np.float32:
        assert 0 <= placed.pixels.min() <= placed.pixels.max() <= 1
        assert 0 <= placed.alpha.min() <= placed.alpha.max() <= 1


def test_a_picture_without_alpha_cannot_be_placed():
    with pytest.raises(MaskError, match="no alpha channel"):
        place(Picture(np.zeros((4, 4, 3), np.uint8)), (9, 9), Placement(4, 4), "it")
