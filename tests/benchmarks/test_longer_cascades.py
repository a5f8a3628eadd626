"""Longer cascades against six filters: that runs differ in their filters alone, and that noise is no gain."""

from __future__ import annotations

import json
from dataclasses import replace

import longer_cascades
import pytest
from longer_cascades import BASE, CASCADES
from test_worth_of_kinds import GROUPS

from harmonizer.learning.recipes import from_json, to_json


def report(differences: dict[str, list[float]]) -> dict[str, object]:
    after = {"out/six": 50, "out/eight": 45, "out/sixteen": 60}
    return {
        "scores": {name: {"score": value / 100} for name, value in after.items()},
        "differences": differences,
        "introduced": dict.fromkeys(after, 12.0),
        "pictures": [
            {"group": group, "subset": subset, "fmse": {"composite": 100} | after} for subset, group in GROUPS.items()
        ],
    }


@pytest.fixture
def page(tmp_path):
    def write(eight: list[float], sixteen: list[float]) -> str:
        scores = report({"out/eight": eight, "out/sixteen": sixteen})
        (tmp_path / "scores.json").write_text(json.dumps(scores))
        for name in CASCADES:
            (tmp_path / name).mkdir()
            (tmp_path / name / "model.onnx").write_bytes(bytes(20_000))
        return longer_cascades.page(tmp_path)

    return write


def test_runs_differ_in_their_filters_alone():
    base = longer_cascades.recipe(BASE)
    for name, filters in CASCADES.items():
        own = longer_cascades.recipe(name)
        assert own.network.filters == filters
        assert replace(own, network=base.network) == base
        assert replace(own.network, filters=base.network.filters) == base.network
        assert from_json(to_json(own)) == own


def test_each_cascade_goes_on_where_the_one_before_it_ends():
    six, eight, sixteen = CASCADES.values()
    assert (eight[:6], sixteen[:8]) == (six, eight)


def test_a_difference_within_its_interval_is_no_gain(page):
    assert (
        "Train six filters on. Against six filters at the same training, no clear difference: eight, sixteen."
        in page([-0.08, 0.01], [-0.01, 0.12])
    )


def test_a_gain_beyond_its_interval_is_trained_on(page):
    assert "Train eight filters on." in page([-0.08, -0.01], [0.02, 0.12])


def test_a_loss_beyond_its_interval_is_told(page):
    assert "worse: sixteen; no clear difference: eight." in page([-0.08, 0.01], [0.02, 0.12])


def test_the_page_has_every_difference_beside_its_interval(page):
    text = page([-0.08, 0.01], [-0.01, 0.12])
    assert "| 6 | 0.02 | **0.500** |  | 12 | 0.500 |" in text
    assert "| 8 | 0.02 | **0.450** | -0.050 (-0.080 to +0.010) | 12 | 0.450 |" in text
    assert "| 16 | 0.02 | **0.600** | +0.100 (-0.010 to +0.120) | 12 | 0.600 |" in text


def test_a_network_that_was_not_scored_is_named(tmp_path):
    scores = report({})
    scores["scores"].pop("out/eight")
    (tmp_path / "scores.json").write_text(json.dumps(scores))
    with pytest.raises(SystemExit, match="no score of eight"):
        longer_cascades.page(tmp_path)
