"""What a batch is made of, and that seed, step and slot alone decide it."""

from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from harmonizer.errors import RecipeError
from harmonizer.learning.composites import batches
from harmonizer.learning.composites.augment import Augmentation
from harmonizer.learning.composites.batches import PICTURES, Batch, Mixture, Slots, make_batch
from harmonizer.learning.composites.distortion import Distortion
from harmonizer.learning.composites.draws import draw
from harmonizer.learning.composites.kinds import KINDS, REVERSIBLE
from harmonizer.learning.composites.sources.photos import Photos
from harmonizer.learning.composites.sources.sources import Sources
from whitebox_filters import Cascade

SIZE = 32
MIXTURE = Mixture(augmentation=Augmentation(*[0.5] * len(fields(Augmentation))))
SLOTS = Slots(range(12), 4)
DISTORTION = Distortion.of(Cascade(["brightness", "saturation"]))
ROUNDING = 2e-5  # sums over a batch may be in another order than over one picture


def make(sources, slots, eq8_count=0, mixture=MIXTURE, seed=0, step=0):
    return make_batch(sources, DISTORTION, SIZE, mixture, draw(seed, step, slots), eq8_count)


def rows(batch):
    """What a batch holds of each composite, without order: (N, numbers), sorted by the first numbers of each."""
    pictures = torch.cat([getattr(batch, name).flatten(1) for name in PICTURES], dim=1)
    return pictures[np.lexsort(pictures[:, :3].numpy().T)]


def same(first, second):
    names = [name for name in PICTURES if torch.equal(getattr(first, name), getattr(second, name))]
    return names == list(PICTURES) and all(map(torch.equal, first.targets, second.targets))


def alike(first, second):
    """Equal up to rounding; JPEG and the edge of a bad cut may turn rounding into a level of a few pixels."""
    difference = (first - second).abs()
    return float((difference > ROUNDING).float().mean()) < 2e-3 and float(difference.mean()) < 1e-4


def test_a_batch_is_made_of_the_pictures_that_are_made_alone(sources):
    together = make(sources, range(40), eq8_count=10)
    alone = [make(sources, [slot], eq8_count=int(slot < 10)) for slot in range(40)]
    firsts = torch.cat([each.composite for each in alone[:10]])
    assert alike(together.composite[:10], firsts)
    for target, plain in zip(together.targets, zip(*(each.targets for each in alone[:10]), strict=True), strict=True):
        assert alike(target, torch.cat(plain))
    everyone = torch.cat([rows(each) for each in alone])
    distances = torch.cdist(rows(together), everyone, p=1) / everyone.shape[1]
    assert distances.min(dim=1).values.max() < 1e-3
    assert sorted(distances.argmin(dim=1).tolist()) == list(range(40))
    assert distances.topk(2, dim=1, largest=False).values[:, 1].min() > 5e-3


@settings(max_examples=5)
@given(data=st.data())
def test_a_picture_does_not_depend_on_those_beside_it(sources, data):
    slots = data.draw(st.lists(st.integers(0, 63), min_size=2, max_size=12, unique=True))
    whole = make(sources, slots)
    for part in (slots[:1], slots[1:]):
        distances = torch.cdist(rows(make(sources, part)), rows(whole), p=1) / rows(whole).shape[1]
        assert distances.min(dim=1).values.max() < 1e-3


def test_composites_by_eq_8_come_first_and_then_the_kinds_in_their_order(sources, monkeypatch):
    order = []
    imitate = batches.kinds.imitate
    monkeypatch.setattr(batches.kinds, "imitate", lambda name, *rest: order.append(name) or imitate(name, *rest))
    made = make(sources, range(60), eq8_count=20)
    assert [name for name in KINDS if name in order] == order
    assert len(order) == len(KINDS) - 1
    assert [len(target) for target in made.targets] == [20, 20]
    assert torch.equal(made.targets[-1], made.real[:20])
    for name in PICTURES:
        assert len(getattr(made, name)) == 60


def test_the_same_numbers_make_the_same_batch_and_others_another(sources):
    first = make(sources, range(12), 4)
    assert same(first, make(sources, range(12), 4))
    for slots, which in ((range(12), {"seed": 1}), (range(12), {"step": 1}), (range(12, 24), {})):
        other = make(sources, slots, 4, **which)
        for name in ("composite", "real", "mask"):
            assert not torch.equal(getattr(first, name), getattr(other, name))


def run(sources, steps=range(4), slots=SLOTS, ahead=1, seed=0):
    sizes = {step: SIZE if step < 3 else 48 for step in steps}
    return list(batches.batches(sources, DISTORTION, sizes, MIXTURE, seed, slots, ahead))


