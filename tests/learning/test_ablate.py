import json
from dataclasses import fields, replace

import pytest
import torch

from harmonizer.errors import OutputError
from harmonizer.learning.ablation import ablate
from harmonizer.learning.composites.kinds import KINDS
from harmonizer.learning.composites.sources.photos import Photos, read_photos
from harmonizer.learning.composites.sources.sources import Sources
from harmonizer.learning.network.config import NetworkConfig
from harmonizer.learning.network.network import Network
from harmonizer.learning.recipes import DEFAULT, Recipe
from whitebox_filters import DEFAULT_FILTERS, EIGHT_FILTERS

TINY = ablate.Setting(encoder="test_efficientnet", pretrained=False, steps=2, size=32)
BASE, SUM, EIGHT = (next(v for v in ablate.variants() if v.name == name) for name in ("base", "sum", "eight filters"))


def changed(variant):
    """The fields of NetworkConfig and Recipe in which a variant's run differs from the base's."""
    one, other = (ablate.recipe(each, ablate.Setting(), seed=0) for each in (BASE, variant))
    return [
        field.name
        for kind, pair in ((Recipe, (one, other)), (NetworkConfig, (one.network, other.network)))
        for field in fields(kind)
        if field.name != "network" and getattr(pair[0], field.name) != getattr(pair[1], field.name)
    ]


def test_a_variant_changes_what_it_says_and_nothing_else():
    found = {variant.name: changed(variant) for variant in ablate.variants()}
    assert found["base"] == []
    assert found["multihead sum"] == ["loss", "regressor"]
    assert found["scratch"] == ["pretrained", "frozen"]
    assert found["mobilenet"] == ["pretrained", "frozen", "encoder"]
    # Their encoders are given the mask, which ImageNet's weights do not know.
    assert found["regions"] == found["average"] == ["frozen", "pooling"]
    several = ("base", "multihead sum", "scratch", "mobilenet", "regions", "average")
    others = {name: names for name, names in found.items() if name not in several}
    assert all(len(names) == 1 for names in others.values()), others
    assert {name for names in others.values() for name in names} == {
        "loss", "regressor", "filters", "statistics", "histograms",
    }  # fmt: skip


def test_as_much_is_frozen_as_in_what_ships_where_all_else_could_learn():
    frozen = {variant.name: ablate.recipe(variant, ablate.Setting(), seed=0).frozen for variant in ablate.variants()}
    assert frozen["base"] == frozen["sum"] == DEFAULT.frozen
    assert {frozen[name] for name in ("scratch", "mobilenet", "regions", "average")} == {"none"}
    assert ablate.recipe(BASE, TINY, seed=0).frozen == "none"


def test_names_are_keys():
    names = [variant.name for variant in ablate.variants()]
    assert len(set(names)) == len(names)


def test_filters_are_drawn_three_times_in_the_released_order_and_eight_are_the_eight():
    sets = [variant.network["filters"] for variant in ablate.variants() if "filters" in variant.network]
    assert sorted(map(len, sets)) == [2] * 3 + [4] * 3 + [8]
    assert len(set(sets)) == 7
    assert sets[-1] == EIGHT_FILTERS
    for names in sets[:-1]:
        assert list(names) == [name for name in DEFAULT_FILTERS if name in names]


@pytest.mark.parametrize("variant", ablate.variants(), ids=lambda variant: variant.name)
def test_every_variant_makes_a_network(variant, monkeypatch):
    recipe = ablate.recipe(variant, TINY, seed=3)
    assert (recipe.seed, recipe.steps, recipe.network.input_size) == (3, 2, 32)
    network = Network(replace(recipe.network, encoder=TINY.encoder)).eval()
    pictures, mask = torch.rand(2, 3, 32, 32), torch.ones(2, 1, 32, 32)
    assert len(network.trace(pictures, mask)) == len(recipe.network.filters)


@pytest.fixture(scope="module")
def held_out(photo_folder):
    return Sources.of(read_photos(photo_folder, held_out=True))


def test_the_test_is_the_same_each_time_and_leaves_the_background_alone(held_out):
    first, again = ablate.compose(held_out, 32), ablate.compose(held_out, 32)
    assert set(first) == {"eq8", "imitated"}
    for kind, (composite, mask, real) in first.items():
        assert torch.equal(composite, again[kind][0])
        outside = mask.expand_as(real) == 0
        assert torch.equal(composite[outside], real[outside])
        assert (composite - real)[~outside].abs().mean() > 0.01
    assert len(real) == len(held_out.photos)


