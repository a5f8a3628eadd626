"""Hypothesis: random images, sizes, arguments and masks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import whitebox_filters as wf

thetas = st.floats(-1, 1)
sizes = st.tuples(st.integers(1, 9), st.integers(1, 9))


@st.composite
def pictures(draw, dtypes=(np.uint8, np.uint16, np.float32, np.float64)):
    dtype = np.dtype(draw(st.sampled_from(dtypes)))
    width = 32 if dtype == np.float32 else 64
    elements = st.floats(0, 1, width=width) if dtype.kind == "f" else None
    image = draw(hnp.arrays(dtype, (*draw(sizes), 3), elements=elements))
    mask = draw(hnp.arrays(np.float32, image.shape[:2], elements=st.floats(0, 1, width=32)))
    return image, mask


@pytest.mark.parametrize("name", wf.names())
@given(pictures(), thetas)
def test_any_filter_of_any_picture_stays_a_picture(name, picture, theta):
    image, mask = picture
    result = wf.get(name)(image, theta, mask)
    assert result.dtype == image.dtype
    assert result.shape == image.shape
    if image.dtype.kind == "f":
        assert result.min() >= 0
        assert result.max() <= 1
    np.testing.assert_array_equal(result[mask == 0], image[mask == 0])
    np.testing.assert_array_equal(wf.get(name)(image, 0.0), image)


@given(pictures(dtypes=(np.uint8, np.float32)), st.tuples(*[thetas] * 6))
def test_the_fused_cascade_keeps_the_background_and_the_range(picture, theta):
    image, mask = picture
    result = wf.Cascade()(image, theta, mask, backend="numba")
    assert result.dtype == image.dtype
    np.testing.assert_array_equal(result[mask == 0], image[mask == 0])
    if image.dtype.kind == "f":
        assert result.min() >= 0
        assert result.max() <= 1


# Two extreme stretches in a row amplify rounding by a million, so the chain is compared over half the range.
@given(pictures(dtypes=(np.float64,)), st.tuples(*[st.floats(-0.5, 0.5)] * 6))
def test_the_fused_cascade_is_the_filters_one_by_one(picture, theta):
    image, mask = picture
    for filters in (wf.Cascade(), wf.Cascade().reversed()):
        expected = filters(image, theta, mask)
        np.testing.assert_allclose(filters(image, theta, mask, backend="numba"), expected, atol=1e-5)


@pytest.mark.parametrize("name", [name for name in wf.names() if wf.get(name).inverse])
@given(pictures(dtypes=(np.float64,)), thetas)
def test_the_inverse_undoes_what_was_not_clipped(name, picture, theta):
    image, filter = picture[0], wf.get(name)
    back = filter.inverse(theta)
    if -1 <= back <= 1:
        filtered = filter(image, theta)
        kept = np.minimum.reduce([image, 1 - image, filtered, 1 - filtered]) >= 1 / 255
        np.testing.assert_allclose(filter(filtered, back)[kept], image[kept], atol=1e-6)


@pytest.mark.parametrize("name", [name for name in wf.names() if wf.get(name).monotone])
@given(pictures(dtypes=(np.float64,)), thetas, thetas)
def test_a_monotone_filter_never_lowers_a_value(name, picture, one, other):
    low, high = sorted((one, other))
    assert (wf.get(name)(picture[0], high) - wf.get(name)(picture[0], low)).min() >= -1e-12
