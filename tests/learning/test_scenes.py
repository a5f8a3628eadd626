"""Composites of one place at two hours."""

import numpy as np
import pytest
import torch
from PIL import Image

from harmonizer.errors import ImageFileError
from harmonizer.evaluation.held_out import PLACES
from harmonizer.learning.composites.batches import Mixture, make_batch
from harmonizer.learning.composites.distortion import Distortion
from harmonizer.learning.composites.draws import draw
from harmonizer.learning.composites.sources.photos import read_photos
from harmonizer.learning.composites.sources.scenes import LEAST, MOST, Scenes, read_scenes
from harmonizer.learning.composites.sources.sources import Sources
from whitebox_filters import Cascade

HELD_OUT, EVENING = PLACES[0], (200, 240)


def write(folder, rows, columns="scene,image,masks,held_out"):
    """Pictures of one grey each, by their names, and the masks of a left and of a right half."""
    folder.mkdir(exist_ok=True)
    (folder / "index.csv").write_text("\n".join([columns, *rows]) + "\n")
    for left, name in ((True, "left.png"), (False, "right.png")):
        mask = np.zeros((24, 32), np.uint8)
        mask[:, slice(0, 12) if left else slice(20, 32)] = 255
        Image.fromarray(mask).save(folder / name)
    Image.fromarray(np.zeros((24, 32), np.uint8)).save(folder / "nothing.png")


def picture(folder, name, tone):
    Image.fromarray(np.full((24, 32, 3), tone, np.uint8)).save(folder / name)


@pytest.fixture
def folder(tmp_path):
    """Two places to learn from, by three and by two hours, and a held-out one."""
    hours = [("yard", 60), ("yard", 100), ("yard", 120), ("lake", 80), ("lake", 130)]
    hours += [(f"{HELD_OUT}_a", tone) for tone in EVENING]
    rows = [f"{scene},{tone}.png,left.png;right.png,{'' if tone in EVENING else 0}" for scene, tone in hours]
    write(tmp_path, rows)
    for _, tone in hours:
        picture(tmp_path, f"{tone}.png", tone)
    return tmp_path


def tones(scenes):
    """The greys of the pictures that lend their foreground and that are real, and the region of each pair."""
    grey = scenes.images[:, 0, 0, 0].tolist()
    return {(grey[first], grey[second], int(region)) for first, second, region in scenes.pairs}


def test_each_hour_lends_to_each_other_one_of_its_place(folder):
    scenes = read_scenes(folder, held_out=False)
    places = ([60, 100, 120], [80, 130])
    expected = {
        (first, second, 2 * number + side)
        for number, place in enumerate(places)
        for first in place
        for second in place
        for side in (0, 1)
        if first != second
    }
    assert tones(scenes) == expected
    assert len(scenes) == len(expected)
    assert scenes.images.shape == (5, 3, 256, 256)
    assert scenes.masks.shape == (4, 1, 256, 256)
    left, right = scenes.masks[0, 0] > 127, scenes.masks[1, 0] > 127
    assert left[:, :90].all()
    assert right[:, 170:].all()
    assert not (left & right).any()


def test_a_held_out_place_is_not_learned_from(folder):
    expected = {(first, second, side) for first, second in (EVENING, EVENING[::-1]) for side in (0, 1)}
    assert tones(read_scenes(folder, held_out=True)) == expected
    assert not set(EVENING) & set(read_scenes(folder, held_out=False).images.unique().tolist())


def test_a_composite_has_its_foreground_from_one_hour_and_all_else_from_another(folder, sources):
    scenes = read_scenes(folder, held_out=False)
    mixture = Mixture({"scenes": 1.0})
    everything = Sources(sources.photos, sources.similar, scenes)
    made = make_batch(everything, Distortion.of(Cascade()), 32, mixture, draw(0, 0, range(40)), 0)
    allowed = {(first, second) for first, second, _ in tones(scenes)}
    chosen = set()
    for composite, mask, real in zip(made.composite, made.mask, made.real, strict=True):
        inside, outside = mask[0] == mask.max(), mask[0] == 0
        background = set((255 * real).round().unique().tolist())
        assert len(background) == 1
        assert torch.equal(composite[:, outside], real[:, outside])
        (foreground,) = (255 * composite[:, inside]).round().unique().tolist()
        chosen.add((foreground, *background))
    assert chosen == allowed
    assert all(torch.equal(mask, seen) for mask, seen in zip(made.mask, made.input_mask, strict=True))


def test_pairs_that_clip_hardly_change_or_change_too_much_are_left_out(tmp_path):
    greys = {"a": 100, "b": 100 + round(LEAST) - 2, "c": 150, "d": 105 + round(MOST), "white": 255, "black": 0}
    write(tmp_path, [f"yard,{name}.png,left.png,0" for name in greys])
    for name, tone in greys.items():
        picture(tmp_path, f"{name}.png", tone)
    greys = [greys[name] for name in "abcd"]
    expected = {(first, second) for first in greys for second in greys if LEAST < abs(first - second) < MOST}
    assert (100, 150) in expected
    assert (100, greys[3]) not in expected
    assert {pair[:2] for pair in tones(read_scenes(tmp_path, held_out=False))} == expected


