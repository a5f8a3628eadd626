"""The worth of kinds of composites: that runs differ in one thing, and that noise is no difference."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
import worth_of_kinds
from worth_of_kinds import BASE, VARIANTS

from harmonizer.learning.network.config import NetworkConfig
from harmonizer.learning.network.network import Network
from harmonizer.learning.recipes import MIXED

GROUPS = {
    "HAdobe5k": "iharmony4",
    "HFlickr": "iharmony4",
    "webcam": "webcams",
    "exposures": "scenes",
    "hours": "scenes",
    "eq8": "eq8",
    "transfers": "transfers",
}


@pytest.fixture(scope="module")
def tiny() -> Network:
    return Network(NetworkConfig(encoder="mobilenetv3_small_050", input_size=32))


def test_each_variant_changes_one_thing(tiny):
    base = asdict(worth_of_kinds.recipe(BASE, tiny, seed=3))
    for name in VARIANTS:
        own = asdict(worth_of_kinds.recipe(name, tiny, seed=3))
        changed = {key for key in own if own[key] != base[key]} - {"encoder_learning_rate"}
        assert len(changed) == (name != BASE), name


def test_leaving_a_kind_out_leaves_the_others_as_they_are():
    kinds = worth_of_kinds.without("scenes", "frames")["kinds"]
    assert kinds["scenes"] == kinds["frames"] == 0
    assert {name for name in MIXED if kinds[name] != MIXED[name]} == {"scenes", "frames"}


def test_only_what_differs_by_more_than_the_seeds_is_called_a_difference():
    scores = {BASE: np.array([0.50, 0.52]), "half": np.array([0.40, 0.42]), "no-eq8": np.array([0.60, 0.60])}
    text = worth_of_kinds.decide(scores | {"no-light": np.array([0.53, 0.54])}, noise=0.02)
    worse, better, rest = text.split("; ")
    assert VARIANTS["no-eq8"].label in worse
    assert VARIANTS["half"].label in better
    assert VARIANTS["no-light"].label in rest


def test_the_page_has_the_means_of_the_seeds(tmp_path):
    names = ["data/start", *(f"out/{name}-{seed}" for name in (BASE, "half") for seed in (0, 1))]
    after = dict(zip(names, (90, 50, 70, 30, 40), strict=True))
    pictures = [
        {"group": group, "subset": subset, "fmse": {"composite": 100} | {name: after[name] for name in names}}
        for subset, group in GROUPS.items()
    ]
    scores = {name: {"score": after[name] / 100, "interval": [0, 1]} for name in names}
    report = {"scores": scores, "introduced": dict.fromkeys(names, 12.0), "pictures": pictures}
    (tmp_path / "scores.json").write_text(json.dumps(report))
    page = worth_of_kinds.page(tmp_path)
    assert "| the start | **0.900** | +0.300 | 12 | 0.900 |" in page
    assert "| the mixture | **0.600** (0.500 to 0.700) | +0.000 | 12 | 0.600 |" in page
    assert f"| {VARIANTS['half'].label} | **0.350** (0.300 to 0.400) | -0.250 | 12 | 0.350 |" in page


def test_recipes_are_those_that_ship_but_for_length_and_size(tiny):
    own, shipped = worth_of_kinds.recipe(BASE, tiny, seed=0), worth_of_kinds.CONTINUE
    other = {"network", "steps", "batch_size", "sizes", "warmup", "weight_average", "patch_share"}
    same = {name: getattr(shipped, name) for name in asdict(shipped) if name not in other}
    assert replace(own, **same) == own
