from __future__ import annotations

import numpy as np
import pytest

import whitebox_filters as wf

THETA = (0.3, -0.2, 0.4, 0.2, -0.3, 0.25)


def picture(dtype=np.float64, size=(6, 5)):
    image = np.random.default_rng(0).random((*size, 3))
    return (image * np.iinfo(dtype).max).astype(dtype) if np.issubdtype(dtype, np.integer) else image.astype(dtype)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
def test_trace_equals_calls_of_the_prefixes(dtype):
    image, mask = picture(dtype), np.linspace(0, 1, 30).reshape(6, 5)
    trace = wf.Cascade()(image, THETA, mask), wf.Cascade().trace(image, THETA, mask)
    assert len(trace[1]) == 6
    np.testing.assert_array_equal(trace[0], trace[1][-1])
    for count, step in enumerate(trace[1], start=1):
        prefix = wf.Cascade(wf.DEFAULT_FILTERS[:count])
        np.testing.assert_array_equal(step, prefix(image, THETA[:count], mask))


def test_a_cascade_is_its_filters_one_after_the_other():
    image = step = picture()
    for name, theta in zip(wf.DEFAULT_FILTERS, THETA, strict=True):
        step = wf.get(name)(step, theta)
    np.testing.assert_array_equal(wf.Cascade()(image, THETA), step)


def test_order_matters_and_reversed_is_the_other_order():
    image = picture()
    there, back = wf.Cascade(), wf.Cascade().reversed()
    assert back.names == there.names[::-1]
    assert np.abs(there(image, THETA) - back(image, THETA[::-1])).max() > 0.01
    expected = wf.Cascade(wf.DEFAULT_FILTERS[::-1])(image, THETA[::-1])
    np.testing.assert_array_equal(back(image, THETA[::-1]), expected)


def test_any_number_of_filters_in_any_order_and_repeated():
    cascade = wf.Cascade(["shadow", wf.get("highlight"), "shadow"])
    assert len(cascade) == 3
    assert repr(cascade) == "Cascade(['shadow', 'highlight', 'shadow'])"
    assert cascade(picture(), [0.1, 0.1, 0.1]).shape == (6, 5, 3)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
def test_the_dtype_and_the_shape_are_kept_and_the_input_is_untouched(dtype):
    image = picture(dtype)
    before = image.copy()
    result = wf.Cascade()(image, THETA)
    assert result.dtype == dtype
    assert result.shape == image.shape
    assert result.flags.c_contiguous
    np.testing.assert_array_equal(image, before)
    assert not np.array_equal(result, image)


@pytest.mark.parametrize("backend", [None, "numba"])
def test_integers_are_rounded_to_the_nearest_level(backend):
    image = picture(np.uint8)
    exact = wf.Cascade()(image / 255, THETA) * 255
    assert np.abs(wf.Cascade()(image, THETA, backend=backend) - exact).max() <= 0.5 + 1e-3


def test_theta_zero_is_the_identity():
    for dtype in (np.uint8, np.uint16, np.float32, np.float64):
        np.testing.assert_array_equal(wf.Cascade()(picture(dtype), np.zeros(6)), picture(dtype))


def test_theta_by_name_in_any_order():
    named = dict(zip(wf.DEFAULT_FILTERS, THETA, strict=True))
    shuffled = dict(sorted(named.items()))
    np.testing.assert_array_equal(wf.Cascade()(picture(), shuffled), wf.Cascade()(picture(), THETA))


MASK = np.arange(30).reshape(6, 5) % 3


@pytest.mark.parametrize(
    "mask",
    [
        MASK == 2,
        (MASK == 2).astype(np.uint8),
        (MASK == 2).astype(np.uint8) * 255,
        (MASK == 2).astype(np.uint16) * 65535,
        (MASK == 2).astype(np.float32),
        (MASK == 2).astype(np.float64),
    ],
    ids=["bool", "0/1", "0/255", "uint16", "float32", "float64"],
)
@pytest.mark.parametrize("backend", [None, "numba"])
def test_every_kind_of_mask_means_the_same(mask, backend):
    image = picture(np.uint8)
    result = wf.Cascade()(image, THETA, mask, backend=backend)
    inside = MASK == 2
    np.testing.assert_array_equal(result[~inside], image[~inside])
    np.testing.assert_array_equal(result[inside], wf.Cascade()(image, THETA, backend=backend)[inside])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