def test_a_foreground_of_which_much_is_white_is_no_pair(tmp_path):
    for columns, pairs in ((2, 2), (6, 0)):
        write(tmp_path, ["yard,a.png,left.png,0", "yard,b.png,left.png,0"])
        picture(tmp_path, "a.png", 140)
        bright = np.full((24, 32, 3), 150, np.uint8)
        bright[:, :columns] = 255  # of the twelve of the region
        Image.fromarray(bright).save(tmp_path / "b.png")
        scenes = read_scenes(tmp_path, held_out=False)
        assert (0 if scenes is None else len(scenes)) == pairs


def test_what_changes_outside_the_region_alone_is_no_pair(tmp_path):
    write(tmp_path, ["yard,a.png,left.png,0", "yard,b.png,left.png,0"])
    picture(tmp_path, "a.png", 100)
    other = np.full((24, 32, 3), 100, np.uint8)
    other[:, 20:] = 200
    Image.fromarray(other).save(tmp_path / "b.png")
    assert read_scenes(tmp_path, held_out=False) is None


@pytest.mark.parametrize("masks", ["", "nothing.png"])
def test_a_scene_without_a_region_makes_none(tmp_path, masks):
    write(tmp_path, [f"yard,{tone}.png,{masks},0" for tone in (60, 120)], "scene,image,mask,held_out")
    for tone in (60, 120):
        picture(tmp_path, f"{tone}.png", tone)
    assert read_scenes(tmp_path, held_out=False) is None


def test_without_scenes_there_are_none(photo_folder, folder):
    assert read_scenes(photo_folder, held_out=False) is None
    write(folder, ["yard,60.png,left.png,1", "yard,100.png,left.png,1"])
    assert read_scenes(folder, held_out=False) is None
    assert len(read_scenes(folder, held_out=True)) == 2


def test_scenes_are_no_photographs(photo_folder, folder, tmp_path):
    lines = (photo_folder / "index.csv").read_text().splitlines()[1:]
    (folder / "photos").symlink_to(photo_folder)
    lines = [f"photos/{image},photos/{mask}" for image, mask in (line.split(",") for line in lines)]
    rows = (folder / "index.csv").read_text().splitlines()
    places = [
        f"{scene},{image},left.png,{masks},{side}" for scene, image, masks, side in (row.split(",") for row in rows[1:])
    ]
    both = ["scene,image,mask,masks,held_out", *places, *(f",{line},," for line in lines)]
    (folder / "index.csv").write_text("\n".join(both))
    photos = [read_photos(folder, held_out=side) for side in (False, True)]
    assert sum(map(len, photos)) == len(lines)
    assert len(read_scenes(folder, held_out=False)) == 16


def test_scenes_of_one_name_in_two_collections_are_two_places(tmp_path):
    for name, pair in (("first", (60, 120)), ("second", (80, 140))):
        write(tmp_path / name, [f"yard,{tone}.png,left.png,0" for tone in pair])
        for tone in pair:
            picture(tmp_path / name, f"{tone}.png", tone)
    scenes = read_scenes(tmp_path, held_out=False)
    assert {frozenset(pair[:2]) for pair in tones(scenes)} == {frozenset((60, 120)), frozenset((80, 140))}
    assert set(scenes.sources.tolist()) == {0, 1}


def test_a_picture_that_cannot_be_read_is_named(folder):
    (folder / "100.png").write_bytes(b"no picture")
    with pytest.raises(ImageFileError, match=r"cannot be read.*100\.png"):
        read_scenes(folder, held_out=False)


def test_regions_come_alike_often_however_many_hours_they_have_and_collections_by_their_roots():
    many = [(first, second, 0) for first in range(5) for second in range(5) if first != second]
    few = [(5, 6, region) for region in (1, 2, 3, 4)]
    pairs, sources = np.array(many + few), np.array([0] * 20 + [0, 0, 0, 1])
    images, masks = torch.zeros(7, 3, 4, 4, dtype=torch.uint8), torch.zeros(5, 1, 4, 4, dtype=torch.uint8)
    chosen = Scenes(images, masks, pairs, sources).choose(draw(0, 0, range(6000)))
    assert {tuple(row) for row in chosen.tolist()} == {tuple(row) for row in pairs.tolist()}
    shares = np.bincount(chosen[:, 2], minlength=5) / 6000
    # Four regions of one collection and one of another: 2 to 1.
    np.testing.assert_allclose(shares, [1 / 6] * 4 + [1 / 3], atol=0.02)
    first_region = chosen[chosen[:, 2] == 0]
    assert np.unique(first_region, axis=0, return_counts=True)[1].min() > 20


def test_scenes_go_to_a_device_with_all_they_have(folder):
    scenes = read_scenes(folder, held_out=False).to(torch.device("meta"))
    assert scenes.images.device.type == scenes.masks.device.type == "meta"
    assert len(scenes) == 16
