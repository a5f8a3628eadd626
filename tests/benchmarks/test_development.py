"""The development score: that its figures say what they are said to."""

from __future__ import annotations

from pathlib import Path

import development
import numpy as np
import pytest
from development_cases import NO_OP, Picture, cases, measure
from PIL import Image

from harmonizer.evaluation.learners import Harmonized


def scored(group: str, unit: str, before: float, **after: float) -> Picture:
    return Picture(group, "subset", unit, f"{unit}_1_1", {"composite": before, **after})


def test_the_score_is_the_mean_of_the_groups_shares_each_the_sum_after_over_the_sum_before():
    pictures = [
        scored("iharmony4", "a", 100, net=20),
        scored("iharmony4", "b", 300, net=180),  # 200 of 400
        *(scored("eq8", f"p{index}", 1000, net=100) for index in range(50)),  # 0.1, however many
        scored("triples", "1", 10, net=1000),
        scored(NO_OP, "p", 0, net=1000),
    ]
    assert development.score(pictures, "net") == pytest.approx((0.5 + 0.1) / 2)


def test_pictures_that_agree_leave_no_doubt():
    pictures = [
        scored(group, f"{index}", 100 + index, net=0.4 * (100 + index))
        for group in ("eq8", "scenes")
        for index in range(5)
    ]
    drawn = development.draw_scores(pictures, ["net"])
    assert drawn.min() == pytest.approx(0.4)
    assert drawn.max() == pytest.approx(0.4)


def test_composites_of_one_unit_are_drawn_together():
    # Were they drawn apart, twenty composites would make the interval narrower than two units can.
    shares = {"a": (10, 30), "b": (70, 90)}
    pictures = [scored("scenes", unit, 100, net=after) for unit in shares for after in 5 * shares[unit]]
    low, high = np.quantile(development.draw_scores(pictures, ["net"])[:, 0], (0.025, 0.975))
    assert (low, high) == pytest.approx((0.2, 0.8))


def test_a_checkpoint_that_is_always_a_little_better_is_so_beyond_doubt_though_pictures_differ():
    shares = np.linspace(0.1, 1.5, 12)
    pictures = [
        scored(group, f"{index}", 100, good=100 * share - 3, bad=100 * share)
        for group in ("eq8", "transfers")
        for index, share in enumerate(shares)
    ]
    low, high = development.difference(pictures, "good", "bad")
    assert low == pytest.approx(-0.03)
    assert high == pytest.approx(-0.03)
    assert development.difference(pictures, "bad", "good")[0] > 0
    single = np.quantile(development.draw_scores(pictures, ["good"]), (0.025, 0.975))
    assert np.ptp(single) > 0.2  # either alone could be anywhere


def decided(new: list[float], changed: float) -> str:
    pictures = [scored("eq8", str(index), 100, old=50, new=after) for index, after in enumerate(new)]
    return development.decide([*pictures, scored(NO_OP, "p", 0, old=5, new=changed)], ["new", "old"], "old")


def test_only_what_is_better_by_more_than_its_interval_ships_and_the_page_says_what_it_does_to_photographs():
    assert decided([40.0, 41, 42, 43], 10).startswith("Ship new in place of old")
    assert "10.0, which is under the bar of 30" in decided([40.0, 41, 42, 43], 10)
    assert decided([10.0, 30, 70, 70], 10).startswith("Keep old: no other is better")  # better, but perhaps by chance
    assert decided([60.0, 61, 62, 63], 10).startswith("Keep old: no other is better")
    assert "31.0, which misses the bar of 30" in decided([40.0, 41, 42, 43], 31)


def test_a_row_tells_share_typical_ratio_and_how_many_improved():
    pictures = [scored("eq8", "a", 100, net=50), scored("eq8", "a", 100, net=50), scored("eq8", "b", 10, net=40)]
    title, count, before, after, left, _, typical, improved = development.row("eq8", pictures, "net")
    assert (title, count, before, after) == ("eq8", "3 (2)", "70.0", "46.7")
    assert left == f"{140 / 210:.3f}"
    assert typical == "1.000"  # a half, a half, four times
    assert improved == "67%"
    perfect = [scored("eq8", "a", 100, net=0)]
    assert development.row("eq8", perfect, "net")[6] == "0.010"


def test_a_goal_is_in_bold_where_it_is_reached():
    pictures = [scored("eq8", "a", 100, good=20, bad=21), scored("webcams", "b", 100, good=80, bad=70)]
    assert development.goal_table(pictures, ["good", "bad"]).splitlines()[2:] == [
        "| webcams | 0.75 | 0.800 | **0.700** |",
        "| eq8 | 0.20 | **0.200** | 0.210 |",
    ]


