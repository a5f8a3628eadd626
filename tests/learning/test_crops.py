"""Crops against torch's own resizing of the window that they show."""

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from harmonizer.learning.composites.crops import NUMBERS, crop
from harmonizer.learning.composites.draws import draw

SIDE, SIZE = 256, 48


def located(count, seed=0):
    """Pictures whose bytes tell their column, their row and something else, and a mask: (N, 4, S, S)."""
    place = torch.arange(SIDE).expand(SIDE, SIDE)
    noise = torch.from_numpy(np.random.default_rng(seed).integers(0, 256, (count, SIDE, SIDE)))
    mask = torch.zeros(count, SIDE, SIDE)
    mask[:, 96:160, 80:150] = 255
    return torch.stack([place.expand_as(noise), place.T.expand_as(noise), noise, mask], dim=1).byte()


def window(ramp):
    """Where a line of places begins in the picture and how long it is, in pixels; backwards if mirrored."""
    inner = ramp[8:-8] * 255
    step = float(inner[-1] - inner[0]) / (len(inner) - 1)
    begin = float(inner.mean()) + 0.5 - step * len(ramp) / 2
    return round(begin), round(begin + step * len(ramp)), step < 0


def test_a_crop_is_what_torch_makes_of_the_same_window():
    pictures = located(24)
    for picture, cropped in zip(pictures, crop(pictures, SIZE, 0.0, draw(0, 0, range(24))), strict=True):
        left, right, mirrored = window(cropped[0].mean(dim=0))
        top, bottom, _ = window(cropped[1].mean(dim=1))
        left, right = sorted((left, right))
        part = picture[:, top:bottom, left:right].float()
        plain = interpolate(part[None], (SIZE, SIZE), mode="bilinear", antialias=True)[0] / 255
        assert (cropped - (plain.flip(2) if mirrored else plain)).abs().max() < 1.5 / 255


def test_crops_are_half_of_each_side_at_least_and_lie_anywhere():
    crops = crop(located(100), SIZE, 0.0, draw(0, 0, range(100)))
    across = np.array([sorted(window(each[0].mean(dim=0))[:2]) for each in crops])
    down = np.array([window(each[1].mean(dim=1))[:2] for each in crops])
    for begin, end in (across.T, down.T):
        length = end - begin
        assert length.min() >= SIDE // 2
        assert length.max() > 0.9 * SIDE
        assert abs(length.mean() / SIDE - 0.75) < 0.05
        assert begin.min() < 5
        assert end.max() > SIDE - 5
    assert abs(np.corrcoef(down[:, 1] - down[:, 0], across[:, 1] - across[:, 0])[0, 1]) < 0.3


def test_whole_pictures_are_resized_as_torch_does_it_and_half_are_mirrored():
    pictures = located(60)
    plain = interpolate(pictures.float(), (SIZE, SIZE), mode="bilinear", antialias=True) / 255
    crops = crop(pictures, SIZE, 1.0, draw(0, 0, range(60)))
    mirrored = [window(each[0].mean(dim=0))[2] for each in crops]
    for cropped, whole, is_mirrored in zip(crops, plain, mirrored, strict=True):
        assert (cropped - (whole.flip(2) if is_mirrored else whole)).abs().max() < 1.5 / 255
    assert 20 < sum(mirrored) < 40


def test_a_share_of_the_pictures_stays_whole():
    crops = crop(located(120), SIZE, 0.7, draw(0, 0, range(120)))
    whole = [window(each[1].mean(dim=1))[:2] == (0, SIDE) for each in crops]
    assert 0.58 < np.mean(whole) < 0.82


def test_crops_keep_foreground_and_background():
    pictures = located(100)
    pictures[:, 3] = 0
    pictures[:, 3, 10:70, 180:240] = 255  # in a corner, which many windows miss
    coverage = crop(pictures, SIZE, 0.0, draw(0, 0, range(100)))[:, 3].mean(dim=(1, 2))
    assert coverage.min() > 0.02
    assert coverage.max() < 0.9
    assert coverage.std() > 0.02


@pytest.mark.parametrize("value", [0, 255])
def test_where_no_window_shows_both_the_picture_stays_whole(value):
    pictures = located(20)
    pictures[:, 3] = value
    for each in crop(pictures, SIZE, 0.0, draw(0, 0, range(20))):
        left, right, _ = window(each[0].mean(dim=0))
        assert sorted((left, right)) == [0, SIDE]
        assert window(each[1].mean(dim=1))[:2] == (0, SIDE)
        torch.testing.assert_close(each[3], torch.full_like(each[3], value / 255))


def test_a_crop_takes_as_many_numbers_as_it_says():
    draws = draw(0, 0, range(3))
    crop(located(3), SIZE, 0.5, draws)
    assert draws.position == NUMBERS
