"""What a batch is made of, and that seed and step alone decide it."""

from dataclasses import replace

import pytest
import torch

from harmonizer.learning import data, record, synthesis
from harmonizer.learning.augment import Augmentation
from harmonizer.learning.recipes import Recipe
from whitebox_filters import Cascade

CASCADE = Cascade(["brightness"])
RECIPE = Recipe(batch_size=16, steps=4, sizes=((1.0, 32),), augmentation=Augmentation(light=0.5, cut=0.5, jpeg=0.5))


@pytest.fixture(scope="module")
def photos(photo_folder):
    return data.read_photos(photo_folder, held_out=False)


def make(photos, recipe=RECIPE, steps=range(4), shards=range(2), workers=1):
    return list(data.batches(photos, CASCADE, recipe, steps, shards, workers))


def same(first, second):
    return torch.equal(first.composite, second.composite) and torch.equal(first.seen, second.seen)


def test_a_step_has_its_batch_wherever_the_run_begins_and_whoever_makes_it(photos):
    whole = make(photos)
    assert len(whole) == 4
    assert not same(whole[0], whole[1])
    assert all(map(same, whole, make(photos, workers=3)))
    assert all(map(same, whole[2:], make(photos, steps=range(2, 4))))
    assert not same(whole[0], make(photos, replace(RECIPE, seed=1), steps=range(1))[0])


def test_two_processes_make_the_batch_of_one_between_them(photos):
    whole, first, second = (
        make(photos, steps=range(1), shards=shards)[0] for shards in (range(2), range(1), range(1, 2))
    )
    assert len(whole.composite) == 16
    assert same(whole, data.join([first, second]))
    assert not same(first, second)
    stepwise = len(whole.targets[0])
    assert stepwise == 8
    assert torch.equal(whole.targets[-1], whole.real[:stepwise])
    assert torch.equal(whole.composite[:4], first.composite[:4])
    assert torch.equal(whole.composite[4:8], second.composite[:4])


def batch(photos, names=("relight",), **shares):
    generator = torch.Generator().manual_seed(0)
    return data.make_batch(photos, CASCADE, 64, 32, generator, augmentation=Augmentation(**shares), names=names)


def outside(made):
    """The greatest difference between composite and real where the mask is 0."""
    return float(((made.composite - made.real).abs() * (made.mask == 0)).max())


def test_composite_and_goal_share_the_background_whatever_was_changed(photos):
    for shares in ({}, {"light": 1.0}, {"cut": 1.0}, {"part": 1.0}, {"misseen": 1.0}):
        assert outside(batch(photos, names=synthesis.RECIPES, **shares)) == 0
    assert outside(batch(photos, jpeg=1.0)) > 0


def test_a_bad_mask_is_shown_to_the_network_alone(photos):
    plain, bad = batch(photos), batch(photos, misseen=1.0)
    assert torch.equal(plain.seen, plain.mask)
    assert torch.equal(bad.mask, plain.mask)
    assert torch.equal(bad.composite, plain.composite)
    changed = (bad.seen != bad.mask).flatten(1).any(dim=1)
    assert changed.float().mean() > 0.6


def test_parts_are_small_and_whole_pictures_keep_their_coverage(photos):
    assert batch(photos, part=1.0).mask.mean(dim=(1, 2, 3)).max() < 0.08
    coverage = batch(photos, whole=1.0).mask.mean(dim=(1, 2, 3))
    torch.testing.assert_close(coverage, torch.full_like(coverage, 0.25), atol=0.01, rtol=0)


def test_an_adjustment_changes_the_background_as_often_as_the_foreground(photos):
    """At night what is darker of foreground and background was changed: the target tells which."""
    made = batch(photos, names=("nightfall",))
    night, goal = made.composite[32:], made.real[32:]
    darker = ((night - goal) * made.mask[32:]).sum(dim=(1, 2, 3)) < 0
    assert 8 < int(darker.sum()) < 24


def test_a_reference_is_sought_among_three_for_a_like_hue(photos):
    generator = torch.Generator().manual_seed(0)
    picture, mask = data.draw(photos, torch.tensor([3]), 32, generator)
    generator.manual_seed(0)
    three = torch.randint(len(photos), (3,), generator=generator)
    generator.manual_seed(0)
    reference, _ = data._reference(photos, picture, mask, generator)
    hues = data._hue(photos.images[three, :, ::4, ::4] / 255, photos.masks[three, :, ::4, ::4] / 255)
    nearest = int((hues - data._hue(picture, mask)).norm(dim=1).argmin())
    assert torch.equal(reference[0], photos.images[three[nearest], :, ::4, ::4] / 255)


def test_a_resumed_log_forgets_what_is_done_again(tmp_path):
    log = tmp_path / "log.jsonl"
    log.write_text('{"step": 1, "final": 0.5}\n{"step": 2, "final": 0.4}\n{"step": 3, "fin')
    with record.Recorder(tmp_path, RECIPE, CASCADE.names, 1) as recorder:
        for step in (2, 3, 4):
            recorder.step(step, {"final": float(step)})
    first, second = log.read_text().splitlines()
    assert first == '{"step": 1, "final": 0.5}'
    assert second.startswith('{"step": 4, "final": 3.0, "images_per_second":')
