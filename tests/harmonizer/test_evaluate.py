import json

import numpy as np
import pytest

from harmonizer.evaluation.evaluate import evaluate, groups, summarize, write_report
from harmonizer.evaluation.learners import Harmonized
from harmonizer.evaluation.samples import Sample


def sample(name, *, subset="HFlickr", columns=8, off=50):
    """20 x 20 pixels; the first columns are foreground and `off` darker than the real picture."""
    real = np.full((20, 20, 3), 100, np.uint8)
    mask = np.zeros((20, 20), np.float32)
    mask[:, :columns] = 1
    composite = real.copy()
    composite[mask > 0] -= off
    return Sample(name, subset, composite, mask, real)


def brighten(by):
    return lambda given: Harmonized(given.composite + np.uint8(by), {"brightness": 0.5})


def test_a_perfect_learner_scores_zero_and_doing_nothing_scores_the_composite():
    learners = {"perfect": brighten(50), "weak": brighten(10), "none": lambda given: Harmonized(given.composite, {})}
    (evaluation,) = evaluate(learners, [sample("a")])
    assert list(evaluation.scores) == ["composite", "perfect", "weak", "none"]
    assert [scores.fmse for scores in evaluation.scores.values()] == [2500, 0, 1600, 2500]
    # The background, which `brighten` changes too, is the real one's in every score.
    assert [scores.mse for scores in evaluation.scores.values()] == [1000, 0, 640, 1000]
    assert evaluation.coverage == pytest.approx(0.4)
    assert evaluation.theta == {"perfect": {"brightness": 0.5}, "weak": {"brightness": 0.5}}


def test_the_summary_is_the_mean_over_pictures_and_counts_those_that_came_closer():
    evaluations = list(evaluate({"up": brighten(30)}, [sample("a"), sample("b", off=10), sample("c", off=15)]))
    summary = summarize(evaluations)
    assert summary["composite"]["fmse"] == pytest.approx((2500 + 100 + 225) / 3)
    assert summary["up"]["fmse"] == pytest.approx((400 + 400 + 225) / 3)
    assert summary["up"]["improved"] == pytest.approx(1 / 3)  # a draw is no improvement
    assert summary["composite"]["improved"] == 0
    assert summary["up"]["pictures"] == 3


def test_groups_are_subsets_sizes_of_the_foreground_and_all():
    samples = [sample("a", columns=1), sample("b", columns=2), sample("c", columns=3), sample("d", columns=4)]
    samples.append(sample("e", subset="HAdobe5k", columns=20))
    members = {
        name: [evaluation.name for evaluation in group] for name, group in groups(list(evaluate({}, samples))).items()
    }
    assert members == {
        "HAdobe5k": ["e"],
        "HFlickr": ["a", "b", "c", "d"],
        "foreground 0-5 %": ["a"],  # 5 % exactly
        "foreground 5-15 %": ["b", "c"],
        "foreground 15-100 %": ["d", "e"],
        "all": ["a", "b", "c", "d", "e"],
    }


def test_the_report_is_json_with_null_for_what_is_undefined(tmp_path):
    evaluations = list(evaluate({"up": brighten(50)}, [sample("a"), sample("empty", columns=0)]))
    write_report(tmp_path / "report.json", evaluations, size="full")
    report = json.loads((tmp_path / "report.json").read_text(), parse_constant=pytest.fail)
    assert report["size"] == "full"
    assert report["summary"]["all"]["composite"]["mse"] == 500
    assert report["summary"]["HFlickr"]["up"]["psnr"] is None  # infinite
    assert report["pictures"][1]["scores"]["composite"]["fmse"] is None
    assert report["pictures"][0]["theta"] == {"up": {"brightness": 0.5}}
