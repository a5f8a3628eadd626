"""What a batch is made of, and that seed and step alone decide it."""

import csv
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from harmonizer.errors import ImageFileError
from harmonizer.learning import data, record, run, synthesis
from harmonizer.learning.augment import Augmentation
from harmonizer.learning.model import ModelConfig, load
from harmonizer.learning.photos import Photos, read_photos
from harmonizer.learning.recipes import Recipe
from whitebox_filters import Cascade

CASCADE = Cascade(["brightness"])
RECIPE = Recipe(batch_size=16, steps=4, sizes=((1.0, 32),), augmentation=Augmentation(light=0.5, cut=0.5, jpeg=0.5))


@pytest.fixture(scope="module")
def photos(photo_folder):
    return read_photos(photo_folder, held_out=False)


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
    reference, reference_mask = data._reference(photos, picture, mask, generator)
    hues = data._hue(photos.images[three, :, ::4, ::4] / 255, photos.masks[three, :, ::4, ::4] / 255)
    nearest = int((hues - data._hue(picture, mask)).norm(dim=1).argmin())
    whole = photos.images[three[nearest], :, ::4, ::4] / 255
    height, width = reference.shape[2:]
    crops = whole.unfold(1, height, 1).unfold(2, width, 1)
    assert (crops == reference[0, :, None, None]).all(dim=(0, 3, 4)).any()
    assert reference_mask.shape == (1, 1, height, width)


def test_the_same_photograph_lends_other_colours_each_time(photos):
    """Else the colours of a foreground would tell which photograph it imitates."""
    one = Photos(photos.images[:1], photos.masks[:1])
    picture, mask = data.draw(photos, torch.tensor([3]), 32, torch.Generator().manual_seed(0))

    def lent(seed, light):
        image, region = data._reference(one, picture, mask, torch.Generator().manual_seed(seed), light)
        return (image * region).sum(dim=(0, 2, 3)) / region.sum()

    for light in (0.0, 1.0):
        colours = torch.stack([lent(seed, light) for seed in range(8)])
        assert len(colours.unique(dim=0)) > 1
    assert (colours.std(dim=0) > 0.02).all()


@pytest.fixture
def guided_folder(photo_folder, tmp_path):
    """The photographs by the same names, by which some are held out, each with its red and green as a guide."""
    folder = shutil.copytree(photo_folder, tmp_path / "guided")
    lines = ["image,mask,guide"]
    for row in csv.DictReader((folder / "index.csv").read_text().splitlines()):
        with Image.open(folder / row["image"]) as picture:
            red, green, _ = picture.split()
        guide = f"{Path(row['image']).stem}_guide.png"
        Image.merge("LA", (red, green)).save(folder / guide)
        lines.append(f"{row['image']},{row['mask']},{guide}")
    (folder / "index.csv").write_text("\n".join(lines) + "\n")
    return folder


def test_a_guide_goes_with_its_photograph_and_is_not_distorted(guided_folder):
    made = batch(read_photos(guided_folder, held_out=False, channels=5))
    assert made.guides.shape == (64, 2, 32, 32)
    torch.testing.assert_close(made.guides[:32], made.real[:32, :2], atol=0.02, rtol=0)
    composite, _ = made.inputs
    assert torch.equal(composite, torch.cat([made.composite, made.guides], dim=1))
    assert (made.composite - made.real).abs().max() > 0.1


def test_a_guide_of_more_bits_is_refused(guided_folder):
    for guide in guided_folder.glob("*_guide.png"):
        Image.fromarray(np.zeros((60, 80), np.uint16)).save(guide)
    with pytest.raises(ImageFileError, match="uint16 channels"):
        read_photos(guided_folder, held_out=False, channels=4)


def test_a_network_learns_from_guides(guided_folder, tmp_path):
    network = ModelConfig(encoder="mobilenetv3_small_050", input_size=32, channels=5)
    recipe = replace(RECIPE, model=network, pretrained=False, steps=2)
    run.run(recipe, guided_folder, tmp_path / "run", resume=False)
    assert load(tmp_path / "run").config.channels == 5
    with pytest.raises(ImageFileError, match="5 channels with their guides, and the network takes 3"):
        run.run(replace(recipe, model=replace(network, channels=3)), guided_folder, tmp_path / "other", resume=False)


def test_a_resumed_log_forgets_what_is_done_again(tmp_path):
    log = tmp_path / "log.jsonl"
    log.write_text('{"step": 1, "final": 0.5}\n{"step": 2, "final": 0.4}\n{"step": 3, "fin')
    with record.Recorder(tmp_path, RECIPE, CASCADE.names, 1) as recorder:
        for step in (2, 3, 4):
            recorder.step(step, {"final": float(step)})
    first, second = log.read_text().splitlines()
    assert first == '{"step": 1, "final": 0.5}'
    assert second.startswith('{"step": 4, "final": 3.0, "images_per_second":')


def test_a_photograph_without_a_mask_is_trained_on_by_its_segments_and_never_held_out(photo_folder, tmp_path):
    index = (photo_folder / "index.csv").read_text()
    for file in photo_folder.iterdir():
        (tmp_path / file.name).symlink_to(file)
    (tmp_path / "index.csv").unlink()
    lines = index.splitlines()
    (tmp_path / "index.csv").write_text("\n".join([lines[0], *(line.split(",")[0] + "," for line in lines[1:])]))
    photos = read_photos(tmp_path, held_out=False)
    assert len(photos) == 40
    assert photos.masks.max() == 0
    made = make(photos)[0]
    coverage = made.mask.mean(dim=(1, 2, 3))
    assert coverage.max() > 0.01
    assert (made.composite - made.real).abs().max() > 0.05
    with pytest.raises(ImageFileError, match=r"index\.csv"):
        read_photos(tmp_path, held_out=True)


def test_a_plain_foreground_gives_way_to_segments_if_it_is_asked_for():
    halves = torch.randint(0, 256, (8, 3, 256, 256), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    halves[..., :128] = 128
    masks = torch.zeros(8, 1, 256, 256, dtype=torch.uint8)
    masks[..., 16:112] = 255

    def masks_of(augmentation):
        generator = torch.Generator().manual_seed(1)
        photos = Photos(halves, masks)
        return data.make_batch(photos, CASCADE, 8, 64, generator, augmentation=augmentation, names=["retouch"]).mask

    assert (masks_of(Augmentation(whole=1)).mean(dim=(1, 2, 3)) - 96 / 256).abs().max() < 0.02
    given = masks_of(Augmentation(whole=1))
    assert not torch.isclose(masks_of(Augmentation(whole=1, textured=True)), given).all(dim=3).any()
