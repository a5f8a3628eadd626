from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from harmonizer import EvaluationError, ImageFileError
from harmonizer.evaluation.held_out import is_held_out
from harmonizer.evaluation.samples import DRAWS, PAIRS, Sample, read_photos, read_samples, resize

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
        ("transfers", ImageFileError, "holds no index.csv"),
        ("scenes", ImageFileError, r"holds no index.csv \(columns scene, image, what_varies, masks\)"),
        (
            "folder",
            EvaluationError,
            "no layout is named 'folder'; there are iharmony4, photos, scenes, transfers, triples",
        ),
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
    assert len(first) == DRAWS * sum(is_held_out({"image": name}) for name in photographs)
    assert 0 < len(first) < 12 * DRAWS
    assert len({sample.composite.tobytes() for sample in first}) == len(first)
    assert [sample.name for sample in first[:DRAWS]] == [f"mask_{draw}" for draw in range(1, DRAWS + 1)]
    for a, b in zip(first, second, strict=True):
        assert np.array_equal(a.composite, b.composite)
        assert not np.array_equal(a.composite, a.real)
        assert np.array_equal(a.composite[MASK == 0], a.real[MASK == 0])


def write_photographs(folder: Path, count: int, sources: tuple[str, ...] = ("",)) -> list[dict[str, str]]:
    """Photographs of one hue and several brightnesses, whose index.csv has the columns image, mask and source."""
    random = np.random.default_rng(0)
    rows = [
        {"image": f"{index}.png", "mask": f"m{index}.png", "source": sources[index % len(sources)]}
        for index in range(count)
    ]
    for row in rows:
        light = random.uniform(0.6, 1.4) * random.uniform(60, 120, (12, 16, 1))
        save(folder / row["image"], (light * (1.2, 1, 0.8)).clip(0, 255).astype(np.uint8))
        save(folder / row["mask"], MASK)
    lines = [",".join(row.values()) for row in rows]
    (folder / "index.csv").write_text("\n".join(["image,mask,source", *lines]))
    return rows


def test_sources_that_are_held_out_whole_are_there_whole(tmp_path):
    rows = write_photographs(tmp_path, 40, ("panda: someone/pandas", "cats: someone/cats"))
    stems = {sample.name.rpartition("_")[0] for sample in read_samples(tmp_path, "photos")}
    assert stems >= {Path(row["mask"]).stem for row in rows[::2]}
    assert len(stems) < len(rows)


def test_a_subset_takes_as_much_of_each_source_and_the_same_first_draw(tmp_path):
    rows = write_photographs(tmp_path, 40, ("panda: a/b", "panda: a/b", "panda: a/b", "horses: a/b"))
    source = {Path(row["mask"]).stem: row["source"] for row in rows}
    few = list(read_photos(tmp_path, draws=1, at_most=10))
    chosen = [source[sample.name.rpartition("_")[0]] for sample in few]
    assert sorted(chosen) == ["horses: a/b"] * 5 + ["panda: a/b"] * 5
    every = {sample.name: sample for sample in read_samples(tmp_path, "photos")}
    for sample in few:
        assert np.array_equal(sample.composite, every[sample.name].composite)
    assert len(list(read_photos(tmp_path, draws=1, at_most=99))) == len(rows)


def test_transfers_recolour_held_out_foregrounds_alone_and_the_same_way_each_time(tmp_path):
    rows = write_photographs(tmp_path, 60, ("panda: a/b", "cats: a/b"))
    first, second = (list(read_samples(tmp_path, "transfers")) for _ in range(2))
    assert len(first) > 10
    held_out = {Path(row["mask"]).stem for row in rows if is_held_out(row)}
    assert {sample.name.rpartition("_")[0] for sample in first} <= held_out
    assert {sample.name.rpartition("_")[2] for sample in first} == {"reinhard", "mkl"}
    for a, b in zip(first, second, strict=True):
        assert a.name == b.name
        assert np.array_equal(a.composite, b.composite)
        assert np.array_equal(a.composite[MASK == 0], a.real[MASK == 0])
        squared = (a.composite[MASK > 0].astype(float) - a.real[MASK > 0]) ** 2
        assert 20 < squared.mean() < 5000  # visible, and no more than a photograph could have


@pytest.mark.parametrize(
    ("colours", "spreads", "left"),
    [
        (((140, 120, 110), (110, 95, 85)), (20, 20), 2),
        (((160, 120, 120), (120, 160, 120)), (20, 20), 0),  # red and green
        (((60, 60, 60), (180, 180, 180)), (20, 20), 0),  # dark and light
        (((120, 120, 120), (122, 121, 120)), (20, 20), 0),  # all but the same
        (((120, 120, 120), (135, 135, 135)), (2, 60), 0),  # flat and full of contrast
    ],
)
def test_a_transfer_without_a_plausible_reference_is_left_out(tmp_path, colours, spreads, left):
    for name, colour, spread in zip("ab", colours, spreads, strict=True):
        noise = np.random.default_rng(1).uniform(-spread, spread, (12, 16, 1))
        save(tmp_path / f"{name}.png", (np.array(colour) + noise).astype(np.uint8))
        save(tmp_path / f"m{name}.png", MASK)
    (tmp_path / "index.csv").write_text("image,mask,held_out\na.png,ma.png,1\nb.png,mb.png,1\n")
    assert len(list(read_samples(tmp_path, "transfers"))) == left
    assert len(list(read_samples(tmp_path, "photos"))) == 2 * DRAWS


