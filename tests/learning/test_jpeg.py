from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn.functional import interpolate

from harmonizer.learning.composites.jpeg import _tables, compress

SIZES = ((48, 64), (45, 83), (1, 1), (17, 9))


def pictures(height, width):
    """Two smooth ones, one that is all noise, and one with a little."""
    generator = torch.Generator().manual_seed(height * width)
    coarse = torch.rand(4, 3, 5, 5, generator=generator)
    smooth = interpolate(coarse, (height, width), mode="bicubic", align_corners=True)
    noise = torch.rand(4, 3, height, width, generator=generator)
    share = torch.tensor([0, 0, 1, 0.1]).view(4, 1, 1, 1)
    return (smooth + share * (noise - smooth)).clamp(0, 1)


def through_pillow(picture, quality):
    file = BytesIO()
    levels = (picture * 255).round().byte().permute(1, 2, 0).numpy()
    Image.fromarray(levels).save(file, "jpeg", quality=quality, subsampling="4:2:0")
    with Image.open(file) as decoded:
        return torch.from_numpy(np.array(decoded)).permute(2, 0, 1).float()


def deviation(difference):
    return difference.square().mean().sqrt().item()


@pytest.mark.parametrize("quality", [5, 30, 50, 75, 90, 95])
@pytest.mark.parametrize("size", SIZES)
def test_the_result_is_what_pillow_makes(size, quality):
    originals = pictures(*size)
    ours = compress(originals, torch.full((4,), quality)) * 255
    for picture, own in zip(originals, ours, strict=True):
        theirs = through_pillow(picture, quality)
        harm = deviation(theirs - (picture * 255).round())
        # libjpeg transforms in integers: a few coefficients, exact halves mostly, are rounded the other way, and so are
        # levels. One coefficient that is off by a step changes a smooth picture by about a fifth of the harm.
        assert (own - theirs).abs().mean() < 1
        assert deviation(own - theirs) < 0.2 * min(harm, 10) + 0.25


@pytest.mark.parametrize("quality", [1, 20, 49, 50, 51, 75, 99, 100])
def test_the_tables_are_those_that_pillow_writes(quality):
    file = BytesIO()
    Image.new("RGB", (8, 8)).save(file, "jpeg", quality=quality)
    with Image.open(file) as image:
        written = [image.quantization[0], image.quantization[1]]
    assert _tables(torch.tensor([quality]))[0].flatten(1).tolist() == written


def test_a_worse_quality_does_more_harm():
    originals = pictures(48, 64)
    harms = [deviation(compress(originals, torch.full((4,), each)) - originals) for each in (95, 80, 60, 30, 10)]
    assert harms == sorted(harms)


def test_the_result_is_in_whole_levels_within_range():
    levels = compress(pictures(33, 47), torch.tensor([3, 40, 70, 100])) * 255
    assert levels.shape == (4, 3, 33, 47)
    assert torch.equal(levels.round() / 255, levels / 255)
    assert 0 <= levels.min() <= levels.max() <= 255


def test_a_picture_depends_on_its_own_quality_and_on_no_neighbour():
    originals, qualities = pictures(45, 83), torch.tensor([20.0, 60.0, 80.0, 95.0])
    together = compress(originals, qualities)
    for index in range(4):
        assert torch.equal(together[index], compress(originals[index, None], qualities[index, None])[0])


def test_the_pictures_stay_as_they_were():
    originals = pictures(32, 32)
    before = originals.clone()
    compress(originals, torch.full((4,), 50))
    assert torch.equal(originals, before)


def test_nothing_waits_for_the_device():
    """The device "meta" has shapes but no numbers: to copy any to the host, or to mix in a host's tensor, raises."""
    originals, qualities = torch.empty(2, 3, 45, 83, device="meta"), torch.empty(2, device="meta")
    assert compress(originals, qualities).shape == originals.shape
