"""Which photographs are trained on, and which masks."""

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from harmonizer.errors import ImageFileError
from harmonizer.evaluation.held_out import SOURCES, is_held_out
from harmonizer.learning.composites.sources.photos import SEGMENTS, read_photos


@pytest.fixture
def folder(photo_folder, tmp_path):
    """A copy of the photographs, for an index of its own."""
    return shutil.copytree(photo_folder, tmp_path / "copy")


def read_index(folder):
    return list(csv.DictReader((folder / "index.csv").read_text().splitlines()))


def write_index(folder, rows):
    with (folder / "index.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, sorted({name for row in rows for name in row}), restval="")
        writer.writeheader()
        writer.writerows(rows)


def sides(folder):
    return [read_photos(folder, held_out=side) for side in (False, True)]


def test_photographs_are_held_out_by_name(photo_folder):
    trained, tested = sides(photo_folder)
    assert len(trained) + len(tested) == 40
    assert len(tested) == sum(is_held_out(row) for row in read_index(photo_folder))
    assert trained.images.shape[1:] == (3, 256, 256)
    assert trained.masks.shape[1:] == (1, 256, 256)
    assert trained.images.dtype == trained.masks.dtype == torch.uint8


def test_a_photograph_and_its_mask_are_squashed_to_one_size(photo_folder):
    trained, _ = sides(photo_folder)
    first = next(row for row in read_index(photo_folder) if not is_held_out(row))
    with Image.open(photo_folder / first["image"]) as picture:
        plain = np.asarray(picture.resize((256, 256), Image.Resampling.BILINEAR))
    assert np.array_equal(trained.images[0].permute(1, 2, 0).numpy(), plain)
    inside = trained.masks[0, 0] > 127
    assert inside[66:190, 66:190].all()
    assert float(inside.float().mean()) == pytest.approx(0.25, abs=0.01)


def test_a_column_holds_out_what_it_says(folder):
    rows = read_index(folder)
    write_index(folder, [row | {"held_out": str(int(index < 7))} for index, row in enumerate(rows)])
    trained, tested = sides(folder)
    assert (len(trained), len(tested)) == (33, 7)
    assert torch.equal(tested.images[0], torch.from_numpy(read(folder / rows[0]["image"])).permute(2, 0, 1))


def read(path):
    with Image.open(path) as picture:
        return np.array(picture.convert("RGB").resize((256, 256), Image.Resampling.BILINEAR))


def test_a_copy_of_a_held_out_photograph_is_not_trained_on(folder):
    rows = read_index(folder)
    tested = next(row for row in rows if is_held_out(row))
    trained = next(row for row in rows if not is_held_out(row))
    copies = ["copy_a.png", "copy_b.png", "copy_c.png"]
    assert not any(is_held_out({"image": copy}) for copy in copies)
    with Image.open(folder / tested["image"]) as picture:
        picture.save(folder / copies[0])
        picture.point([round(0.6 * value + 30) for value in range(256)] * 3).save(folder / copies[1])
    with Image.open(folder / trained["image"]) as picture:
        picture.save(folder / copies[2])  # two of those trained on may be alike
    before = [len(photos) for photos in sides(folder)]
    write_index(folder, rows + [{"image": copy, "mask": rows[0]["mask"]} for copy in copies])
    assert [len(photos) for photos in sides(folder)] == [before[0] + 1, before[1]]


def test_a_copy_in_another_collection_is_not_trained_on_either(folder, tmp_path):
    both = tmp_path / "both"
    for name, held_out in (("first", "1"), ("second", "0")):
        shutil.copytree(folder, both / name)
        write_index(both / name, [row | {"held_out": held_out} for row in read_index(folder)[:10]])
    with pytest.raises(ImageFileError):
        read_photos(both, held_out=False)
    assert len(read_photos(both, held_out=True)) == 10


def test_a_folder_of_folders_is_read_as_one_and_each_is_a_collection(photo_folder, folder, tmp_path):
    rows = [row | {"held_out": "0"} for row in read_index(photo_folder)]
    both = tmp_path / "both"
    for name, part in (("first", rows[:12]), ("second", rows[12:16])):
        shutil.copytree(photo_folder, both / name)
        write_index(both / name, part)
    (both / "no_collection").mkdir()
    photos = read_photos(both, held_out=False)
    assert np.bincount(photos.sources).tolist() == [12, 4]
    Image.new("RGB", (80, 60)).save(both / "first" / rows[0]["image"])
    assert np.bincount(read_photos(both, held_out=False).sources).tolist() == [11, 4]
    write_index(both / "first", [row | {"source": f"{index % 3}"} for index, row in enumerate(rows[:12])])
    assert np.bincount(read_photos(both, held_out=False).sources).tolist() == [3, 4, 4, 4]


@pytest.mark.parametrize("source", SOURCES[:2])
def test_a_collection_that_is_held_out_whole_is_not_trained_on(folder, tmp_path, source):
    both = tmp_path / "both"
    for name, part in ((source, slice(5)), ("other", slice(5, 40))):
        shutil.copytree(folder, both / name)
        write_index(both / name, read_index(folder)[part])
    trained, tested = sides(both)
    assert len(trained) + len(tested) == 40
    assert len(tested) >= 5
    first = torch.from_numpy(read(both / source / "0.jpg")).permute(2, 0, 1)
    assert any(torch.equal(image, first) for image in tested.images)


def test_a_photograph_without_a_mask_is_trained_on_by_its_segments_and_never_held_out(folder):
    write_index(folder, [row | {"mask": ""} for row in read_index(folder)[:14]])
    photos = read_photos(folder, held_out=False)
    assert len(photos) > 14
    assert photos.images.flatten(1).unique(dim=0, return_counts=True)[1].max() <= SEGMENTS
    coverage = (photos.masks > 127).float().mean(dim=(1, 2, 3))
    assert coverage.min() > 0.005
    assert coverage.max() < 0.4
    assert len(coverage.unique()) > 10
    assert torch.equal(photos.masks, read_photos(folder, held_out=False).masks)
    with pytest.raises(ImageFileError, match=r"index\.csv"):
        read_photos(folder, held_out=True)


def test_masks_and_segments_go_with_their_photographs(folder):
    """Each photograph has its own tone at one corner of its mask or segment."""
    rows = [row for row in read_index(folder) if not is_held_out(row)]
    halves = [rows[index] | ({"mask": ""} if index % 2 else {}) for index in range(8)]
    write_index(folder, halves)
    photos = read_photos(folder, held_out=False)
    for row in halves:
        picture = torch.from_numpy(read(folder / row["image"])).permute(2, 0, 1)
        mine = [index for index in range(len(photos)) if torch.equal(photos.images[index], picture)]
        masks = photos.masks[mine]
        if row["mask"]:
            assert len(mine) == 1
            assert float(masks.float().mean() / 255) == pytest.approx(0.25, abs=0.01)
        else:
            assert len(mine) <= SEGMENTS
            assert all(abs(float(mask.float().mean()) / 255 - 0.25) > 1e-3 for mask in masks)


def test_foregrounds_without_texture_are_left_out_of_training_alone(folder):
    rows = read_index(folder)
    plain = next(row for row in rows if not is_held_out(row)), next(row for row in rows if is_held_out(row))
    before = [len(photos) for photos in sides(folder)]
    for row in plain:
        pixels = read(folder / row["image"])
        pixels[40:216, 40:216] = 120
        Image.fromarray(pixels).save(folder / row["image"], quality=95)
    assert [len(photos) for photos in sides(folder)] == [before[0] - 1, before[1]]


def test_a_picture_of_no_parts_serves_for_nothing(folder):
    rows = read_index(folder)
    Image.new("RGB", (80, 60), (90, 120, 150)).save(folder / "plain.png")
    before = len(read_photos(folder, held_out=False))
    write_index(folder, [*rows, {"image": "plain.png", "mask": ""}])
    assert len(read_photos(folder, held_out=False)) == before


@pytest.mark.parametrize("index", ["", "picture,mask\n1.jpg,1.png\n", "image,mask\nmissing.jpg,missing.png\n"])
def test_a_folder_without_photographs_is_refused(tmp_path, index):
    (tmp_path / "index.csv").write_text(index)
    with pytest.raises(ImageFileError, match=r"index\.csv"):
        read_photos(tmp_path, held_out=False)


def test_a_folder_without_an_index_is_refused(tmp_path):
    (tmp_path / "photos").mkdir()
    with pytest.raises(ImageFileError, match="in it or in folders within it"):
        read_photos(tmp_path, held_out=False)


def test_what_is_no_picture_is_refused(folder):
    row = next(row for row in read_index(folder) if not is_held_out(row))
    (folder / row["image"]).write_bytes(b"no picture")
    with pytest.raises(ImageFileError, match=row["image"]):
        read_photos(folder, held_out=False)


def test_a_folder_of_plain_foregrounds_alone_is_refused(folder):
    for row in read_index(folder):
        Image.new("RGB", (80, 60), (90, 120, 150)).save(folder / row["image"])
    write_index(folder, [row | {"held_out": "0"} for row in read_index(folder)])
    with pytest.raises(ImageFileError):
        read_photos(folder, held_out=False)


@pytest.fixture
def folder_with_extra(folder):
    """The photographs by the same names, by which some are held out, each with its red and green as extra channels."""
    rows = read_index(folder)
    for row in rows:
        with Image.open(folder / row["image"]) as picture:
            red, green, _ = picture.split()
        row["extra"] = f"{Path(row['image']).stem}_extra.png"
        Image.merge("LA", (red, green)).save(folder / row["extra"])
    write_index(folder, rows)
    return folder


def test_extra_channels_follow_those_of_the_photograph(folder_with_extra):
    photos = read_photos(folder_with_extra, held_out=False, channels=5)
    assert photos.images.shape[1:] == (5, 256, 256)
    assert torch.equal(photos.images[:, 3:], photos.images[:, :2])
    with pytest.raises(ImageFileError, match="5 channels, extra ones included, and the network takes 3"):
        read_photos(folder_with_extra, held_out=False)


def test_extra_channels_of_more_bits_are_refused(folder_with_extra):
    for file in folder_with_extra.glob("*_extra.png"):
        Image.fromarray(np.zeros((60, 80), np.uint16)).save(file)
    with pytest.raises(ImageFileError, match="uint16 channels"):
        read_photos(folder_with_extra, held_out=False, channels=4)


def test_photographs_go_to_a_device_with_all_they_have(photo_folder):
    photos = read_photos(photo_folder, held_out=True)
    moved = photos.to(torch.device("meta"))
    assert moved.images.device.type == moved.masks.device.type == "meta"
    assert len(moved) == len(photos)
    assert np.array_equal(moved.sources, photos.sources)