def test_a_photograph_is_no_reference_of_its_own(tmp_path):
    picture = np.random.default_rng(0).integers(90, 130, (12, 16, 1)) * np.ones(3)
    picture[:, 8:] *= 0.8
    left = np.where(np.arange(16) < 8, MASK, np.uint8(0))
    for name, mask in (("m1", left), ("m2", left[:, ::-1])):
        save(tmp_path / f"{name}.png", mask)
    for second, made in (("a", 0), ("b", 2)):  # b is a copy; only its name makes it another photograph
        for name in ("a", second):
            save(tmp_path / f"{name}.png", picture.astype(np.uint8))
        (tmp_path / "index.csv").write_text(f"image,mask,held_out\na.png,m1.png,1\n{second}.png,m2.png,1\n")
        assert len(list(read_samples(tmp_path, "transfers"))) == made


HOURS, EXPOSURES = "hour of the day", "exposure (bracket)"


def write_scenes(folder: Path, scenes: dict[str, tuple[str, list[int]]]) -> None:
    """By scene what varies, and how bright each picture's foreground is; the backgrounds differ too."""
    lines = ["scene,image,what_varies,masks"]
    save(folder / "mask.png", MASK)
    save(folder / "other.png", np.roll(MASK, 2, axis=1))
    for scene, (varies, levels) in scenes.items():
        for index, level in enumerate(levels):
            picture = np.full((12, 16, 3), 100 + index, np.uint8)
            picture[2:10, 3:15] = level
            save(folder / scene / f"{index}_x.png", picture)
            lines.append(f"{scene},{scene}/{index}_x.png,{varies},mask.png;other.png")
    (folder / "index.csv").write_text("\n".join(lines))


def test_scenes_paste_the_foreground_of_another_picture_into_a_held_out_one(tmp_path):
    levels = [60, 90, 120, 150]
    write_scenes(tmp_path, {"fuji_a": (HOURS, levels), "elsewhere_a": (HOURS, levels)})
    first, second = (list(read_samples(tmp_path, "scenes")) for _ in range(2))
    assert len(first) == len({sample.name for sample in first}) == PAIRS
    for a, b in zip(first, second, strict=True):
        assert a.name == b.name
        assert np.array_equal(a.composite, b.composite)
        scene, _, pair = a.name.rpartition("_")
        assert (scene, a.subset) == ("fuji_a", "hours")
        real, other = int(pair[0]), int(pair.split("-")[2])
        assert real != other
        assert (a.real[0] == 100 + real).all()
        assert np.array_equal(a.composite[~a.foreground], a.real[~a.foreground])
        assert (a.composite[a.foreground] == levels[other]).all()
        assert (a.real[a.foreground] == levels[real]).all()


def test_each_scene_of_hours_and_each_place_of_exposures_counts_the_same(tmp_path):
    levels = [60, 90, 120, 150]
    names = {"fuji_a": HOURS, "fuji_b": HOURS, "catalina_1": EXPOSURES, "catalina_2": EXPOSURES}
    write_scenes(tmp_path, {name: (varies, levels) for name, varies in names.items()})
    samples = list(read_samples(tmp_path, "scenes"))
    made = [(sample.subset, sample.name.rpartition("_")[0]) for sample in samples]
    assert made.count(("hours", "fuji_a")) == made.count(("hours", "fuji_b")) == PAIRS
    places = [scene for subset, scene in made if subset == "exposures"]
    assert len(places) == PAIRS
    assert set(places) == {"catalina_1", "catalina_2"}


@pytest.mark.parametrize(
    ("levels", "left"),
    [
        ([100, 102], 0),  # nothing to do
        ([100, 110], 4),
        ([100, 0], 0),  # nothing to recover
        ([255, 180], 0),
        ([50, 220], 0),  # more than filters can mend
    ],
)
def test_scenes_skip_pairs_without_anything_to_do_or_to_recover(tmp_path, levels, left):
    write_scenes(tmp_path, {"fuji_a": (EXPOSURES, levels)})
    assert len(list(read_samples(tmp_path, "scenes"))) == left


def test_scenes_that_were_trained_on_under_another_name_are_left_out(tmp_path):
    write_scenes(tmp_path, {"fuji_a": (HOURS, [60, 90, 120]), "fuji_b": (HOURS, [60, 90, 120])})
    header, *lines = (tmp_path / "index.csv").read_text().splitlines()
    rows = [f"{line},{'pairs/1.jpg' if line.startswith('fuji_a') else ''}" for line in lines]
    (tmp_path / "index.csv").write_text("\n".join([f"{header},overlaps_existing_training", *rows]))
    assert {sample.name.rpartition("_")[0] for sample in read_samples(tmp_path, "scenes")} == {"fuji_b"}


def test_pictures_of_a_scene_that_differ_in_size_are_refused(tmp_path):
    write_scenes(tmp_path, {"fuji_a": (HOURS, [60, 90])})
    save(tmp_path / "fuji_a" / "1_x.png", np.full((12, 17, 3), 90, np.uint8))
    with pytest.raises(ImageFileError, match="differ in size"):
        list(read_samples(tmp_path, "scenes"))


def test_avif_is_read_and_a_damaged_one_named(tmp_path):
    picture = np.full((64, 48, 3), (200, 120, 60), np.uint8)
    Image.fromarray(picture).save(tmp_path / "a.avif", quality=95)
    save(tmp_path / "m.png", np.pad(np.full((20, 20), 255, np.uint8), ((10, 34), (10, 18))))
    (tmp_path / "index.csv").write_text("image,mask,held_out\na.avif,m.png,1\n")
    sample = next(read_samples(tmp_path, "photos"))
    assert np.abs(sample.real.astype(int) - picture).max() < 8
    (tmp_path / "a.avif").write_bytes(b"no picture")
    with pytest.raises(ImageFileError, match=r"a\.avif cannot be read"):
        next(read_samples(tmp_path, "photos"))


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
