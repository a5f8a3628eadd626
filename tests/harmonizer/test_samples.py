from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from harmonizer import EvaluationError, ImageFileError
from harmonizer.samples import DRAWS, Sample, is_held_out, read_samples, resize

MASK = np.zeros((12, 16), np.uint8)
MASK[3:9, 4:12] = 255
REAL = np.full((12, 16, 3), 100, np.uint8)
COMPOSITE = np.where(MASK[..., None] > 0, np.uint8(50), REAL)


def save(path: Path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def iharmony4(tmp_path):
    for name, subset in (("a1_1_2", "HAdobe5k"), ("f2_1_1", "HFlickr"), ("f2_1_3", "HFlickr")):
        stem = name.split("_")[0]
        save(tmp_path / subset / "composite_images" / f"{name}.png", COMPOSITE)
        save(tmp_path / subset / "masks" / f"{stem}_1.png", MASK)
        save(tmp_path / subset / "real_images" / f"{stem}.png", REAL)
    return tmp_path


def names(samples):
    return [(sample.subset, sample.name) for sample in samples]


def test_iharmony4_pairs_composite_mask_and_real_picture(iharmony4):
    samples = list(read_samples(iharmony4, "iharmony4"))
    assert names(samples) == [("HAdobe5k", "a1_1_2"), ("HFlickr", "f2_1_1"), ("HFlickr", "f2_1_3")]
    for sample in samples:
        assert np.array_equal(sample.composite, COMPOSITE)
        assert np.array_equal(sample.real, REAL)
        assert np.array_equal(sample.foreground, MASK > 0)
    assert names(read_samples(iharmony4 / "HFlickr", "iharmony4")) == [("HFlickr", "f2_1_1"), ("HFlickr", "f2_1_3")]


def test_a_test_list_decides_which_composites_of_its_subset_count(iharmony4):
    (iharmony4 / "HFlickr" / "HFlickr_test.txt").write_text("f2_1_3.png\n\n")
    assert names(read_samples(iharmony4, "iharmony4")) == [("HAdobe5k", "a1_1_2"), ("HFlickr", "f2_1_3")]
    (iharmony4 / "HFlickr" / "HFlickr_test.txt").write_text("f9_1_1.png\n")
    with pytest.raises(ImageFileError, match="f9_1"):
        list(read_samples(iharmony4, "iharmony4"))


def test_a_missing_mask_is_named(iharmony4):
    (iharmony4 / "HFlickr" / "masks" / "f2_1.png").unlink()
    with pytest.raises(ImageFileError, match=r"f2_1\.\* is missing"):
        list(read_samples(iharmony4, "iharmony4"))


def test_a_real_picture_of_another_size_is_refused(iharmony4):
    save(iharmony4 / "HFlickr" / "real_images" / "f2.png", REAL[:-1])
    with pytest.raises(ImageFileError, match="differ in size"):
        list(read_samples(iharmony4, "iharmony4"))


def test_triples_lie_side_by_side(tmp_path):
    for kind, pixels in (("composite", COMPOSITE), ("mask", MASK), ("real", np.dstack([REAL, MASK]))):
        save(tmp_path / f"7_{kind}.png", pixels)
    (sample,) = read_samples(tmp_path, "triples")
    assert sample.name == "7"
    assert np.array_equal(sample.composite, COMPOSITE)
    assert np.array_equal(sample.real, REAL)


@pytest.mark.parametrize(
    ("layout", "error", "says"),
    [
        ("iharmony4", ImageFileError, "holds no composite_images/"),
        ("triples", ImageFileError, "holds no NAME_composite"),
        ("photos", ImageFileError, "holds no index.csv"),
        ("folder", EvaluationError, "no layout is named 'folder'; there are iharmony4, photos, triples"),
    ],
)
def test_what_is_not_there_is_named(tmp_path, layout, error, says):
    with pytest.raises(error, match=says):
        list(read_samples(tmp_path, layout))


def test_held_out_photographs_are_distorted_the_same_way_each_time(tmp_path):
    random = np.random.default_rng(0)
    photographs = [f"{index}.png" for index in range(60)]
    save(tmp_path / "mask.png", MASK)
    for name in photographs:
        save(tmp_path / name, random.integers(60, 180, (12, 16, 3), dtype=np.uint8))
    (tmp_path / "index.csv").write_text("image,mask\n" + "".join(f"{name},mask.png\n" for name in photographs))
    first, second = (list(read_samples(tmp_path, "photos")) for _ in range(2))
    assert len(first) == DRAWS * sum(map(is_held_out, photographs))
    assert 0 < len(first) < 12 * DRAWS
    assert len({sample.composite.tobytes() for sample in first}) == len(first)
    assert [sample.name for sample in first[:DRAWS]] == [f"mask_{draw}" for draw in range(1, DRAWS + 1)]
    for a, b in zip(first, second, strict=True):
        assert np.array_equal(a.composite, b.composite)
        assert not np.array_equal(a.composite, a.real)
        assert np.array_equal(a.composite[MASK == 0], a.real[MASK == 0])


def test_resizing_squashes_all_three_with_antialiasing():
    rows = np.arange(400) % 2 * np.uint8(200)
    picture = np.broadcast_to(rows[:, None, None], (400, 300, 3)).astype(np.uint8)
    mask = np.zeros((400, 300), np.float32)
    mask[:200] = 1
    small = resize(Sample("a", "b", picture, mask, picture), 20)
    assert small.composite.shape == small.real.shape == (20, 20, 3)
    assert np.abs(small.composite.astype(int) - 100).max() <= 2
    assert small.mask.dtype == np.float32
    assert small.foreground[:10].all()
    assert not small.foreground[10:].any()
