"""Simulated participants with a known truth: both studies find it."""

from __future__ import annotations

import csv
import io
import json
import math

import numpy as np
import pytest
from small_study import adjust_by_truth, compare_by_truth

from harmonizer.errors import StudyError
from harmonizer.learning.recipes import read_priors
from harmonizer.study import adjustments, bootstrap, plot, ranking, tables
from harmonizer.study.store import Answer, Store, Task
from harmonizer.study.tasks import Kind, Question

USE = {"brightness": (0.2, 0.3, 4.0), "contrast": (-0.1, 0.15, 2.0), "shadow": (0.0, 0.25, 3.0)}
SCORES = {"ours": 1.2, "theirs": 0.3, "older": -0.4, "composite": -1.1}


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    monkeypatch.setattr(bootstrap, "RESAMPLES", 400)


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "answers.sqlite", create=True) as store:
        store._connection.execute("PRAGMA synchronous = OFF")
        yield store


def choices(*pairs, participant="one"):
    """Answers in which the first of each pair won."""
    task = "abc"
    return [
        Answer(Task(task, participant, Question(Kind.compare, "dog", winner, loser)), {"choice": "first"})
        for winner, loser in pairs
    ]


def test_the_priors_are_found(store, tmp_path):
    adjust_by_truth(store, 60, 10, USE)
    uses = adjustments.summarize(store.answers(Kind.adjust))
    assert [(use.name, use.participants, len(use.theta)) for use in uses] == [(name, 60, 600) for name in USE]
    for use, (mean, deviation, importance) in zip(uses, USE.values(), strict=True):
        assert use.mean == pytest.approx(mean, abs=0.03)
        assert use.variance == pytest.approx(deviation**2, rel=0.2)
        assert use.quartiles == pytest.approx([mean - 0.674 * deviation, mean, mean + 0.674 * deviation], abs=0.05)
        assert use.importance.low < importance < use.importance.high
        assert use.importance.high - use.importance.low < 0.5
    (tmp_path / "priors.json").write_text(adjustments.format_priors(uses))
    priors = read_priors(tmp_path / "priors.json")
    for name, (mean, deviation, _) in USE.items():
        assert priors[name].mean == pytest.approx(-mean, abs=0.03)  # what spoils is the opposite of what mends
        assert priors[name].std == pytest.approx(deviation, rel=0.1)


@pytest.mark.parametrize("participants", [10, 20])
def test_the_intervals_of_importance_hold_the_truth_as_often_as_they_say(participants):
    chance, held, trials = np.random.default_rng(0), 0, 400
    for _ in range(trials):
        ratings = 3 + chance.normal(0, 0.7, (participants, 1)) + chance.normal(0, 0.7, (participants, 6))
        interval = bootstrap.mean(ratings.sum(axis=1), np.full(participants, 6.0))
        held += interval.low <= 3 <= interval.high
    assert 0.92 <= held / trials <= 0.98


def test_the_order_of_the_methods_is_found(store):
    compare_by_truth(store, 30, 5, SCORES)
    result = ranking.rank(store.answers(Kind.compare))
    assert [entry.method for entry in result.scores] == list(SCORES)
    assert (result.participants, result.disconnected) == (30, 0)
    for entry in result.scores:
        assert entry.comparisons == 30 * 5 * 3
        assert entry.score.value == pytest.approx(SCORES[entry.method], abs=0.3)
        assert entry.score.low < SCORES[entry.method] < entry.score.high
    assert sum(entry.wins for entry in result.scores) == 30 * 5 * 6
    assert sum(entry.score.value for entry in result.scores) == pytest.approx(0, abs=1e-9)


def test_the_intervals_of_scores_hold_the_truth_as_often_as_they_say(tmp_path, monkeypatch):
    monkeypatch.setattr(bootstrap, "RESAMPLES", 200)
    held = []
    for trial in range(40):
        with Store(tmp_path / f"{trial}.sqlite", create=True) as store:
            store._connection.execute("PRAGMA synchronous = OFF")
            compare_by_truth(store, 25, 2, SCORES, seed=trial)
            result = ranking.rank(store.answers(Kind.compare))
        held += [entry.score.low <= SCORES[entry.method] <= entry.score.high for entry in result.scores]
    assert 0.88 <= np.mean(held) <= 0.99


