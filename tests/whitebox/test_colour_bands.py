from __future__ import annotations

import colorsys

import numpy as np
import pytest
import torch

import whitebox_filters as wf
from whitebox_filters.backends.cpu import kernels as cpu_kernels
from whitebox_filters.filters.colour_bands import BANDS, CENTRES, weight

BY_NAME = {band.name: band for band in BANDS}
NAMES = [f"{band}_{adjustment}" for band in CENTRES for adjustment in ("hue", "saturation", "luminance")]


def colour(degrees, saturation=0.6, value=0.7):
    """One pixel (1, 1, 3) of HSV."""
    return np.array([[colorsys.hsv_to_rgb(degrees % 360 / 360, saturation, value)]])


def rainbow(saturation=1.0, steps=3600):
    """(1, steps, 3): once round the hue circle."""
    return np.concatenate([colour(360 * i / steps, saturation, 0.8) for i in range(steps)], axis=1)


def hue_of(image):
    r, g, b = np.moveaxis(image, -1, 0)
    return np.degrees(np.arctan2(np.sqrt(3) / 2 * (g - b), r - (g + b) / 2))


def chroma_of(image):
    r, g, b = np.moveaxis(image, -1, 0)
    return np.hypot(np.sqrt(3) / 2 * (g - b), r - (g + b) / 2)


def test_there_are_24_and_with_them_32_filters_or_more():
    assert set(NAMES) <= set(wf.names())
    assert len(set(NAMES)) == 24


def test_the_weights_of_the_bands_add_up_to_one_at_every_hue():
    angles = np.linspace(-np.pi, np.pi, 10_001)
    weights = np.array([weight(np, angles, *band[1:]) for band in BANDS])
    np.testing.assert_allclose(weights.sum(axis=0), 1, atol=1e-12)
    assert weights.min() >= 0
    assert ((weights > 1e-9).sum(axis=0) <= 2).all()


@pytest.mark.parametrize("band", BANDS, ids=lambda band: band.name)
def test_a_weight_and_its_slope_are_continuous_round_the_circle(band):
    angles = np.linspace(-np.pi, np.pi, 100_001)
    step = angles[1] - angles[0]
    weights = weight(np, angles, *band[1:])
    slopes = np.diff(weights, append=weights[1]) / step
    narrowest = np.radians(30)
    assert np.abs(slopes).max() <= 1.5 / narrowest + 1e-3
    assert np.abs(np.diff(slopes, append=slopes[0])).max() <= 6 / narrowest**2 * step * 1.01
    assert (
        weight(np, np.array(0.0) + (band.centre if band.centre <= np.pi else band.centre - 2 * np.pi), *band[1:]) == 1
    )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("theta", [-1.0, 1.0])
def test_no_edge_appears_in_a_rainbow(name, theta):
    """Neighbours a tenth of a degree apart differ no more than the ramps of a band explain; a step would by far."""
    for saturation in (1.0, 0.4):
        before = rainbow(saturation)
        after = wf.get(name)(before, theta)
        jump = np.abs(np.diff(after, axis=1, append=after[:, :1])).max()
        assert jump <= 4 * np.abs(np.diff(before, axis=1)).max()
        assert np.abs(after - before).max() > 0.04


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("theta", [-1.0, 1.0])
def test_greys_stay_as_they_are_and_near_greys_almost(name, theta):
    greys = np.linspace(0, 1, 256)[None, :, None].repeat(3, axis=2)
    np.testing.assert_array_equal(wf.get(name)(greys, theta), greys)
    noise = np.random.default_rng(0).normal(0, 1 / 255, greys.shape)
    noisy = np.clip(greys + noise, 0, 1)
    assert np.abs(wf.get(name)(noisy, theta) - noisy).max() <= 2.5 / 255
    with_noise, without = np.std(wf.get(name)(noisy, theta) - greys), np.std(noisy - greys)
    assert with_noise <= 1.05 * without


@pytest.mark.parametrize("name", NAMES)
def test_other_bands_stay_as_they_are(name):
    filter, own = wf.get(name), name.partition("_")[0]
    for band, degrees in CENTRES.items():
        change = np.abs(filter(colour(degrees), 0.7) - colour(degrees)).max()
        if band == own:
            assert change > 0.03
        else:
            assert change < 1e-9, band


@pytest.mark.parametrize("band", CENTRES)
def test_hue_turns_half_of_the_way_to_the_neighbour_and_keeps_the_order(band):
    own, filter, gentle = BY_NAME[band], wf.get(f"{band}_hue"), colour(CENTRES[band], 0.4, 0.6)
    for theta, gap in ((1.0, own.after), (-1.0, -own.before)):
        turned = (hue_of(filter(gentle, theta)) - CENTRES[band] + 180) % 360 - 180
        assert turned == pytest.approx(np.degrees(gap) / 2, rel=0.01)
        hues = np.unwrap(hue_of(filter(rainbow(0.4), theta))[0], period=360)
        assert np.diff(hues).min() > 0
    np.testing.assert_allclose(chroma_of(filter(gentle, 1.0)), chroma_of(gentle), rtol=1e-9)


@pytest.mark.parametrize("band", CENTRES)
def test_saturation_greys_out_and_doubles(band):
    filter, image = wf.get(f"{band}_saturation"), colour(CENTRES[band], 0.4, 0.6)
    assert chroma_of(filter(image, -1.0)) < 0.01 * chroma_of(image)
    np.testing.assert_allclose(chroma_of(filter(image, 1.0)), 2 * chroma_of(image), rtol=0.01)
    np.testing.assert_allclose(filter(image, 1.0).mean(), image.mean())


@pytest.mark.parametrize("band", CENTRES)
def test_luminance_goes_towards_white_and_black(band):
    filter, image = wf.get(f"{band}_luminance"), colour(CENTRES[band], 0.9, 0.9)
    np.testing.assert_allclose(filter(image, 1.0), (1 + image) / 2, atol=0.02)
    np.testing.assert_allclose(filter(image, -1.0), image / 2, atol=0.02)


@pytest.mark.parametrize("name", NAMES)
def test_a_colour_of_the_band_has_a_gradient_at_zero_and_a_grey_none(name):
    pixels = [colour(CENTRES[name.partition("_")[0]]), np.full((1, 1, 3), 0.4)]
    batch = torch.from_numpy(np.stack(pixels)).movedim(-1, 1)
    slopes = torch.autograd.functional.jacobian(lambda theta: wf.get(name)(batch, theta), torch.zeros(2).double())
    assert slopes[0, ..., 0].abs().max() > 0.05
    assert (slopes[1] == 0).all()


def test_all_of_them_share_one_compiled_kernel():
    kernels = {cpu_kernels.filter_block(wf.get(name).pixel, np.dtype(np.float32)) for name in NAMES}
    assert len(kernels) == 1