def test_a_step_has_its_batch_wherever_the_run_begins_and_however_many_threads_make_it(sources):
    whole = run(sources)
    assert [each.composite.shape[-1] for each in whole] == [SIZE, SIZE, SIZE, 48]
    assert not same(whole[0], whole[1])
    assert all(map(same, whole, run(sources, ahead=3)))
    assert all(map(same, whole[2:], run(sources, range(2, 4))))
    assert not same(whole[0], run(sources, range(1), seed=1)[0])


def test_two_processes_make_between_them_what_one_makes(sources):
    assert list(Slots.of(12, 1 / 3).numbers) == list(range(12))
    (whole,) = run(sources, range(1), Slots.of(12, 1 / 3))
    halves = [run(sources, range(1), Slots.of(12, 1 / 3, rank, 2))[0] for rank in range(2)]
    assert [len(each.composite) for each in halves] == [6, 6]
    assert [len(each.targets[0]) for each in halves] == [2, 2]
    assert not same(*halves)
    both = torch.cat([rows(each) for each in halves])
    distances = torch.cdist(rows(whole), both, p=1) / both.shape[1]
    assert distances.min(dim=1).values.max() < 1e-3
    assert sorted(distances.argmin(dim=1).tolist()) == list(range(12))
    firsts = torch.stack([halves[index % 2].composite[index // 2] for index in range(4)])
    assert alike(whole.composite[:4], firsts)


@given(ranks=st.integers(1, 8), shares=st.integers(2, 6), eq8_count=st.integers(1, 5))
def test_slots_are_divided_without_loss(ranks, shares, eq8_count):
    size, first = ranks * shares, ranks * min(eq8_count, shares - 1)
    parts = [Slots.of(size, first / size, rank, ranks) for rank in range(ranks)]
    assert sorted(slot for part in parts for slot in part.numbers) == list(range(size))
    for part in parts:
        assert [slot < first for slot in part.numbers] == [True] * part.eq8_count + [False] * (shares - part.eq8_count)


@pytest.mark.parametrize(("size", "eq8_count", "count"), [(16, 0.5, 3), (12, 0.25, 2)])
def test_a_batch_that_cannot_be_divided_is_refused(size, eq8_count, count):
    with pytest.raises(RecipeError, match=f"cannot be divided evenly among {count} processes"):
        Slots.of(size, eq8_count, 0, count)


def outside(made):
    """The greatest difference between composite and real where the mask is 0."""
    return float(((made.composite - made.real).abs() * (made.mask == 0)).max())


CHANGES = [each.name for each in fields(Augmentation)]


@pytest.mark.parametrize("change", [None, *CHANGES])
def test_composite_and_target_share_the_background_unless_it_went_through_jpeg(sources, change):
    shares = Augmentation(**({change: 1.0} if change else {}))
    made = make(sources, range(40), 8, Mixture(augmentation=shares))
    assert (outside(made) == 0) == (change != "jpeg")
    for name in PICTURES:
        picture = getattr(made, name)
        assert picture.dtype == torch.float32
        assert ((picture >= 0) & (picture <= 1 + ROUNDING)).all()
    changed = ((made.composite - made.real).abs() * made.mask).sum(dim=(1, 2, 3)) / made.mask.sum(dim=(1, 2, 3))
    assert changed.mean() > 0.03


def test_a_bad_mask_is_shown_to_the_network_alone(sources):
    shares = [Augmentation(bad_input_mask=share) for share in (0.0, 1.0)]
    plain, bad = (make(sources, range(40), 8, Mixture(augmentation=each)) for each in shares)
    assert torch.equal(plain.input_mask, plain.mask)
    for name in ("composite", "mask", "real", "extra"):
        assert torch.equal(getattr(bad, name), getattr(plain, name))
    changed = (bad.input_mask != bad.mask).flatten(1).any(dim=1)
    assert changed.float().mean() > 0.6
    assert torch.equal(bad.inputs[1], bad.input_mask)


def test_jpeg_changes_the_composite_alone(sources):
    shares = [Augmentation(jpeg=share) for share in (0.0, 1.0)]
    plain, compressed = (make(sources, range(40), 8, Mixture(augmentation=each)) for each in shares)
    for name in ("mask", "input_mask", "real", "extra"):
        assert torch.equal(getattr(compressed, name), getattr(plain, name))
    loss = (compressed.composite - plain.composite).abs().mean(dim=(1, 2, 3))
    assert (loss > 0.0005).all()
    assert (loss < 0.05).all()


def test_parts_are_small_and_whole_pictures_keep_their_coverage(sources):
    some = Mixture({"relight": 1.0}, Augmentation(part_of_object=1.0))
    assert make(sources, range(40), 8, some).mask.mean(dim=(1, 2, 3)).max() < 0.08
    whole = make(sources, range(60), 8, Mixture({"relight": 1.0}, Augmentation(uncropped=1.0)))
    coverage = (sources.photos.masks / 255).mean(dim=(1, 2, 3))
    nearest = (whole.mask.mean(dim=(1, 2, 3))[:, None] - coverage).abs().min(dim=1).values
    assert nearest.max() < 2e-3
    cropped = make(sources, range(60), 8, Mixture({"relight": 1.0})).mask.mean(dim=(1, 2, 3))
    assert cropped.max() > 1.3 * coverage.max()


def test_the_shares_of_the_kinds_are_those_of_the_recipe(sources, monkeypatch):
    shares = {"renditions": 2.0, "reinhard": 1.0, "nightfall": 1.0, "frames": 0.0}
    counts = {}
    imitate = batches.kinds.imitate

    def count(name, real, *rest):
        counts[name] = len(real)
        return imitate(name, real, *rest)

    monkeypatch.setattr(batches.kinds, "imitate", count)
    make(sources, range(400), 0, Mixture(shares))
    assert set(counts) == {"renditions", "reinhard", "nightfall"}
    for name, number in counts.items():
        assert abs(number / 400 - shares[name] / 4) < 0.07


def test_without_scenes_their_share_falls_to_the_others(sources):
    mixture = Mixture({"scenes": 3.0, "relight": 1.0})
    without = Sources(sources.photos, sources.similar)
    assert len(make(without, range(20), 4, mixture).composite) == 20
    alone = make(sources, range(20), 0, Mixture({"scenes": 1.0}))
    assert len(alone.composite) == 20
    assert alone.targets[-1].shape == (0, 3, SIZE, SIZE)


@pytest.mark.parametrize("name", REVERSIBLE)
def test_a_change_of_a_whole_frame_changes_the_background_about_half_of_the_time(sources, name):
    """Which it was tells the photograph: it is the foreground or the background of the composite."""
    made, plain = (make(sources, range(60), 0, Mixture({each: 1.0})) for each in (name, "reinhard"))
    moved = [not torch.equal(one, other) for one, other in zip(made.real, plain.real, strict=True)]
    assert 18 < sum(moved) < 42
    torch.testing.assert_close(made.mask, plain.mask)


def test_references_are_relit_as_often_as_photographs(sources):
    """Else the same few references would be known by their colours."""
    one = Sources.of(Photos(sources.photos.images[:2], sources.photos.masks[:2], np.zeros(2, np.int64)))
    index = np.zeros(30, np.int64)
    fixed, relit = (batches._references(one, index, draw(0, 0, range(30)), share)[0] for share in (0.0, 1.0))
    assert fixed.shape == (30, 3, 16, 16)
    assert fixed.flatten(1).unique(dim=0).shape[0] == 1
    assert relit.mean(dim=(2, 3)).std(dim=0).min() > 0.02


def test_extra_channels_go_with_their_photograph_and_are_not_distorted(sources):
    photos = sources.photos
    with_extra = replace(photos, images=torch.cat([photos.images, photos.images[:, :2]], dim=1))
    made = make(
        Sources(with_extra, sources.similar, sources.scenes), range(60), 20, Mixture({"reinhard": 1, "scenes": 1})
    )
    assert made.extra.shape == (60, 2, SIZE, SIZE)
    of_photographs = made.extra.flatten(1).amax(dim=1) > 0
    assert 25 < int(of_photographs.sum()) < 55
    torch.testing.assert_close(made.extra[of_photographs], made.real[of_photographs, :2], atol=1e-5, rtol=0)
    assert torch.equal(made.inputs[0], torch.cat([made.composite, made.extra], dim=1))
    assert (made.composite - made.real)[of_photographs].abs().max() > 0.1
    # A scene has no extra channels.
    assert of_photographs[:20].all()
    assert not of_photographs[-1]


def test_a_thinned_batch_has_every_second_pixel_of_all(sources):
    made = make(sources, range(8), 4)
    small = made.thin(2)
    assert isinstance(small, Batch)
    for name in PICTURES:
        assert torch.equal(getattr(small, name), getattr(made, name)[:, :, ::2, ::2])
        assert getattr(small, name).is_contiguous()
    for target, own in zip(small.targets, made.targets, strict=True):
        assert torch.equal(target, own[:, :, ::2, ::2])
    assert same(made.thin(1), made)
