"""The curve of training: how scores and composites are counted over several runs, and what follows."""

from __future__ import annotations

import json

import pytest
import training_curve
from training_curve import Point, decide, points, read, shared_kinds

RECIPE = {
    "batch_size": 10,
    "head_learning_rate": 2e-4,
    "encoder_learning_rate": 5e-5,
    "network": {"filters": ["brightness", "contrast"]},
}


def milestone(step: int, scenes: float, **others: float) -> dict[str, float]:
    errors = {"eq8_before": 100, "eq8_after": step, "scenes_before": 200, "scenes_after": scenes}
    return {"step": step, "score": 0.5, "untouched_before": 0, "untouched_after": 7} | errors | others


@pytest.fixture
def write(tmp_path):
    def run(name, rows):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "recipe.json").write_text(json.dumps(RECIPE))
        (folder / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        return folder

    return run


def test_a_run_goes_on_where_all_composites_of_the_one_before_it_end(write):
    first = read(write("first", [milestone(5, 120), milestone(10, 100), {"step": 14, "final": 0.1}]))
    second = read(write("second", [milestone(5, 90)]))
    assert list(points([first, second])) == [
        Point("first", 50, 0.6, 7),
        Point("first", 100, 0.5, 7),
        Point("second", 190, 0.45, 7),
    ]


def test_only_kinds_that_every_run_was_scored_on_count(write):
    first = read(write("first", [milestone(5, 100, retouch_before=10, retouch_after=10)]))
    second = read(write("second", [milestone(5, 100)]))
    assert shared_kinds([first]) == ["scenes", "retouch"]
    assert shared_kinds([first, second]) == ["scenes"]


def test_the_decision_weighs_the_second_half_of_the_composites():
    scores = {100: 0.7, 200: 0.62, 300: 0.65, 400: 0.615}
    plateau = [Point("run", composites, score, 0) for composites, score in scores.items()]
    assert "not for more steps. The best score of the first 200 composites is 0.620, of all 400 0.615" in decide(
        plateau
    )
    assert decide([*plateau[:3], Point("run", 400, 0.55, 0)]).startswith("Train on.")
    assert "of the first 50 composites is 0.700, of all 100 0.700" in decide(plateau[:1])


def test_the_page_tells_of_each_run_its_best_score_and_when(write):
    first = read(write("first", [milestone(5, 120), milestone(10, 100), milestone(20, 110)]))
    second = read(write("second", [milestone(5, 90)]))
    text = training_curve.page([first, second])
    assert "| first | 2 | 0.0002 and 5e-05 | 200 | 0.600 | **0.500** at 100 | 0.550 | 7 |" in text
    assert "| second | 2 | 0.0002 and 5e-05 | 50 | 0.450 | **0.450** at 250 | 0.450 | 7 |" in text


def test_what_is_no_run_is_refused(tmp_path, write):
    with pytest.raises(SystemExit, match=r"recipe\.json is missing"):
        read(tmp_path)
    with pytest.raises(SystemExit, match="no score yet"):
        read(write("young", [{"step": 5, "final": 0.1}]))
