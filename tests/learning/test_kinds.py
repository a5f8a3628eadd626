"""What becomes of a photograph, by kind."""

import pytest
import torch

from harmonizer.learning.composites.draws import draw
from harmonizer.learning.composites.kinds import KINDS, REVERSIBLE, SCENES, UNTOUCHED, imitate, paste

MADE = [name for name in KINDS if name not in (SCENES, UNTOUCHED)]


def pictures(count=8, size=24, seed=0):
    coarse = torch.rand(count, 3, 6, 6, generator=torch.Generator().manual_seed(seed))
    images = torch.nn.functional.interpolate(coarse, size, mode="bilinear").clamp(0, 1)
    masks = torch.zeros(count, 1, size, size)
    masks[:, :, 4:16, 6:20] = 1
    return images, masks


def make(name, count=8, seed=0):
    real, mask = pictures(count)
    reference, reference_mask = pictures(count, 16, seed=5)
    reference = 0.1 + 0.7 * reference  # tones that the photographs have not, over the whole frame too
    return real, mask, *imitate(name, real, mask, reference, reference_mask, draw(seed, 0, range(count)))


def test_a_paste_blends_by_the_mask():
    real, mask = pictures()
    other, half = real.flip(0), mask * 0.25
    torch.testing.assert_close(paste(other, real, half), real + half * (other - real))
    outside = mask.expand_as(real) == 0
    assert torch.equal(paste(other, real, mask)[outside], real[outside])
    assert torch.equal(paste(other, real, mask)[~outside], other[~outside])


@pytest.mark.parametrize("name", MADE)
def test_composite_and_goal_differ_in_the_foreground_alone_and_repeat_with_their_seed(name):
    _, mask, composite, goal = make(name)
    for again, first in zip(make(name)[2:], (composite, goal), strict=True):
        assert torch.equal(again, first)
    assert not torch.equal(composite, make(name, seed=1)[2])
    for picture in (composite, goal):
        assert torch.isfinite(picture).all()
        assert picture.min() >= 0
        assert picture.max() <= 1
    outside = mask.expand_as(goal) == 0
    assert torch.equal(composite[outside], goal[outside])
    changes = ((composite - goal).abs() * mask).sum(dim=(1, 2, 3)) / (3 * mask.sum(dim=(1, 2, 3)))
    assert changes.mean() > 0.01


@pytest.mark.parametrize("name", REVERSIBLE)
def test_half_of_the_changes_of_a_whole_frame_are_those_of_the_background(name):
    real, mask, composite, goal = make(name, 100)
    inside = mask.expand_as(real) == 1
    swapped = [not torch.equal(one, other) for one, other in zip(goal, real, strict=True)]
    assert 35 < sum(swapped) < 65
    for index, swap in enumerate(swapped):
        assert torch.equal(composite[index][inside[index]], real[index][inside[index]]) == swap
        assert torch.equal(composite[index][~inside[index]], real[index][~inside[index]]) != swap


@pytest.mark.parametrize("name", [name for name in MADE if name not in (*REVERSIBLE, "renditions")])
def test_other_transfers_leave_the_photograph_as_the_goal(name):
    real, _, _, goal = make(name)
    assert torch.equal(goal, real)


def test_what_is_untouched_is_composite_and_target_alike():
    real, _, composite, goal = make(UNTOUCHED)
    assert torch.equal(composite, real)
    assert torch.equal(goal, real)


def test_renditions_are_two_edits_of_one_photograph():
    real, mask, composite, goal = make("renditions", 20)
    assert all(not torch.equal(one, other) for one, other in zip(goal, real, strict=True))
    # What is on the foreground is another edit, but of the same picture.
    for one, other, region in zip(composite, goal, mask.expand_as(real) == 1, strict=True):
        assert torch.corrcoef(torch.stack([one[region], other[region]]))[0, 1] > 0.5
        assert not torch.equal(one[region], other[region])


@pytest.mark.parametrize("name", MADE)
def test_a_kind_survives_empty_full_and_tiny_masks(name):
    real, mask = pictures(count=3)
    mask[0], mask[1], mask[2] = 0, 1, 0
    mask[2, :, 3, 3] = 1
    composite, goal = imitate(name, real, mask, real.flip(0), mask.flip(0), draw(0, 0, range(3)))
    assert torch.isfinite(composite).all()
    assert torch.equal(composite[0], goal[0])
