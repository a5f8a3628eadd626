import numpy as np
import pytest
import torch

from harmonizer.learning.composites import light
from harmonizer.learning.composites.curves import interpolate, match, random_curves
from harmonizer.learning.composites.draws import draw


def photographs(count=12, size=32, seed=0):
    coarse = torch.rand(count, 3, 6, 6, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.interpolate(coarse, size, mode="bilinear")


def draws(count=12, seed=0):
    return draw(seed, 0, range(count))


def test_exposure_is_a_gain_in_linear_light_that_carries_white_to_white():
    pictures = photographs()
    random = np.random.default_rng(0)
    stops, warmth, tint = (random.uniform(-1, 1, (12, 1, 1, 1)) for _ in range(3))
    exposed = light.expose(pictures, *(torch.from_numpy(each).float() for each in (stops, warmth, tint)))
    for picture, own, *settings in zip(pictures.double().numpy(), exposed, stops, warmth, tint, strict=True):
        stop, warm, tinted = (float(each.squeeze()) for each in settings)
        for channel, value in enumerate((stop + warm, stop + tinted, stop - warm)):
            gain = 2**value
            linear = gain * np.clip(picture[channel], 1e-3, 1) ** 2.2
            shoulder = 1 - 1 / gain if gain > 1 else 0
            plain = np.clip(linear / (1 + linear * shoulder), 0, 1) ** (1 / 2.2)
            np.testing.assert_allclose(own[channel].numpy(), plain, atol=1e-5)
    white = torch.ones(1, 3, 2, 2)
    zero = torch.zeros(1, 1, 1, 1)
    torch.testing.assert_close(light.expose(white, zero + 1.5, zero, zero), white)
    assert (light.expose(white, zero - 1, zero, zero) < 0.8).all()


def test_no_exposure_is_the_picture_itself():
    zero = torch.zeros(12, 1, 1, 1)
    torch.testing.assert_close(light.expose(photographs(), zero, zero, zero), photographs(), atol=0.05, rtol=0)
    bright = 0.1 + 0.9 * photographs()
    torch.testing.assert_close(light.expose(bright, zero, zero, zero), bright, atol=1e-5, rtol=0)


CHANGES = {
    "relight": lambda pictures, draws: light.relight(pictures, torch.ones_like(pictures[:, :1]), draws),
    "nightfall": light.nightfall,
    "retouch": light.retouch,
    "relight_whole": light.relight_whole,
    "refocus": light.refocus,
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_that_of_its_draws_stays_in_range_and_is_no_other_picture(name):
    pictures = photographs()
    changed = CHANGES[name](pictures, draws())
    assert torch.equal(changed, CHANGES[name](pictures, draws()))
    assert not torch.equal(changed, CHANGES[name](pictures, draws(seed=1)))
    assert changed.min() >= 0
    assert changed.max() <= 1
    assert (changed - pictures).abs().mean(dim=(1, 2, 3)).min() > 1e-4
    for before, after in zip(pictures, changed, strict=True):
        assert np.corrcoef(before.flatten(), after.flatten())[0, 1] > 0.5


def test_a_whole_photograph_is_relit_but_not_beyond_recognition():
    change = (light.relight_whole(photographs(40), draws(40)) - photographs(40)).abs().mean(dim=(1, 2, 3))
    assert (change > 0.003).all()
    assert (change < 0.35).all()


def test_half_of_the_photographs_that_are_relit_get_a_cast():
    grey = torch.full((400, 3, 4, 4), 0.5)
    relit = light.relight_whole(grey, draws(400))
    cast = (relit[:, 0] - relit[:, 2]).abs().mean(dim=(1, 2))
    assert 0.3 < float((cast > 0.08).float().mean()) < 0.6


def test_at_night_all_is_darker_and_paler():
    pictures = photographs(60)
    night = light.nightfall(pictures, draws(60))
    assert (night.mean(dim=(1, 2, 3)) < 0.95 * pictures.mean(dim=(1, 2, 3))).all()
    blue = night.mean(dim=(2, 3))[:, 2] - night.mean(dim=(2, 3))[:, 0]
    assert 0.5 < float((blue > 0).float().mean()) < 0.9  # the sky more often than lamps


def test_refocused_photographs_keep_their_colours_and_differ_in_sharpness():
    noise = 0.3 + 0.4 * torch.rand((40, 3, 32, 32), generator=torch.Generator().manual_seed(1))
    refocused = light.refocus(noise, draws(40))
    torch.testing.assert_close(refocused.mean(dim=(2, 3)), noise.mean(dim=(2, 3)), atol=0.01, rtol=0)
    sharpness = refocused.diff(dim=3).abs().mean(dim=(1, 2, 3)) / noise.diff(dim=3).abs().mean(dim=(1, 2, 3))
    assert float(sharpness.min()) < 0.6
    assert float(sharpness.max()) > 1.5
    even = torch.full((2, 3, 8, 8), 0.4)
    torch.testing.assert_close(light.refocus(even, draws(2)), even)


def test_curves_go_through_their_knots_and_are_straight_in_between():
    random = np.random.default_rng(0)
    knots = np.sort(random.random((2, 3, 5)), axis=2)
    heights = random.random((2, 3, 5))
    values = random.uniform(-0.2, 1.2, (2, 3, 7, 6))
    curved = interpolate(*(torch.from_numpy(each).float() for each in (values, knots, heights)))
    for picture in range(2):
        for channel in range(3):
            place = picture, channel
            plain = np.interp(values[place], knots[place], heights[place])
            np.testing.assert_allclose(curved[place].numpy(), plain, atol=1e-4)


def test_random_curves_rise_from_nearly_black_to_nearly_white():
    curves = random_curves(3, 0.35, draws(100))
    assert curves.shape == (100, 3, 17)
    assert (curves.diff(dim=2) > 0).all()
    assert abs(float(curves[..., 0].mean())) < 0.02
    assert abs(float(curves[..., -1].mean()) - 1) < 0.05


def test_a_match_is_nowhere_steeper_than_it_may_be():
    flat = 0.5 + 0.01 * torch.rand(4, 3, 500, generator=torch.Generator().manual_seed(0))
    spread = torch.rand(4, 3, 500, generator=torch.Generator().manual_seed(1))
    ramp = torch.linspace(0, 1, 400).expand(4, 3, -1)
    matched = match(ramp, flat, spread, steepest=2.0)
    assert matched.diff(dim=2).max() <= 2.0 / 399 + 1e-5
    assert matched.diff(dim=2).min() >= -1e-6
    # The middle of what it becomes is that of the goal still.
    torch.testing.assert_close(match(flat, flat, spread, 2.0).mean(dim=2), spread.mean(dim=2), atol=0.05, rtol=0)
