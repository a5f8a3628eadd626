"""Bad cuts against their plain definitions, pixel by pixel."""

import numpy as np
import pytest
import torch
from numpy.lib.stride_tricks import sliding_window_view

from harmonizer.learning.composites import masks
from harmonizer.learning.composites.draws import draw

SIZES = range(4)
SIDE = 64


def discs(count=6, radius=16):
    steps = torch.arange(SIDE) - SIDE / 2
    disc = ((steps[:, None] ** 2 + steps**2).sqrt() < radius).float()
    return disc.expand(count, 1, SIDE, SIDE).clone()


def ragged(count=3):
    """Masks with soft edges, some of them at the border."""
    coarse = torch.rand(count, 1, 7, 7, generator=torch.Generator().manual_seed(0))
    smooth = torch.nn.functional.interpolate(coarse, SIDE, mode="bicubic")
    return (4 * (smooth - 0.4)).clamp(0, 1)


def cut(name, mask, size, steps=(0.3, 0.8)):
    return masks.DEGRADATIONS[name](mask, size, np.tile(np.float32(steps), (len(mask), 1)))


def reach(size):
    return max(1, round(0.04 * SIDE * (size + 1) / 4))


def windows(mask, reach, outside):
    """All pixels within `reach` of each, (S, S, 2 reach + 1, 2 reach + 1)."""
    wide = np.pad(mask, reach, constant_values=outside)
    return sliding_window_view(wide, (2 * reach + 1, 2 * reach + 1))


@pytest.mark.parametrize("size", SIZES)
def test_wide_is_the_greatest_around_each_pixel_and_tight_the_least(size):
    shapes = ragged()
    for name, extreme, outside in (("wide", np.max, -1), ("tight", np.min, 2)):
        for mask, bad in zip(shapes, cut(name, shapes, size), strict=True):
            plain = extreme(windows(mask[0].numpy(), reach(size), outside), axis=(2, 3))
            np.testing.assert_allclose(bad[0].numpy(), plain, atol=1e-6)


@pytest.mark.parametrize("size", SIZES)
def test_soft_is_twice_the_mean_around_each_pixel(size):
    shapes = ragged()
    for mask, bad in zip(shapes, cut("soft", shapes, size), strict=True):
        plain = mask[0].double().numpy()
        for _ in range(2):
            plain = np.nanmean(windows(plain, reach(size), np.nan), axis=(2, 3))
        np.testing.assert_allclose(bad[0].numpy(), plain, atol=1e-5)


@pytest.mark.parametrize("size", SIZES)
def test_shifted_is_the_same_mask_somewhere_else(size):
    shapes, steps = ragged(5), np.random.default_rng(size).random((5, 2), np.float32)
    moved = masks.DEGRADATIONS["shifted"](shapes, size, steps)
    for mask, bad, step in zip(shapes, moved, steps, strict=True):
        down, right = (round(2 * reach(size) * float(each)) for each in step)
        wide = np.pad(mask[0].numpy(), reach(size))
        assert np.array_equal(bad[0].numpy(), wide[down : down + SIDE, right : right + SIDE])


def test_coarse_has_fewer_corners_and_hard_no_soft_edge():
    shapes = ragged()
    for size in SIZES:
        hard, coarse = cut("hard", shapes, size), cut("coarse", shapes, size)
        assert torch.equal(hard, (shapes > 0.2 + 0.2 * size).float())
        assert set(coarse.unique().tolist()) == {0, 1}
    detailed = (torch.rand(1, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(1)) > 0.5).float()
    edges = [float(each.diff(dim=3).abs().sum()) for each in (cut("coarse", detailed, 0), detailed)]
    assert edges[0] < edges[1] / 4


def area(mask):
    return float(mask.sum())


@pytest.mark.parametrize("name", masks.DEGRADATIONS)
@pytest.mark.parametrize("size", SIZES)
def test_a_bad_cut_is_still_a_cut_of_the_same_thing(name, size):
    mask = discs(1)
    bad = cut(name, mask, size)
    assert bad.shape == mask.shape
    assert bad.min() >= 0
    assert bad.max() <= 1
    overlap = area(bad.minimum(mask)) / area(bad.maximum(mask))
    assert overlap > 0.5
    assert (overlap == 1) == (name == "hard")  # this mask is hard already


@pytest.mark.parametrize("radius", [1, 2, 3])
def test_no_cut_loses_a_small_foreground(radius):
    small = discs(80, radius)
    bad = masks.degrade(small, draw(0, 0, range(80)))
    assert (bad.sum(dim=(1, 2, 3)) > small.sum(dim=(1, 2, 3)) / 4).all()
    assert not torch.equal(bad, small)


def test_all_cuts_come_in_all_sizes_and_each_mask_has_its_own():
    shapes = discs(200)
    together = masks.degrade(shapes, draw(0, 0, range(200)))
    assert len(together.flatten(1).unique(dim=0)) > 20
    for slot in range(0, 200, 25):
        alone = masks.degrade(shapes[:1], draw(0, 0, [slot]))
        torch.testing.assert_close(together[slot], alone[0], atol=1e-6, rtol=0)


def test_nothing_is_cut_out_of_nothing():
    empty = torch.zeros(40, 1, SIDE, SIDE)
    assert masks.degrade(empty, draw(0, 0, range(40))).max() == 0
    assert masks.keep_part(empty, draw(0, 0, range(40))).max() == 0


def test_a_part_is_small_lies_in_the_mask_and_differs_from_picture_to_picture():
    shapes = discs(20)
    parts = masks.keep_part(shapes, draw(0, 0, range(20)))
    assert (parts <= shapes).all()
    coverage = parts.mean(dim=(1, 2, 3))
    assert (coverage > 0.002).all()
    assert (coverage < 0.06).all()
    assert len(coverage.unique()) > 10


def test_a_part_is_an_ellipse_around_a_pixel_of_the_mask():
    frames = torch.ones(50, 1, SIDE, SIDE)
    frames[:, :, : SIDE // 2] = 0
    whole = 0
    for part in masks.keep_part(frames, draw(0, 0, range(50)))[:, 0]:
        rows, columns = (torch.arange(SIDE)[part.amax(dim=dim) > 0.5] for dim in (1, 0))
        if min(rows[0] - SIDE // 2, columns[0], SIDE - 1 - rows[-1], SIDE - 1 - columns[-1]) > 0:
            height, width = (int(each[-1] - each[0] + 1) for each in (rows, columns))
            assert float(part.sum()) == pytest.approx(torch.pi / 4 * height * width, rel=0.2)
            assert max(height / width, width / height) < 5
            whole += 1
    assert whole > 10