def test_checkpoints_of_one_name_are_refused(tmp_path):
    first, second = tmp_path / "a" / "run" / "weights", tmp_path / "b" / "run" / "weights"
    assert list(development.name_checkpoints([None, first, development.WEIGHTS])) == ["shipped", "run/weights"]
    with pytest.raises(SystemExit, match="same name"):
        development.name_checkpoints([first, second])


def save(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder of the eight folders, with a few small pictures in each."""
    mask = np.zeros((24, 32), np.uint8)
    mask[6:18, 8:24] = 255
    random = np.random.default_rng(0)

    def picture(light: float) -> np.ndarray:
        return (light * random.uniform(60, 140, (24, 32, 1)) * (1.1, 1, 0.9)).astype(np.uint8)

    for folder, name in (
        ("iharmony4_sample/HFlickr", "f1"),
        ("iharmony4_more/HFlickr", "f2"),
        ("webcam", "s-1"),
        ("webcam_chamonix", "c-1"),
    ):
        for draw in (1, 2):
            save(tmp_path / folder / "composite_images" / f"{name}_1_{draw}.png", picture(0.7))
        save(tmp_path / folder / "masks" / f"{name}_1.png", mask)
        save(tmp_path / folder / "real_images" / f"{name}.png", picture(1))
    for kind, pixels in (("composite", picture(0.7)), ("real", picture(1)), ("mask", mask)):
        save(tmp_path / "triples_256" / f"1_{kind}.png", pixels)
    for folder in ("photos", "photos_more"):
        lines = ["image,mask,source,held_out"]
        for index in range(6):
            save(tmp_path / folder / f"{index}.png", picture(0.7 + 0.1 * index))
            save(tmp_path / folder / f"m_{index}.png", mask)
            lines.append(f"{index}.png,m_{index}.png,{'panda: a/b' if index % 2 else 'cats: a/b'},{int(index < 4)}")
        (tmp_path / folder / "index.csv").write_text("\n".join(lines))
    lines = ["scene,image,what_varies,masks"]
    for scene, varies in (
        ("fuji_a", "hour"),
        ("fuji_b", "hour"),
        ("catalina_a", "exposure"),
        ("catalina_b", "exposure"),
    ):
        for index in range(3):
            save(tmp_path / "scenes" / scene / f"{index}.png", picture(0.7 + 0.3 * index))
            lines.append(f"{scene},{scene}/{index}.png,{varies},mask.png")
    save(tmp_path / "scenes" / "mask.png", mask)
    (tmp_path / "scenes" / "index.csv").write_text("\n".join(lines))
    return tmp_path


def test_cases_know_their_group_and_what_they_are_drawn_with(data):
    every = list(cases(data))
    units: dict[str, set[str]] = {}
    for case in every:
        units.setdefault(case.group, set()).add(case.unit)
    assert set(units) == {*development.GROUPS, "triples", NO_OP}
    assert units["iharmony4"] == {"f1", "f2"}
    assert units["webcams"] == {"s-1", "c-1"}
    assert units["scenes"] == {"fuji_a", "fuji_b", "catalina"}
    photographs = {f"{folder}/{index}.png" for folder in ("photos", "photos_more") for index in range(4)}
    assert units["eq8"] == units[NO_OP] == photographs
    assert units["transfers"] <= photographs
    subsets = {case.unit: case.sample.subset for case in every if case.group == "eq8"}
    assert (subsets["photos/0.png"], subsets["photos_more/2.png"]) == ("photos", "photos_more")
    assert subsets["photos/1.png"] == "photos, sources held out whole"
    assert subsets["photos_more/3.png"] == "photos_more, sources held out whole"


def test_what_changes_nothing_leaves_everything_and_photographs_alone(data):
    pictures = measure({"idle": lambda sample: Harmonized(sample.composite, {})}, cases(data))
    assert development.score(pictures, "idle") == 1
    assert development.introduced(pictures, "idle") == 0
    assert all(picture.fmse["composite"] > 0 for picture in pictures if picture.group != NO_OP)


def test_the_page_opens_with_the_decision_and_has_all_groups_and_subsets(data):
    def learner(factor: float):
        return lambda sample: Harmonized(
            (sample.real + factor * (sample.composite.astype(float) - sample.real)).round().astype(np.uint8), {}
        )

    pictures = measure({"half": learner(0.5), "all": learner(1)}, cases(data))
    page = development.page(pictures, ("half", "all"), "all", 12)
    decision = "**Decision.** Ship half in place of all: it is better by more than its interval."
    assert page.splitlines()[2].startswith(decision)
    for title in (*development.GROUPS, "triples", "hours", "exposures", "webcam_chamonix", "photos_more"):
        assert f"| {title} |" in page or f"| **{title}** |" in page
    alone = development.page(pictures, ("half",), None, 12)
    assert alone.splitlines()[2].startswith("**Decision.** A checkpoint replaces half only if")