def test_a_soft_mask_blends(dtype):
    image, mask = picture(dtype), np.linspace(0, 1, 30).reshape(6, 5)
    filtered = wf.Cascade()(image, THETA).astype(float)
    expected = filtered * mask[..., None] + image * (1 - mask[..., None])
    scale = np.iinfo(dtype).max if np.issubdtype(dtype, np.integer) else 1
    tolerance = 1 if scale > 1 else 1e-6
    result = wf.Cascade()(image, THETA, mask)
    assert np.abs(result - expected).max() <= tolerance
    np.testing.assert_array_equal(result[mask == 0], image[mask == 0])


def test_statistics_are_of_the_frame_unless_frozen():
    image, cascade = picture(), wf.Cascade()
    frozen = cascade.statistics(image, THETA)
    assert [value is None for value in frozen] == [False, True, False, True, True, True]
    crop = image[:3, :2]
    np.testing.assert_allclose(cascade(crop, THETA, statistics=frozen), cascade(image, THETA)[:3, :2], atol=1e-12)
    assert np.abs(cascade(crop, THETA) - cascade(image, THETA)[:3, :2]).max() > 1e-3


def test_the_statistic_of_one_filter_can_be_frozen():
    image = picture()
    result = wf.get("contrast")(image, 0.4, statistic=0.2)
    np.testing.assert_allclose(result, wf.Cascade(["contrast"])(image, [0.4], statistics=[np.float64(0.2)]))
    assert np.abs(result - wf.get("contrast")(image, 0.4)).max() > 0.05


@pytest.mark.parametrize("transform", [np.asfortranarray, lambda image: image[::-1, ::-1], lambda image: image[:, ::2]])
@pytest.mark.parametrize("backend", [None, "numba"])
def test_any_layout_of_memory_gives_the_same(transform, backend):
    image = transform(picture())
    expected = wf.Cascade()(np.ascontiguousarray(image), THETA)
    np.testing.assert_allclose(wf.Cascade()(image, THETA, backend=backend), expected, atol=1e-12)


def test_statistics_over_the_mask_are_blind_to_the_background():
    image, mask = picture(), np.zeros((6, 5))
    mask[1:4, 1:4] = 1
    other = np.where(mask[..., None] > 0, image, 1 - image)
    inside, frame = wf.Cascade(statistics="mask"), wf.Cascade()
    foreground = mask > 0
    np.testing.assert_allclose(
        inside(other, THETA, mask)[foreground], inside(image, THETA, mask)[foreground], atol=1e-12
    )
    assert np.abs(frame(other, THETA, mask) - frame(image, THETA, mask))[foreground].max() > 1e-3


def test_statistics_over_a_soft_mask_are_weighted_by_it():
    image, mask = picture(), np.linspace(0, 1, 30).reshape(6, 5)
    measured = wf.Cascade(["temperature", "contrast"], statistics="mask").statistics(image, [0, 0.2], mask)
    expected = np.average(image.reshape(-1, 3), axis=0, weights=mask.ravel())
    np.testing.assert_allclose(measured[0], expected)
    np.testing.assert_allclose(measured[1], expected.mean())


@pytest.mark.parametrize("mask", [None, np.ones((6, 5)), np.zeros((6, 5))], ids=["none", "full", "empty"])
def test_statistics_over_no_mask_a_full_or_an_empty_one_are_those_of_the_frame(mask):
    inside = wf.Cascade(statistics="mask")
    np.testing.assert_allclose(inside(picture(), THETA, mask), wf.Cascade()(picture(), THETA, mask), atol=1e-12)


def test_the_region_of_the_statistics_is_kept_and_shown():
    cascade = wf.Cascade(["contrast"], statistics="mask")
    assert cascade.reversed().region == "mask"
    assert repr(cascade) == "Cascade(['contrast'], statistics='mask')"
    with pytest.raises(wf.FilterError, match="frame or the mask; got 'foreground'"):
        wf.Cascade(statistics="foreground")


@pytest.mark.parametrize("mask", [np.linspace(0, 1, 30).reshape(6, 5), np.zeros((6, 5))], ids=["soft", "empty"])
@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
def test_the_compiled_cascade_measures_inside_the_mask_too(mask, dtype):
    image, cascade = picture(dtype), wf.Cascade(statistics="mask")
    result = cascade(image, THETA, mask, backend="numba")
    np.testing.assert_allclose(result, cascade(image, THETA, mask), atol=1 if dtype == np.uint8 else 1e-6)
    if mask.any():
        assert not np.array_equal(result, wf.Cascade()(image, THETA, mask, backend="numba"))
