import pytest

from harmonizer.learning.ablation.comparison import Row, markdown, verdict


@pytest.mark.parametrize(
    ("values", "base", "says"),
    [
        ([0.48, 0.50, 0.52], [0.53, 0.55, 0.57], "lower"),  # t = 3.06 with 4 degrees of freedom, whose bound is 2.78
        ([0.53, 0.55, 0.57], [0.48, 0.50, 0.52], "higher"),
        ([0.48, 0.50, 0.52], [0.52, 0.54, 0.56], "noise"),  # 2.45 standard errors
        # The same distance once more, but one variant hardly varies: 3.46 errors with 2 degrees, whose bound is 4.30.
        ([0.48, 0.50, 0.52], [0.5399, 0.54, 0.5401], "noise"),
        ([0.5, 0.5], [0.5, 0.5], "noise"),
        ([0.4, 0.4], [0.5, 0.5], "lower"),
        ([0.4], [0.5, 0.6], "?"),
        ([0.4, 0.5], [], "?"),
    ],
)
def test_a_difference_within_noise_is_called_noise(values, base, says):
    assert verdict(values, base) == says


def test_the_verdict_is_welchs_t_test():
    scipy_stats = pytest.importorskip("scipy.stats")
    import numpy as np

    random = np.random.default_rng(0)
    compared = 0
    for _ in range(200):
        one, other = (random.normal(mean, std, 4) for mean, std in ((0, 1), (1, random.uniform(0.2, 2))))
        outcome = scipy_stats.ttest_ind(one, other, equal_var=False)
        if abs(outcome.pvalue - 0.05) > 0.03:  # whole degrees of freedom make the bound a little wider
            assert (verdict(one.tolist(), other.tolist()) == "noise") == (outcome.pvalue > 0.05)
            compared += 1
    assert compared > 100


def run(fmse, seed=0):
    return {"eq8_mse": fmse, "eq8_fmse": fmse, "eq8_psnr": 1.0, "imitated_fmse": 0.9, "seed": seed}


def test_draws_vary_by_draw_and_seeds_by_seed():
    draws = Row("2 filters", [[run(0.2), run(0.4)], [run(0.5), run(0.7)], []])
    assert draws.values("eq8_fmse") == pytest.approx([0.3, 0.6])
    assert Row("base", [[run(0.2), run(0.4)]]).values("eq8_fmse") == [0.2, 0.4]


def test_the_table_says_how_much_is_left_how_sure_it_is_and_what_the_paper_found():
    base = Row("base", [[run(0.48), run(0.50), run(0.52)]], "24.26 / 37.84")
    worse, single = Row("worse", [[run(0.6), run(0.62), run(0.61)]]), Row("once", [[run(0.3)]])
    lines = markdown({"Table 4": [base, worse, single]}, {"steps": 7}).splitlines()
    rows = {line.split(" | ")[0].strip("| "): line for line in lines if line.startswith("|")}
    assert "## Table 4" in lines
    assert "steps 7" in lines[2]
    assert rows["base"] == (
        "| base | 3 | 50.0 ± 2.0 % | 50.0 ± 2.0 % | 1.0 ± 0.0 dB | 90.0 ± 0.0 % |  |  | 24.26 / 37.84 |"
    )
    assert "| 61.0 ± 1.0 % |" in rows["worse"]
    assert rows["worse"].split(" | ")[6:8] == ["higher", "noise"]
    assert rows["once"].split(" | ")[3] == "30.0 %"
    assert rows["once"].split(" | ")[6] == "?"
