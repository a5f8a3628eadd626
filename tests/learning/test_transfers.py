"""Colours of another photograph, against the same methods in NumPy and against what they promise."""

import numpy as np
import pytest
import torch

from harmonizer.evaluation import transfer
from harmonizer.learning.composites import transfers
from harmonizer.learning.composites.draws import draw


def pictures(count=4, size=24, seed=0):
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, 3, 6, 6, generator=generator)
    images = torch.nn.functional.interpolate(coarse, size, mode="bilinear").clamp(0, 1)
    masks = torch.zeros(count, 1, size, size)
    masks[:, :, 4:16, 6:20] = 1
    return images, masks


def draws(count=4, seed=0):
    return draw(seed, 0, range(count))


def inside(picture, mask):
    """The colours (P, 3) under a hard mask, for NumPy."""
    return picture[:, mask[0] > 0.5].T.double().numpy()


@pytest.mark.parametrize(("name", "tolerance"), [("reinhard", 0.01), ("monge_kantorovich", 0.02)])
def test_where_no_limit_cuts_in_a_transfer_is_that_of_numpy(name, tolerance):
    generator = torch.Generator().manual_seed(0)
    real, other = (0.5 + 0.1 * torch.randn(4, 3, 64, 64, generator=generator).clamp(-3, 3) for _ in range(2))
    mixture = torch.tensor([[0.8, 0.3, 0.1], [0.2, 0.7, 0.1], [0.0, 0.3, 1.0]])
    reference = (mixture @ other.flatten(2)).view_as(other) + torch.tensor([-0.2, 0.1, -0.25])[:, None, None]
    mask = torch.zeros(4, 1, 64, 64)
    mask[:, :, 8:40, 4:56] = 1
    moved = getattr(transfers, name)(real, mask, reference, mask.flip(2))
    for index in range(len(real)):
        own = inside(real[index], mask[index])
        colour_map = getattr(transfer, name)(own, inside(reference[index], mask.flip(2)[index]))
        plain = colour_map(own)
        assert np.abs(inside(moved[index], mask[index]) - plain).max() < tolerance
        assert np.abs(own - plain).max() > 10 * tolerance


def test_reinhard_stretches_contrast_twofold_at_most():
    flat = 0.5 + 0.01 * torch.rand(2, 3, 24, 24, generator=torch.Generator().manual_seed(0))
    mask = torch.ones(2, 1, 24, 24)
    spread = torch.rand(2, 3, 24, 24, generator=torch.Generator().manual_seed(1))
    moved = transfers.reinhard(flat, mask, spread, mask)
    for before, after in ((flat, moved), (spread, transfers.reinhard(spread, mask, flat, mask))):
        ratio = transfers.to_decorrelated(after.clamp_min(0)).std(dim=(2, 3))
        ratio = ratio / transfers.to_decorrelated(before).std(dim=(2, 3))
        assert ratio.max() < 2.1
        assert ratio.min() > 0.45


def masked_moments(picture, mask):
    colours = picture[:, mask[0] > 0.5]
    return colours.mean(dim=1), torch.cov(colours)


def test_monge_kantorovich_carries_mean_and_covariance_to_the_reference():
    real, mask = pictures()
    reference = (0.2 + 0.6 * pictures(seed=9)[0]) * 0.9
    moved = transfers.monge_kantorovich(real, mask, reference, mask)
    for index in range(len(real)):
        mean, covariance = masked_moments(moved[index], mask[index])
        goal_mean, goal_covariance = masked_moments(reference[index], mask[index])
        torch.testing.assert_close(mean, goal_mean, atol=0.01, rtol=0)
        torch.testing.assert_close(covariance, goal_covariance, atol=0.01, rtol=0.2)


def test_histogram_matching_carries_the_median_to_the_reference():
    real, mask = pictures()
    reference = 0.3 + 0.5 * real  # one tone curve away, so that the match is exact
    matched = transfers.match_histograms(real, mask, reference, mask)
    torch.testing.assert_close(matched * mask, reference * mask, atol=0.02, rtol=0)


def test_frames_take_the_tones_of_the_reference_wherever_the_masks_lie():
    real, mask = pictures()
    reference = 0.3 + 0.5 * real
    matched = transfers.match_frames(real, mask, reference, 0 * mask)
    torch.testing.assert_close(matched, reference, atol=0.02, rtol=0)


def test_a_distribution_comes_closer_to_the_reference_along_any_axis():
    real, mask = pictures(size=48)
    reference, _ = pictures(size=48, seed=3)
    reference = 0.15 + 0.7 * reference
    moved = transfers.transfer_distribution(real, mask, reference, mask, draws())
    axes = torch.nn.functional.normalize(torch.randn(20, 3, generator=torch.Generator().manual_seed(0)), dim=1)

    def quantiles(image):
        along = (axes @ image[..., 4:16, 6:20].flatten(2)).flatten(0, 1)
        return torch.quantile(along, torch.linspace(0.05, 0.95, 10), dim=1)

    before, after = ((quantiles(each) - quantiles(reference)).abs().mean() for each in (real, moved))
    assert after < 0.5 * before
    assert (moved - transfers.match_histograms(real, mask, reference, mask)).abs().mean() > 0.01


def test_reinhard_of_itself_is_nearly_itself():
    real, mask = pictures()
    again = transfers.reinhard(real, mask, real, mask)
    torch.testing.assert_close(again, real, atol=1e-3, rtol=0)


@pytest.mark.parametrize("name", transfers.TRANSFERS)
def test_a_transfer_stays_in_range_and_is_that_of_its_draws(name):
    real, mask = pictures()
    reference, reference_mask = pictures(seed=5)
    arguments = name, real, mask, 0.1 + 0.7 * reference, reference_mask
    moved = transfers.transfer(*arguments, draws())
    assert torch.equal(moved, transfers.transfer(*arguments, draws()))
    assert not torch.equal(moved, transfers.transfer(*arguments, draws(seed=1)))
    assert 0 <= moved.min() <= moved.max() <= 1
    assert ((moved - real).abs() * mask).mean() > 0.002


@pytest.mark.parametrize("name", transfers.TRANSFERS)
def test_a_transfer_survives_empty_full_and_tiny_masks(name):
    real, mask = pictures(count=3)
    mask[0], mask[1], mask[2] = 0, 1, 0
    mask[2, :, 3, 3] = 1
    moved = transfers.transfer(name, real, mask, real.flip(0), mask.flip(0), draws(3))
    assert torch.isfinite(moved).all()


@pytest.mark.parametrize("name", transfers.TRANSFERS)
def test_a_reference_may_have_another_size(name):
    real, mask = pictures()
    reference, reference_mask = pictures(size=16, seed=5)
    assert transfers.transfer(name, real, mask, reference, reference_mask, draws()).shape == real.shape


def test_a_transfer_goes_a_part_of_the_way_and_half_of_it_where_much_leaves_the_gamut(monkeypatch):
    real, mask = torch.full((200, 3, 8, 8), 0.5), torch.ones(200, 1, 8, 8)

    def way(goal):
        monkeypatch.setitem(transfers.TRANSFERS, "to", lambda *_: torch.full_like(real, goal))
        return (transfers.transfer("to", real, mask, real, mask, draws(200)) - real).amax(dim=(1, 2, 3)) * 2

    inner, outer = way(1.0), way(1.5)
    assert 0.25 < inner.min() < 0.6
    assert 0.9 < inner.max() <= 1
    torch.testing.assert_close(outer, inner / 2)
