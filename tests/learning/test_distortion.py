"""Eq. 8, against the filters in NumPy."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from harmonizer.learning.composites.distortion import Distortion
from harmonizer.learning.composites.draws import draw
from whitebox_filters import Cascade


def pictures(count=4, size=24):
    coarse = torch.rand(count, 3, 6, 6, generator=torch.Generator().manual_seed(0))
    images = torch.nn.functional.interpolate(coarse, size, mode="bilinear").clamp(0, 1)
    masks = torch.zeros(count, 1, size, size)
    masks[:, :, 4:16, 6:20] = torch.linspace(0.2, 1, 14)
    return images, masks


def drawn_theta(cascade, draws):
    """Eq. 9 for the filters of a cascade in the order in which they are applied."""
    priors = [filter.prior for filter in cascade.filters]
    normal = draws.normal(len(cascade)).clamp(-2, 2)
    columns = [prior.mean + prior.std * column for prior, column in zip(priors, normal.unbind(1), strict=True)]
    return torch.stack(columns, dim=1).double().numpy()


@pytest.mark.parametrize("region", ["frame", "mask"])
def test_a_composite_is_what_the_filters_make_in_opposite_order_in_float64(region):
    real, mask = pictures()
    cascade = Cascade(statistics=region)
    distort = Distortion.of(cascade)
    composite, targets = distort(real, mask, draw(0, 0, range(4)))
    backwards = cascade.reversed()
    assert backwards.names == cascade.names[::-1]
    thetas = drawn_theta(backwards, draw(0, 0, range(4)))
    for index, theta in enumerate(thetas):
        image = real[index].permute(1, 2, 0).double().numpy()
        trace = backwards.trace(image, theta, mask[index, 0].double().numpy())
        steps = [composite, *targets[:-1]]
        for own, plain in zip(steps, trace[::-1], strict=True):
            np.testing.assert_allclose(own[index].permute(1, 2, 0).numpy(), plain, atol=1e-4)


def test_theta_follows_the_priors_cut_at_two_deviations():
    """Seen through brightness, which is a gain on what is far from black and white."""
    real, mask = torch.full((3000, 3, 1, 1), 0.3), torch.ones(3000, 1, 1, 1)
    cascade = Cascade(["brightness"])
    composite, _ = Distortion.of(cascade)(real, mask, draw(0, 0, range(3000)))
    theta = drawn_theta(cascade, draw(0, 0, range(3000)))[:, 0]
    assert np.corrcoef(composite[:, 0, 0, 0].numpy(), theta)[0, 1] > 0.95
    ends = [cascade(np.full((1, 1, 3), 0.3), [sign * 2 * cascade.filters[0].prior.std]) for sign in (-1, 1)]
    assert composite.min() >= ends[0].min() - 1e-5
    assert composite.max() <= ends[1].max() + 1e-5
    assert 0.015 < float((composite < ends[0].min() + 1e-4).float().mean()) < 0.03


def test_distortion_leaves_a_target_for_every_filter_and_the_background_alone():
    real, mask = pictures()
    composite, targets = Distortion.of(Cascade())(real, mask, draw(1, 0, range(4)))
    assert len(targets) == 6
    assert targets[-1] is real
    outside = mask.expand_as(real) == 0
    for picture in (composite, *targets):
        assert torch.equal(picture[outside], real[outside])
    assert all(not torch.equal(a, b) for a, b in pairwise([composite, *targets]))


def test_the_inverse_of_the_last_distortion_is_the_first_step_home():
    real, _ = pictures()
    real, mask = 0.3 + 0.3 * real, torch.ones(4, 1, 24, 24)  # far from clipping
    cascade = Cascade(["brightness", "shadow"])
    composite, targets = Distortion.of(cascade)(real, mask, draw(2, 0, range(4)))
    theta = torch.from_numpy(drawn_theta(cascade.reversed(), draw(2, 0, range(4)))).float()
    undone = Cascade(["brightness"])(composite, -theta[:, 1:], mask)
    torch.testing.assert_close(undone, targets[0], atol=1e-4, rtol=0)


def test_with_the_last_target_alone_the_composite_is_the_same():
    real, mask = pictures()
    whole, _ = Distortion.of(Cascade())(real, mask, draw(0, 0, range(4)))
    composite, targets = Distortion.of(Cascade(), all_targets=False)(real, mask, draw(0, 0, range(4)))
    assert torch.equal(composite, whole)
    assert len(targets) == 1
    assert targets[0] is real
