import pytest
import torch

from harmonizer.learning import augment


def disc(count=6, size=64, radius=16):
    steps = torch.arange(size) - size / 2
    mask = ((steps[:, None] ** 2 + steps**2).sqrt() < radius).float()
    return mask.expand(count, 1, size, size).clone()


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_a_change_befalls_its_share_of_a_batch_and_leaves_the_rest():
    batch = torch.zeros(1000, 1, 2, 2)
    changed = augment.befall(0.3, lambda some, generator: some + 1, batch, generator())
    assert set(changed.unique().tolist()) == {0, 1}
    assert 0.25 < float(changed.mean()) < 0.35
    assert (batch == 0).all()
    assert augment.befall(0.0, lambda some, generator: some + 1, batch, generator()) is batch


def test_a_part_is_small_lies_in_the_mask_and_differs_from_picture_to_picture():
    masks = disc(20)
    parts = augment.take_part(masks, generator())
    assert (parts <= masks).all()
    coverage = parts.mean(dim=(1, 2, 3))
    assert (coverage > 0.002).all()
    assert (coverage < 0.06).all()
    assert len(coverage.unique()) > 10


def area(mask):
    return float(mask.sum())


@pytest.mark.parametrize("name", augment.CUTS)
def test_a_bad_cut_is_still_a_cut_of_the_same_thing(name):
    mask = disc(1)[0]
    for seed in range(5):
        cut = augment.CUTS[name](mask, generator(seed))
        assert cut.shape == mask.shape
        assert cut.min() >= 0
        assert cut.max() <= 1
        overlap = area(cut.minimum(mask)) / area(cut.maximum(mask))
        assert overlap > 0.5
        if name not in ("hard", "shifted"):  # a hard mask stays hard, a shift may be of no pixel
            assert overlap < 1


def test_each_cut_does_what_its_name_says():
    mask = disc(1)[0]
    assert area(augment.CUTS["wide"](mask, generator())) > area(mask) > area(augment.CUTS["tight"](mask, generator()))
    assert ((soft := augment.CUTS["soft"](mask, generator())) > 0.1).any()
    assert ((soft > 0.1) & (soft < 0.9)).sum() > 20
    assert set(augment.CUTS["hard"](soft, generator()).unique().tolist()) == {0, 1}


def test_no_cut_loses_a_small_foreground():
    masks = disc(40, radius=1)
    cut = augment.cut_badly(masks, generator())
    assert (cut.sum(dim=(1, 2, 3)) > masks.sum(dim=(1, 2, 3)) / 4).all()
    assert not torch.equal(cut, masks)


def test_jpeg_and_light_change_the_picture_but_not_beyond_recognition():
    coarse = torch.rand(4, 3, 6, 6, generator=generator())
    pictures = torch.nn.functional.interpolate(coarse, 64, mode="bilinear")
    compressed = augment.compress(pictures, generator())
    assert 0.0005 < float((compressed - pictures).abs().mean()) < 0.03
    lit = augment.relight_whole(pictures, generator())
    assert lit.min() >= 0
    assert lit.max() <= 1
    change = (lit - pictures).abs().mean(dim=(1, 2, 3))
    assert (change > 0.003).all()
    assert (change < 0.35).all()


@pytest.mark.parametrize("name", ["compress", "relight_whole", "light_anew", "refocus", "take_part", "cut_badly"])
def test_a_seed_gives_the_same_change_twice(name):
    change = getattr(augment, name)
    batch = disc(4) if name in ("take_part", "cut_badly") else torch.rand(4, 3, 32, 32, generator=generator())
    assert torch.equal(change(batch, generator(1)), change(batch, generator(1)))
    assert not torch.equal(change(batch, generator(1)), change(batch, generator(2)))


def test_refocused_photographs_keep_their_colours_and_differ_in_sharpness():
    photographs = 0.3 + 0.4 * torch.rand((40, 3, 32, 32), generator=generator(1))
    refocused = augment.refocus(photographs, generator())
    torch.testing.assert_close(refocused.mean(dim=(2, 3)), photographs.mean(dim=(2, 3)), atol=0.01, rtol=0)
    sharpness = refocused.diff(dim=3).abs().mean(dim=(1, 2, 3)) / photographs.diff(dim=3).abs().mean(dim=(1, 2, 3))
    assert float(sharpness.min()) < 0.6
    assert float(sharpness.max()) > 1.5
    even = torch.full((2, 3, 8, 8), 0.4)
    torch.testing.assert_close(augment.refocus(even, generator()), even)