def test_scores_of_two_methods_are_the_odds():
    answers = choices(*[("a", "b")] * 30, *[("b", "a")] * 10)
    best, other = ranking.rank(answers).scores
    assert (best.method, best.wins, best.comparisons) == ("a", 30, 40)
    assert best.score.value - other.score.value == pytest.approx(math.log(3))


def test_the_side_on_which_a_result_was_shown_does_not_matter():
    mirrored = [
        Answer(Task("abc", "one", Question(Kind.compare, "dog", loser, winner)), {"choice": "second"})
        for winner, loser in [("a", "b")] * 30 + [("b", "a")] * 10
    ]
    assert ranking.rank(mirrored) == ranking.rank(choices(*[("a", "b")] * 30, *[("b", "a")] * 10))


def test_scores_are_found_where_few_answers_connect_many_methods():
    chain = [pair for index in range(9) for pair in [(index, index + 1)] * 50 + [(index + 1, index)]]
    scores = ranking.rank(choices(*((str(a), str(b)) for a, b in chain))).scores
    steps = -np.diff([entry.score.value for entry in scores])
    np.testing.assert_allclose(steps, math.log(50), rtol=1e-3)


@pytest.mark.parametrize(
    ("pairs", "says"),
    [
        ([("a", "b"), ("b", "a"), ("c", "d"), ("d", "c")], "compared with one of another: a, b; c, d"),
        ([("a", "b"), ("b", "a"), ("c", "a")], "were always chosen: a, b; c|were always chosen: c; a, b"),
        ([("a", "b")], "do not connect, so there are no finite scores"),
        ([], "nobody has compared"),
    ],
)
def test_without_finite_scores_the_groups_are_named(pairs, says):
    with pytest.raises(StudyError, match=says):
        ranking.rank(choices(*pairs))


def test_intervals_that_the_answers_cannot_give_are_left_out():
    [best, _] = ranking.rank(choices(("a", "b"), ("a", "b"), ("b", "a"))).scores
    assert math.isnan(best.score.low)
    # b was chosen by one of five alone: a third of the resamples lack that participant.
    answers = [each for number in range(4) for each in choices(("a", "b"), participant=str(number))]
    result = ranking.rank(answers + choices(("b", "a"), participant="4"))
    assert 0.25 < result.disconnected / result.resamples < 0.4
    assert math.isnan(result.scores[0].score.high)
    assert result.scores[0].score.value == pytest.approx(math.log(4) / 2)


def test_one_answer_has_neither_a_variance_nor_an_interval(store):
    adjust_by_truth(store, 1, 1, USE)
    uses = adjustments.summarize(store.answers(Kind.adjust))
    assert math.isnan(uses[0].variance)
    assert math.isnan(uses[0].importance.low)
    with pytest.raises(StudyError, match="two or more answers of brightness, contrast, shadow"):
        adjustments.format_priors(uses)
    with pytest.raises(StudyError, match="nobody has adjusted"):
        adjustments.summarize([])
    assert plot.draw(uses, "png").startswith(b"\x89PNG")


def test_tables_and_plot_have_every_filter_and_method(store):
    adjust_by_truth(store, 3, 2, USE)
    compare_by_truth(store, 10, 3, SCORES)
    uses = adjustments.summarize(store.answers(Kind.adjust))
    rows = list(csv.DictReader(io.StringIO(tables.format_csv(tables.filter_rows(uses)))))
    assert [row["filter"] for row in rows] == list(USE)
    assert float(rows[0]["mean"]) == uses[0].mean
    assert float(rows[0]["lower_quartile"]) <= float(rows[0]["median"]) <= float(rows[0]["upper_quartile"])
    result = ranking.rank(store.answers(Kind.compare))
    rows = list(csv.DictReader(io.StringIO(tables.format_csv(tables.method_rows(result)))))
    assert [row["method"] for row in rows] == [entry.method for entry in result.scores]
    drawing = plot.draw(uses, "svg").decode()
    assert drawing.count("<!-- brightness -->") == 2  # below both panels
    assert json.loads(adjustments.format_priors(uses)).keys() == USE.keys()


def test_scores_that_do_not_settle_are_an_error(monkeypatch):
    monkeypatch.setattr(ranking, "STEPS", 1)
    with pytest.raises(StudyError, match="no scores can be computed; ask more participants"):
        ranking.rank(choices(("a", "b"), ("a", "b"), ("b", "a")))
