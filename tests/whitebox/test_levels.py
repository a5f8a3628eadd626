"""Means of an 8-bit frame without a histogram, spans of masks and the background: as NumPy has them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import whitebox_filters as wf
from whitebox_filters.backends.cpu import frames
from whitebox_filters.backends.cpu import means as means_module
from whitebox_filters.backends.cpu.means import LevelMeans, fit_lines
from whitebox_filters.backends.cpu.prepass import copy_background, run_prepass
from whitebox_filters.native.workers import Workers

LEVEL = np.arange(256)


def means(image, *curves):
    """By the plan's passes, in turn, over one frame."""
    frame = frames.open_frame(image)
    with Workers(frame.size) as workers:
        found = LevelMeans(workers, frame, run_prepass(workers, frame, None, summed=True).totals)
        return [found.after(np.ascontiguousarray(each, np.float64)) for each in curves]


def expected(image, curves):
    return np.array([curves[channel][image[..., channel]].mean() for channel in range(3)])


@st.composite
def pictures(draw):
    """Of any width, some brighter in one channel; part of them with room between the rows."""
    height, width = draw(st.integers(1, 9)), draw(st.one_of(st.integers(1, 70), st.integers(8100, 8300)))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    image = (generator.random((height, width + 5, 3)) ** generator.uniform(0.05, 3, 3) * 256).astype(np.uint8)
    return image[:, 2:-3] if draw(st.booleans()) else image


@st.composite
def bent(draw):
    """Curves of two straight lines, which need not meet."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    floors = draw(st.lists(st.sampled_from([0, 1, 2, 100, 221, 253, 254, 255]), min_size=3, max_size=3))
    base, slope = generator.random((2, 3)), generator.uniform(-1, 1, (2, 3)) / 255
    below, above = (base[i][:, None] + slope[i][:, None] * LEVEL for i in range(2))
    return np.where(np.array(floors)[:, None] >= LEVEL, below, above)


@settings(max_examples=80)
@given(pictures(), bent())
def test_means_of_two_lines_are_those_of_numpy_without_a_histogram(image, curves):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(means_module, "count_levels", lambda *_: pytest.fail("a histogram was taken"))
        (found,) = means(image, curves)
    np.testing.assert_allclose(found, expected(image, curves), rtol=0, atol=1e-12)


@settings(max_examples=20)
@given(pictures())
def test_means_of_other_curves_take_one_histogram(image):
    curves = [np.tile(curve, (3, 1)) for curve in (LEVEL / 255, (LEVEL / 255) ** 0.7, np.clip(LEVEL / 99 - 0.3, 0, 1))]
    taken, count = [], means_module.count_levels
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(means_module, "count_levels", lambda *given: taken.append(1) or count(*given))
        found = means(image, *curves)
    for each, curve in zip(found, curves, strict=True):
        np.testing.assert_allclose(each, expected(image, curve), rtol=0, atol=1e-12)
    assert len(taken) == 1


def test_the_brightest_frame_overflows_nothing():
    image = np.full((40, 9001, 3), 255, np.uint8)
    for curves in (np.tile(LEVEL, (3, 1)), np.tile(np.where(LEVEL > 0, LEVEL, 7), (3, 1))):
        np.testing.assert_array_equal(means(image, curves)[0], [255, 255, 255])


def test_a_curve_that_bends_little_everywhere_is_no_line():
    curved = LEVEL / 255 + 4e-7 * (LEVEL - 128.0) ** 2
    assert np.abs(np.diff(curved, 2)).max() < means_module.LINE_TOLERANCE
    assert fit_lines(np.tile(curved, (3, 1))) is None
    assert fit_lines(np.tile(LEVEL / 255 + 1e-7 * np.sin(LEVEL), (3, 1))) is not None


@pytest.mark.parametrize("theta", [(0.6, -0.3), (-0.8, 0.4), (0.2, 0.9), (0, 0)])
def test_gains_that_clamp_need_no_histogram(theta, monkeypatch):
    monkeypatch.setattr(means_module, "count_levels", lambda *_: pytest.fail("a histogram was taken"))
    image = np.random.default_rng(0).integers(0, 256, (90, 70, 3), np.uint8)
    cascade, arguments = wf.Cascade(["temperature", "brightness", "contrast"]), [*theta, 0.3]
    found, goal = cascade.compile().statistics(image, arguments), cascade.statistics(image / 255, arguments)
    np.testing.assert_allclose(found[0], goal[0], rtol=0, atol=1e-9)
    assert abs(found[2] - goal[2]) < 2 * means_module.LINE_TOLERANCE


@st.composite
def masks(draw):
    height, width = draw(st.integers(1, 5)), draw(st.integers(1, 900))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x = np.arange(width)
    left, right = generator.integers(0, width + 1, (2, height, 1))
    inside = (x >= left) & (x < right) & (generator.random((height, width)) > draw(st.sampled_from([0, 0.9])))
    opaque = draw(st.sampled_from([np.uint8(1), np.uint8(2), np.uint8(255), np.float32(0.5), np.bool_(True)]))
    return inside * opaque


@settings(max_examples=80)
@given(masks(), st.sampled_from([np.uint8, np.uint16, np.float32]))
def test_what_a_mask_shows_is_found_and_all_else_is_copied(mask, dtype):
    image = np.random.default_rng(0).integers(0, 2, (*mask.shape, 3)).astype(dtype)
    out = np.full((mask.shape[0], mask.shape[1] + 4, 3), 9, dtype)[:, 1:-3]
    frame = frames.open_frame(image)
    with Workers(frame.size) as workers:
        seen = run_prepass(workers, frame, frames.open_mask(mask, frame), summed=False).mask
        copy_background(workers, frame, seen, frames.open_frame(out, writable=True))
    assert seen.opacity == (1 / 255 if mask.dtype == np.uint8 and mask.max() > 1 else 1)
    assert seen.is_empty == (not mask.any())
    for row, (left, right) in enumerate(seen.spans):
        touched = np.flatnonzero(mask[row])
        assert (left, right) == (touched[0], touched[-1] + 1) if len(touched) else left == right
        np.testing.assert_array_equal(out[row, :left], image[row, :left])
        np.testing.assert_array_equal(out[row, right:], image[row, right:])
        assert (out[row, left:right] == 9).all()
