from __future__ import annotations

import importlib

import numpy as np
import pytest

import whitebox_filters as wf


def photograph(size=(40, 50)):
    """Soft colours away from clipping: what a filter does to them can be undone from the result."""
    random = np.random.default_rng(3)
    rows, columns = np.linspace(0, 1, size[0])[:, None, None], np.linspace(0, 1, size[1])[None, :, None]
    ramp = 0.05 + 0.35 * (rows * random.random(3) + columns * random.random(3))
    return ramp + 0.2 * random.random((*size, 3))


MASK = np.zeros((40, 50))
MASK[8:30, 10:45] = 1
MASK[8:30, 20:24] = 0.5


@pytest.mark.parametrize(
    "theta", [(0.1, 0.15, -0.2, 0.2, -0.1, 0.1), (-0.15, -0.2, 0.15, -0.3, 0.2, -0.1), (0.05, 0, 0, -0.5, 0, 0.3)]
)
def test_the_six_arguments_are_recovered(theta):
    cascade = wf.Cascade()
    source = photograph()
    fitted = wf.fit(cascade, source, cascade(source, theta, MASK), MASK, starts=1)
    assert fitted.shape == (6,)
    assert fitted.dtype == np.float64
    np.testing.assert_allclose(fitted, theta, atol=0.01)


def test_statistics_are_those_of_the_frame_and_not_of_the_foreground():
    cascade = wf.Cascade(["contrast"])
    source, mask = photograph(), np.zeros((40, 50), bool)
    source[:, 25:] = 0.9
    mask[:, :25] = True
    fitted = wf.fit(cascade, source, cascade(source, [0.3], mask), mask)
    np.testing.assert_allclose(fitted, [0.3], atol=0.005)


def test_statistics_over_the_mask_are_fitted_so():
    cascade = wf.Cascade(["contrast"], statistics="mask")
    source = photograph()
    source[MASK == 0] = 0.9
    fitted = wf.fit(cascade, source, cascade(source, [0.3], MASK), MASK)
    np.testing.assert_allclose(fitted, [0.3], atol=0.005)


def test_a_draw_of_the_pixels_stands_for_the_picture():
    cascade = wf.Cascade(["temperature", "brightness", "contrast"])
    source = (photograph((300, 400)) * 255).astype(np.uint8)
    target = cascade(source, [0.2, -0.2, 0.1])
    assert np.abs(wf.fit(cascade, source, target, starts=1) - [0.2, -0.2, 0.1]).max() < 0.02


def test_the_same_input_gives_the_same_theta():
    """Though it is more pixels than are drawn."""
    source = photograph((70, 90))
    target = np.roll(source, 1, axis=2)
    first, second = (wf.fit(wf.Cascade(["shadow"]), source, target, starts=2) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("seed", range(3))
def test_the_result_is_never_worse_than_no_change(seed):
    """Not even for a target that no filter reaches, or for one that is the source itself."""
    source, target = photograph(), np.random.default_rng(seed).random((40, 50, 3))
    cascade = wf.Cascade(["shadow", "temperature"])
    for goal in (target, source + 0.02 * (target - 0.5), source):
        fitted = wf.fit(cascade, source, goal, MASK, starts=2)
        assert np.mean((cascade(source, fitted, MASK) - goal) ** 2) <= np.mean((source - goal) ** 2)


def test_a_descent_that_ends_worse_is_thrown_away(monkeypatch):
    module = importlib.import_module("whitebox_filters.fit")  # wf.fit is the function
    monkeypatch.setattr(module, "_minimize", lambda error, unbounded: (0.0, np.full(1, 0.9)))
    source = photograph()
    np.testing.assert_array_equal(wf.fit(wf.Cascade(["brightness"]), source, source * 0.9), [0])


@pytest.mark.parametrize("mask", [np.zeros((40, 50)), np.zeros((40, 50), bool)])
def test_an_empty_mask_asks_for_nothing(mask):
    np.testing.assert_array_equal(wf.fit(wf.Cascade(), photograph(), photograph() / 2, mask), np.zeros(6))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((photograph(), photograph((40, 51))), wf.ImageError, r"\(40, 50, 3\).*\(40, 51, 3\)"),
        ((photograph(), photograph() * 2), wf.ImageError, r"\[0, 1\]"),
        ((photograph()[..., :1], photograph()), wf.ImageError, "RGB"),
        ((photograph(), photograph(), np.ones((2, 2))), wf.ImageError, r"\(2, 2\)"),
    ],
)
def test_errors(arguments, error, message):
    with pytest.raises(error, match=message):
        wf.fit(wf.Cascade(), *arguments)


def test_starts_is_at_least_one():
    with pytest.raises(wf.FilterError, match=r"starts.*0"):
        wf.fit(wf.Cascade(), photograph(), photograph(), starts=0)


@pytest.mark.parametrize("missing", ["torch", "array_api_compat"])
def test_without_torch_the_error_names_the_extra(run_python, missing):
    code = f"""
import sys
sys.modules[{missing!r}] = None
import numpy as np, whitebox_filters as wf
try:
    wf.fit(wf.Cascade(), np.zeros((2, 2, 3)), np.ones((2, 2, 3)))
except wf.BackendError as error:
    print(error)
"""
    assert "whitebox-filters[torch]" in run_python(code)
