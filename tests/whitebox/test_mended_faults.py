"""Each fault of the released filters: a re-creation of the released formula has it, ours does not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import whitebox_filters as wf

GOLDEN = np.load(Path(__file__).parents[1] / "data" / "released_filters.npz")


def released_temperature(image, theta):
    means = image.mean(dim=(-2, -1))
    size = theta.abs()
    none = torch.zeros_like(size)
    shift = torch.stack([torch.where(theta < 0, size, none), size / 2, torch.where(theta > 0, size, none)], dim=-1)
    target = (means + shift).mean(dim=-1, keepdim=True) / (means + shift)
    gains = target + 1 - means.mean(dim=-1, keepdim=True) / means
    return (image * gains[..., None, None]).clip(0, 1)


def released_contrast(image, theta):
    push = torch.where(theta > 0, 255 / (256 - torch.floor(theta * 255)) - 1, theta)[:, None, None, None]
    mean = image.mean(dim=(-3, -2, -1), keepdim=True)
    return (image + (image - mean) * push).clip(0, 1)


def released_saturation(image, theta):
    high, low = image.amax(dim=1, keepdim=True), image.amin(dim=1, keepdim=True)
    total = high + low
    saturation = (high - low) / torch.where(total < 1, total, 2 - total).clip(min=1e-9)
    theta = theta[:, None, None, None]
    denominator = torch.where(theta + saturation > 1, saturation, 1 - theta)
    push = torch.where(theta > 0, 1 / denominator - 1, theta)
    return (image + (image - total / 2) * push).clip(0, 1)


def released_highlight(image, theta):
    return 1 - (1 - image).clip(min=1e-9) ** (1 + theta[:, None, None, None])


def released_shadow(image, theta):
    return image.clip(min=1e-9) ** (1 - theta[:, None, None, None])


RELEASED = {
    "temperature": released_temperature,
    "contrast": released_contrast,
    "saturation": released_saturation,
    "highlight": released_highlight,
    "shadow": released_shadow,
}


def gradients(function, image, theta):
    image = image.clone().requires_grad_()
    theta = torch.tensor([theta], dtype=image.dtype, requires_grad=True)
    weights = torch.from_numpy(np.random.default_rng(0).standard_normal(tuple(image.shape)))
    return torch.autograd.grad((function(image, theta) * weights).sum(), (image, theta))


def photograph():
    return torch.from_numpy(np.random.default_rng(1).uniform(0.2, 0.8, (1, 3, 6, 6)))


@pytest.mark.parametrize("name", RELEASED)
def test_the_recreation_is_faithful(name):
    image = torch.from_numpy(GOLDEN["image"]).movedim(-1, 0)[None]
    for theta, figures in zip(GOLDEN["theta"], GOLDEN[f"filter_{name}"], strict=True):
        if abs(theta) < 0.95:
            result = RELEASED[name](image, torch.tensor([theta]))[0].movedim(0, -1).numpy()
            np.testing.assert_allclose(result, figures, atol=0.002)


def test_temperature_has_a_gradient_at_exactly_zero():
    assert gradients(released_temperature, photograph(), 0.0)[1].item() == 0
    assert abs(gradients(wf.get("temperature"), photograph(), 0.0)[1].item()) > 0.01


def test_temperature_gains_stay_bounded_on_dark_frames():
    dark = torch.full((1, 3, 1, 1), 1e-4, dtype=torch.float64)
    cooler = torch.tensor([-0.3], dtype=torch.float64)
    assert released_temperature(dark, cooler).max() > 1000 * dark.max()
    assert wf.get("temperature")(dark, cooler).max() <= 9 * dark.max()
    means = 10 ** np.random.default_rng(2).uniform(-6, 0, (1000, 3))
    gains = [wf.get("temperature").coefficients(np, np.asarray(t), m) for t in (-1, -0.3, 0.3, 1) for m in means]
    assert np.max(gains) <= 9 + 1e-9
    assert np.min(gains) >= -11


def test_contrast_has_a_gradient_above_zero():
    assert gradients(released_contrast, photograph(), 0.3)[1].item() == 0
    assert abs(gradients(wf.get("contrast"), photograph(), 0.3)[1].item()) > 0.01


def test_contrast_does_not_jump_at_zero():
    def jump(function):
        return float((function(photograph(), torch.tensor([1e-6])) - photograph()).abs().max())

    assert jump(released_contrast) > 1e-4
    assert jump(wf.get("contrast")) < 1e-5


def test_saturation_has_a_gradient_past_full_saturation():
    vivid = torch.tensor([0.6, 0.4, 0.1], dtype=torch.float64)[None, :, None, None]
    assert gradients(released_saturation, vivid, 0.5)[1].item() == 0
    assert abs(gradients(wf.get("saturation"), vivid, 0.5)[1].item()) > 0.005


@pytest.mark.parametrize(("name", "theta", "end"), [("highlight", -0.5, 1.0), ("shadow", 0.5, 0.0)])
def test_the_image_gradient_is_bounded_at_the_end_of_the_range(name, theta, end):
    def slope(function, value):
        image = torch.full((1, 3, 1, 1), value, dtype=torch.float64, requires_grad=True)
        (slopes,) = torch.autograd.grad(function(image, torch.tensor([theta])).sum(), image)
        return float(slopes.max())

    near = abs(end - 1e-8)
    assert slope(RELEASED[name], near) > 1000
    assert 0 < slope(wf.get(name), near) <= 255**0.5
    assert np.isfinite(slope(wf.get(name), end))


@pytest.mark.parametrize("theta", [-1.0, 1.0])
def test_brightness_has_no_pole(theta):
    by_image, by_theta = gradients(wf.get("brightness"), 1e-4 + 0 * photograph(), theta)
    assert torch.isfinite(by_image).all()
    assert torch.isfinite(by_theta).all()
    assert by_theta != 0


def test_brightness_is_the_gain_of_the_value_of_hsv():
    import colorsys

    image = np.random.default_rng(3).random((4, 4, 3))
    for theta, gain in ((-0.4, 0.6), (0.4, 1 / 0.6)):
        expected = [
            colorsys.hsv_to_rgb(h, s, min(v * gain, 1))
            for h, s, v in (colorsys.rgb_to_hsv(*map(float, pixel)) for pixel in image.reshape(-1, 3) * 0.55)
        ]
        result = wf.get("brightness")(image * 0.55, theta).reshape(-1, 3)
        np.testing.assert_allclose(result, expected, atol=1 / 255)
