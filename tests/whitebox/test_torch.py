from __future__ import annotations

import numpy as np
import pytest
import torch

import whitebox_filters as wf

THETA = torch.tensor([[0.3, -0.2, 0.2, 0.2, -0.3, 0.25], [-0.1, 0.1, -0.3, -0.2, 0.2, -0.3]], dtype=torch.float64)


def batch(dtype=torch.float64):
    return torch.from_numpy(np.random.default_rng(0).uniform(0.2, 0.8, (2, 3, 5, 4))).to(dtype)


def test_a_batch_equals_numpy_image_by_image():
    mask = torch.linspace(0, 1, 40, dtype=torch.float64).reshape(2, 1, 5, 4)
    result = wf.Cascade()(batch(), THETA, mask)
    for image, theta, opacity, filtered in zip(batch(), THETA, mask, result, strict=True):
        expected = wf.Cascade()(image.movedim(0, -1).numpy(), theta.numpy(), opacity[0].numpy())
        np.testing.assert_allclose(filtered.movedim(0, -1).numpy(), expected, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_dtype_and_shape_are_kept(dtype):
    result = wf.Cascade()(batch(dtype), THETA.to(dtype))
    assert result.dtype == dtype
    assert result.shape == (2, 3, 5, 4)


def test_gradients_of_the_cascade_are_right():
    image, theta = batch()[:, :, :2, :2].clone().requires_grad_(), THETA.clone().requires_grad_()
    mask = torch.full((2, 1, 2, 2), 0.7, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda i, t: wf.Cascade()(i, t, mask), (image, theta))


def test_a_gradient_reaches_every_theta_from_every_later_step_and_from_no_earlier_one():
    theta = THETA.clone().requires_grad_()
    weights = torch.from_numpy(np.random.default_rng(1).standard_normal((2, 3, 5, 4)))
    for count, step in enumerate(wf.Cascade().trace(batch(), theta), start=1):
        (slopes,) = torch.autograd.grad((step * weights).sum(), theta, retain_graph=True)
        assert (slopes[:, :count].abs() > 1e-6).all()
        assert (slopes[:, count:] == 0).all()


def test_background_gets_the_plain_gradient():
    image = batch().requires_grad_()
    mask = torch.zeros(2, 1, 5, 4, dtype=torch.float64)
    (slopes,) = torch.autograd.grad(wf.Cascade()(image, THETA, mask).sum(), image)
    torch.testing.assert_close(slopes, torch.ones_like(slopes))


def test_one_filter_takes_theta_of_a_batch():
    result = wf.get("contrast")(batch(), THETA[:, 2])
    torch.testing.assert_close(result, wf.Cascade(["contrast"])(batch(), THETA[:, 2:3]))


def test_frozen_statistics():
    frozen = wf.Cascade().statistics(batch(), THETA)
    crop = wf.Cascade()(batch()[..., :2], THETA, statistics=frozen)
    torch.testing.assert_close(crop, wf.Cascade()(batch(), THETA)[..., :2])


@pytest.mark.parametrize(
    ("image", "theta", "mask", "error", "message"),
    [
        (batch()[0], THETA, None, wf.ImageError, r"\(3, 5, 4\)"),
        (batch()[:, :1], THETA, None, wf.ImageError, r"\(2, 1, 5, 4\)"),
        ((batch() * 255).byte(), THETA, None, wf.ImageError, "uint8"),
        (batch(), THETA[0], None, wf.ThetaError, r"\(2, 6\).*\(6,\)"),
        (batch(), [0.0] * 6, None, wf.ThetaError, "list"),
        (batch(), THETA * 5, None, wf.ThetaError, "outside"),
        (batch(), THETA * float("nan"), None, wf.ThetaError, "NaN"),
        (batch(), THETA, torch.ones(2, 5, 4), wf.ImageError, r"\(2, 1, 5, 4\).*\(2, 5, 4\)"),
    ],
)
def test_errors(image, theta, mask, error, message):
    with pytest.raises(error, match=message):
        wf.Cascade()(image, theta, mask)


def test_black_and_white_pixels_are_not_cut_off_from_theta_at_the_identity():
    """torch's own clamp has derivative 0 at its bounds, where over-exposed foregrounds lie."""
    white = torch.ones(1, 3, 2, 2, requires_grad=True)
    theta = torch.zeros(1, 1, requires_grad=True)
    slopes = torch.autograd.grad(wf.Cascade(["brightness"])(white, theta).sum(), (white, theta))
    assert all((slope > 0).all() for slope in slopes)
    black = torch.zeros(1, 3, 2, 2, requires_grad=True)
    (slope,) = torch.autograd.grad(wf.Cascade(["shadow"])(black, theta).sum(), black)
    assert (slope > 0).all()


def test_statistics_over_the_mask_are_of_each_picture_by_itself_and_let_gradients_through():
    mask = torch.zeros(2, 1, 5, 4, dtype=torch.float64)
    mask[0, :, :3], mask[1, :, 2:] = 1, 0.5
    cascade = wf.Cascade(statistics="mask")
    result = cascade(batch(), THETA, mask)
    for image, theta, opacity, filtered in zip(batch(), THETA, mask, result, strict=True):
        expected = cascade(image.movedim(0, -1).numpy(), theta.numpy(), opacity[0].numpy())
        np.testing.assert_allclose(filtered.movedim(0, -1).numpy(), expected, atol=1e-12)
    image, theta = batch()[:, :, :2, :2].clone().requires_grad_(), THETA.clone().requires_grad_()
    soft = torch.tensor([[[[0.2, 1.0], [0.7, 0.0]]]] * 2, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda i, t: cascade(i, t, soft), (image, theta))