def test_pictures_with_hardly_any_foreground_are_left_out(held_out):
    photos = held_out.photos
    masks = photos.masks.clone()
    masks[0] = 0
    for composite, mask, real in ablate.compose(Sources.of(Photos(photos.images, masks, photos.sources)), 32).values():
        assert len(composite) == len(mask) == len(real) == len(photos) - 1


def test_all_kinds_are_imitated_but_those_that_filters_or_nothing_or_scenes_make():
    assert set(KINDS) - set(ablate.IMITATED) == {"renditions", "untouched", "scenes"}


def test_a_network_that_changes_nothing_leaves_all_of_the_error_and_a_perfect_one_none(held_out, monkeypatch):
    composite, mask, real = ablate.compose(held_out, 32)["eq8"]
    network = Network(ablate.recipe(BASE, TINY, seed=0).network).eval()
    assert dict(ablate.measure(network, composite, mask, real)) == {"mse": 1, "fmse": 1, "psnr": 0}
    halfway = (composite + real) / 2
    monkeypatch.setattr(network, "trace", lambda *_: [halfway])
    scores = dict(ablate.measure(network, composite, mask, real))
    assert scores["mse"] == pytest.approx(0.25, abs=0.01)
    assert scores["fmse"] == pytest.approx(0.25, abs=0.01)
    assert scores["psnr"] == pytest.approx(6.02, abs=0.1)


def scores(folder):
    lines = (folder / "runs.jsonl").read_text().splitlines()
    return {(c["variant"], c["seed"]): {k: v for k, v in c.items() if k != "seconds"} for c in map(json.loads, lines)}


def test_a_killed_table_goes_on_and_ends_as_one_that_was_not(photo_folder, tmp_path, monkeypatch):
    selection, reports = [BASE, SUM, EIGHT], []
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    table = ablate.ablate(photo_folder, whole, TINY, 1, reports.append, selection)
    assert [line.split(" ", 1)[0] for line in reports] == ["1/3", "2/3", "3/3"]
    assert "fMSE" in reports[0]
    # Even after two steps the loss has made a difference.
    assert scores(whole)["base", 0]["eq8_fmse"] != scores(whole)["sum", 0]["eq8_fmse"]
    run_variant = ablate.run_variant

    def die(variant, *arguments):
        if variant is SUM:
            raise KeyboardInterrupt
        return run_variant(variant, *arguments)

    monkeypatch.setattr(ablate, "run_variant", die)
    with pytest.raises(KeyboardInterrupt):
        ablate.ablate(photo_folder, killed, TINY, 1, reports.append, selection)
    assert (killed / "table.md").exists()
    with (killed / "runs.jsonl").open("a") as file:
        file.write('{"variant": "sum", "se')  # cut short
    ran = []
    monkeypatch.setattr(
        ablate, "run_variant", lambda variant, *rest: ran.append(variant.name) or run_variant(variant, *rest)
    )
    ablate.ablate(photo_folder, killed, TINY, 1, reports.append, selection)
    assert ran == ["sum", "eight filters"]
    assert scores(killed) == scores(whole)
    assert (killed / "table.md").read_text() == table.read_text()
    for label in (BASE.label, SUM.label, EIGHT.label, "26.85 / 37.23"):
        assert label in table.read_text()


def test_a_variant_that_is_the_base_in_a_setting_is_not_run_again(photo_folder, tmp_path, monkeypatch):
    ran = []
    run = {"seed": 0, "eq8_mse": 1, "eq8_fmse": 1, "eq8_psnr": 0, "imitated_fmse": 1, "seconds": 1}
    monkeypatch.setattr(
        ablate, "run_variant", lambda variant, *_: ran.append(variant.name) or {**run, "variant": variant.name}
    )
    ablate.ablate(photo_folder, tmp_path / "scratch", TINY, 1, ran.append)
    assert "base" in ran
    assert "scratch" not in ran
    ablate.ablate(photo_folder, tmp_path / "pretrained", replace(TINY, pretrained=True), 1, ran.append)
    assert "scratch" in ran


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (json.dumps({"variant": "base", "seed": 0, "setting": {"steps": 9}}), "'steps': 9.*another folder"),
        ("hello", "lines that are no runs"),
        ("7", "lines that are no runs"),
    ],
)
def test_a_folder_of_something_else_is_left_alone(photo_folder, tmp_path, line, says):
    (tmp_path / "runs.jsonl").write_text(line + "\n")
    with pytest.raises(OutputError, match=says):
        ablate.ablate(photo_folder, tmp_path, TINY, 1, print)
    assert (tmp_path / "runs.jsonl").read_text() == line + "\n"
    assert not (tmp_path / "table.md").exists()
