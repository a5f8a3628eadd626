from itertools import pairwise

import pytest
import torch

from harmonizer.learning import synthesis
from whitebox_filters import Cascade

THIRDS = slice(4, 12), slice(20, 28), slice(36, 44)


def pictures(count=4, size=24, seed=0):
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, 3, 6, 6, generator=generator)
    images = torch.nn.functional.interpolate(coarse, size, mode="bilinear").clamp(0, 1)
    masks = torch.zeros(count, 1, size, size)
    masks[:, :, 4:16, 6:20] = 1
    return images, masks


def test_sampled_theta_follows_the_priors_cut_at_two_deviations():
    cascade = Cascade()
    theta = synthesis.sample_theta(cascade, 4000, torch.Generator().manual_seed(0))
    std = torch.tensor([filter.prior.std for filter in cascade.filters])
    assert theta.shape == (4000, 6)
    assert (theta.abs() <= 2 * std + 1e-6).all()
    # A normal distribution cut off and piled up at two deviations keeps 96 % of its deviation.
    torch.testing.assert_close(theta.std(dim=0), 0.96 * std, rtol=0.05, atol=0)
    assert theta.mean(dim=0).abs().max() < 0.02


def test_distortion_leaves_a_target_for_every_filter_and_the_background_alone():
    real, mask = pictures()
    cascade = Cascade()
    composite, targets = synthesis.distort(real, mask, cascade, torch.Generator().manual_seed(1))
    assert len(targets) == len(cascade)
    assert targets[-1] is real
    outside = mask.expand_as(real) == 0
    for picture in (composite, *targets):
        assert torch.equal(picture[outside], real[outside])
    # Each target lies one filter closer to the photograph: the first differs from the composite by one filter.
    assert not torch.equal(targets[0], composite)
    steps = [composite, *targets]
    assert all(not torch.equal(a, b) for a, b in pairwise(steps))


def test_the_inverse_of_the_last_distortion_is_the_first_step_home():
    real, mask = pictures()
    real = 0.3 + 0.3 * real  # far from clipping
    cascade = Cascade(["brightness", "shadow"])
    composite, targets = synthesis.distort(real, mask, cascade, torch.Generator().manual_seed(2))
    generator = torch.Generator().manual_seed(2)
    theta = synthesis.sample_theta(cascade, len(real), generator)
    undone = Cascade(["brightness"])(composite, -theta[:, :1], mask)
    torch.testing.assert_close(undone, targets[0], atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", synthesis.RECIPES)
def test_recipes_change_the_foreground_only_and_repeat_with_their_seed(name):
    real, mask = pictures()
    reference, reference_mask = pictures(seed=5)
    reference = 0.1 + 0.7 * reference  # tones that the photographs have not, over the whole frame too

    def run(seed):
        generator = torch.Generator().manual_seed(seed)
        return synthesis.apply_recipe(name, real, mask, reference, reference_mask, generator)

    composite = run(3)
    assert torch.equal(composite, run(3))
    assert not torch.equal(composite, run(4))
    assert torch.isfinite(composite).all()
    assert composite.min() >= 0
    assert composite.max() <= 1
    outside = mask.expand_as(real) == 0
    assert torch.equal(composite[outside], real[outside])
    assert (composite - real)[~outside].abs().mean() > 0.005


@pytest.mark.parametrize("name", synthesis.RECIPES)
def test_recipes_survive_empty_full_and_tiny_masks(name):
    real, mask = pictures(count=3)
    mask[0], mask[1], mask[2] = 0, 1, 0
    mask[2, :, 3, 3] = 1
    composite = synthesis.apply_recipe(name, real, mask, real.flip(0), mask.flip(0), torch.Generator().manual_seed(0))
    assert torch.isfinite(composite).all()
    assert torch.equal(composite[0], real[0])


def masked_moments(picture, mask):
    inside = picture[:, mask[0] > 0.5]
    return inside.mean(dim=1), torch.cov(inside)


def test_monge_kantorovich_carries_mean_and_covariance_to_the_reference():
    real, mask = pictures()
    reference = (0.2 + 0.6 * pictures(seed=9)[0]) * 0.9
    moved = synthesis.monge_kantorovich(real, mask, reference, mask)
    for index in range(len(real)):
        mean, covariance = masked_moments(moved[index], mask[index])
        goal_mean, goal_covariance = masked_moments(reference[index], mask[index])
        torch.testing.assert_close(mean, goal_mean, atol=0.01, rtol=0)
        torch.testing.assert_close(covariance, goal_covariance, atol=0.01, rtol=0.2)


def test_histogram_matching_carries_the_median_to_the_reference():
    real, mask = pictures()
    reference = 0.3 + 0.5 * real  # one tone curve away, so that the match is exact
    matched = synthesis.match_histograms(real, mask, reference, mask)
    torch.testing.assert_close(matched * mask, reference * mask, atol=0.02, rtol=0)


def test_frames_take_the_tones_of_the_reference_wherever_the_masks_lie():
    real, mask = pictures()
    reference = 0.3 + 0.5 * real
    matched = synthesis.match_frames(real, mask, reference, 0 * mask)
    torch.testing.assert_close(matched, reference, atol=0.02, rtol=0)


def test_reinhard_of_itself_is_nearly_itself():
    real, mask = pictures()
    again = synthesis.reinhard(real, mask, real, mask)
    torch.testing.assert_close(again, real, atol=1e-3, rtol=0)


def test_at_another_hour_parts_are_lit_each_in_their_own_way_and_the_frame_as_brightly_as_before():
    real = torch.full((16, 3, 48, 48), 0.3)
    real[..., :16], real[..., 32:] = 0.45, 0.6
    later = synthesis.hours(real, torch.Generator().manual_seed(4))
    ratios = torch.stack([(later / real)[:, :, 4:-4, rows].mean(dim=(1, 2, 3)) for rows in THIRDS])
    # No gain for the whole frame would leave the parts so unlike each other.
    assert float((ratios.amax(dim=0) / ratios.amin(dim=0)).median()) > 1.15
    change = later.mean(dim=(1, 2, 3)) / real.mean(dim=(1, 2, 3))
    assert float(change.log().abs().median()) < 0.25
    assert not torch.equal(later, synthesis.hours(real, torch.Generator().manual_seed(5)))


def test_against_the_light_the_sky_keeps_it_and_what_stands_before_it_loses_it():
    skyline = torch.full((4, 3, 64, 64), 0.85)
    skyline[:, :, 40:] = 0.4
    skyline[:, :, 16:, 24:36] = torch.tensor([0.6, 0.5, 0.4])[:, None, None]  # a tower
    shaded = synthesis.backlight(skyline, torch.Generator().manual_seed(0))
    assert (shaded[:, :, :12] >= skyline[:, :, :12] - 0.02).all()
    for part in (shaded / skyline)[:, :, 44:], (shaded / skyline)[:, :, 20:, 26:34]:
        loss = part.mean(dim=(1, 2, 3))
        assert (loss < 0.95).all()
        assert (loss > 0.2).all()
    # Another shade for each picture.
    assert float(shaded[:, :, 44:].mean(dim=(1, 2, 3)).std()) > 0.01
