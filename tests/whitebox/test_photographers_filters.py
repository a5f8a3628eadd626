"""What the filters that photographers know promise beyond the conformance suite."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import whitebox_filters as wf

LUMA = np.array([0.2126, 0.7152, 0.0722])
RAMP = np.linspace(0, 1, 256)
GREYS = np.repeat(RAMP[None, :, None], 3, axis=2)
SIZES = [-1.0, -0.4, 0.4, 1.0]


def linear(encoded):
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def colours(low=0.35, high=0.65):
    """(1, 500, 3) that no moderate filter clips."""
    return np.random.default_rng(0).uniform(low, high, (1, 500, 3))


def tone_curve(name, theta):
    return wf.get(name)(GREYS, theta)[0, :, 0]


@pytest.mark.parametrize("stops", [-4, -1.5, -1, 1, 2])
def test_exposure_multiplies_linear_light_by_two_a_stop(stops):
    exposed = tone_curve("exposure", stops / 4)
    kept = exposed < 1
    assert kept.sum() > 100
    np.testing.assert_allclose(linear(exposed[kept]), 2.0**stops * linear(RAMP[kept]), rtol=1e-5)


def test_exposure_lifts_dark_tones_more_than_the_brightness_that_does_as_much_to_a_light_one():
    light, dark = 0.6, 0.05
    lifted = float(wf.get("exposure")(np.full((1, 1, 3), light), 0.25)[0, 0, 0])
    brightness = 1 - light / lifted
    image = np.full((1, 1, 3), dark)
    assert wf.get("exposure")(image, 0.25)[0, 0, 0] > 1.1 * wf.get("brightness")(image, brightness)[0, 0, 0]


@pytest.mark.parametrize("theta", SIZES)
def test_whites_move_light_tones_and_blacks_dark_ones(theta):
    for name, end, other in (("whites", 230, 50), ("blacks", 25, 205)):
        change = np.abs(tone_curve(name, theta) - RAMP)
        assert change[end] > 30 * change[other] > 0
    assert tone_curve("whites", theta)[0] == 0
    assert tone_curve("blacks", theta)[255] == 1


def test_blacks_are_whites_upside_down():
    for theta in SIZES:
        np.testing.assert_allclose(tone_curve("blacks", theta), 1 - tone_curve("whites", -theta)[::-1], atol=1e-12)


def test_fade_is_straight_and_leaves_white():
    for theta, black in ((1.0, 0.3), (0.5, 1 - 0.7**0.5)):
        np.testing.assert_allclose(tone_curve("fade", theta), black + (1 - black) * RAMP, atol=1e-12)
    assert np.flatnonzero(tone_curve("fade", -1.0)).min() == pytest.approx(0.3 * 255, abs=1)


@pytest.mark.parametrize("name", ["exposure", "whites", "blacks", "fade", "shadow_warmth", "highlight_warmth"])
@pytest.mark.parametrize("theta", SIZES)
def test_a_lighter_grey_never_becomes_darker(name, theta):
    assert np.diff(wf.get(name)(GREYS, theta)[0], axis=0).min() >= -1e-12


@pytest.mark.parametrize("name", ["vibrance", "hue"])
@pytest.mark.parametrize("theta", SIZES)
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_greys_stay_to_the_last_bit(name, theta, dtype):
    greys = (GREYS * 255).astype(dtype) if dtype == np.uint8 else GREYS.astype(dtype)
    np.testing.assert_array_equal(wf.get(name)(greys, theta), greys)


@pytest.mark.parametrize("name", ["vibrance", "hue"])
@pytest.mark.parametrize("theta", [-0.4, 0.4])
def test_luma_is_kept_and_the_opposite_theta_undoes_what_was_not_clipped(name, theta):
    image, filter = colours(), wf.get(name)
    filtered = filter(image, theta)
    np.testing.assert_allclose(filtered @ LUMA, image @ LUMA, atol=1e-12)
    np.testing.assert_allclose(filter(filtered, -theta), image, atol=1e-12)
    assert np.abs(filtered - image).max() > 0.02


def spread(image):
    return image.max(axis=-1) - image.min(axis=-1)


def test_vibrance_is_for_muted_colours():
    direction = np.array([0.5, -0.2, -0.3])
    chroma = np.linspace(0.01, 1, 60)[:, None]
    image = (0.45 + chroma * direction)[None]
    gains = spread(wf.get("vibrance")(image, 0.3))[0] / spread(image)[0]
    assert gains[0] == pytest.approx(3**0.3, rel=1e-3)
    assert (np.diff(gains) < 0).all()
    assert gains[-1] > 1
    pure = np.eye(3)[None]
    np.testing.assert_allclose(wf.get("vibrance")(pure, 1.0), pure, atol=1e-12)


def hue_angles(image):
    """In degrees, about the grey axis; red is 0, yellow 60, green 120."""
    r, g, b = np.moveaxis(image, -1, 0)
    return np.degrees(np.arctan2(np.sqrt(3) * (g - b), 2 * r - g - b))


@pytest.mark.parametrize("theta", [-1.0, -0.3, 0.3, 1.0])
def test_hue_turns_every_colour_by_the_same_angle(theta):
    image = colours(0.45, 0.55)
    turned = wf.get("hue")(image, theta)
    difference = (hue_angles(turned) - hue_angles(image) + 180) % 360 - 180
    np.testing.assert_allclose(difference, 60 * theta, atol=1e-6)


@pytest.mark.parametrize("theta", SIZES)
def test_warmths_tone_their_own_end_towards_orange_and_keep_the_luma_of_greys(theta):
    for name, own, other in (("shadow_warmth", 40, 230), ("highlight_warmth", 180, 25)):
        toned = wf.get(name)(GREYS, theta)[0]
        kept = toned.max(axis=1) < 1
        np.testing.assert_allclose(toned[kept] @ LUMA, RAMP[kept], atol=1e-12)
        relative = (toned[:, 0] - toned[:, 2])[1:] / RAMP[1:]
        assert np.sign(relative[own]) == np.sign(theta)
        assert abs(relative[own]) > 10 * abs(relative[other])
        hue = hue_angles(toned[own])
        assert hue == pytest.approx(30 if theta > 0 else -150, abs=1e-6)


@pytest.mark.parametrize(("name", "channel"), [("red_gain", 0), ("blue_gain", 2)])
@pytest.mark.parametrize("theta", SIZES)
def test_a_gain_multiplies_its_channel_and_leaves_the_others(name, channel, theta):
    expected = colours(0.1, 0.45)
    result = wf.get(name)(expected, theta)
    expected[..., channel] *= 2**theta
    np.testing.assert_allclose(result, expected)


NEAR_ENDS = torch.tensor([0.0, 1 / 255, 254 / 255, 1.0], dtype=torch.float64).expand(1, 3, 1, 4)


@pytest.mark.parametrize("name", ["blacks", "fade"])
def test_black_itself_tells_of_theta(name):
    theta = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    black = wf.get(name)(NEAR_ENDS, theta)[..., 0].sum()
    assert torch.autograd.grad(black, theta)[0] > 0.1


@pytest.mark.parametrize("name", ["exposure", "whites", "highlight_warmth", "red_gain", "blue_gain"])
def test_white_itself_tells_of_theta(name):
    theta = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    white = wf.get(name)(NEAR_ENDS, theta)[0, :, 0, 3]
    (slope,) = torch.autograd.grad(white @ torch.tensor([1.0, 2.0, 4.0], dtype=torch.float64), theta)
    assert abs(slope) > 0.1
