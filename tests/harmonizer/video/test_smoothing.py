"""Eq. 14 and the One Euro filter."""

from __future__ import annotations

import numpy as np
import pytest

from harmonizer.video.smoothing import EmaState, ema, one_euro


def run(smooth, values, seconds=1 / 30):
    state, out = None, []
    for value in values:
        state = smooth(state, np.asarray(value, np.float64), seconds)
        out.append(state.theta)
    return np.array(out)


def test_ema_is_equation_14():
    first = ema(None, np.array([0.5, -0.5]), 0.1, alpha=0.9)
    np.testing.assert_array_equal(first.theta, [0.5, -0.5])
    np.testing.assert_allclose(ema(first, np.array([0.0, 0.1]), 0.1, alpha=0.9).theta, [0.05, 0.04])


def test_ema_with_alpha_1_does_not_smooth():
    values = np.random.default_rng(0).uniform(-1, 1, (9, 3))
    np.testing.assert_array_equal(run(lambda *a: ema(*a, alpha=1.0), values), values)


def test_ema_settles_geometrically():
    out = run(lambda *a: ema(*a, alpha=0.3), [[0.0]] + [[1.0]] * 8)
    np.testing.assert_allclose(1 - out[:, 0], 0.7 ** np.arange(9))


@pytest.mark.parametrize("alpha", [0.0, -0.1, 1.1])
def test_alpha_has_a_range(alpha):
    with pytest.raises(ValueError, match=r"\(0, 1\]"):
        ema(None, np.zeros(1), 0.1, alpha=alpha)


def test_states_are_values():
    state = EmaState(np.array([1.0]))
    ema(state, np.array([0.0]), 0.1, alpha=0.5)
    np.testing.assert_array_equal(state.theta, [1.0])
    with pytest.raises(AttributeError):
        state.theta = np.zeros(1)


def test_one_euro_without_beta_is_a_low_pass():
    out = run(lambda *a: one_euro(*a, cutoff=2.0, beta=0.0), [[0.0]] + [[1.0]] * 5, seconds=0.1)
    rate = 2 * np.pi * 2.0 * 0.1
    np.testing.assert_allclose(1 - out[:, 0], (1 / (1 + rate)) ** np.arange(6))


def test_one_euro_follows_what_is_fast_and_calms_what_is_small():
    step = [[0.0]] * 3 + [[1.0]] * 3
    slow = run(lambda *a: one_euro(*a, cutoff=0.5, beta=0.0), step)
    fast = run(lambda *a: one_euro(*a, cutoff=0.5, beta=2.0), step)
    assert fast[-1, 0] > 2 * slow[-1, 0]
    jitter = 0.01 * np.resize([1.0, -1.0], (60, 1))
    calm = run(lambda *a: one_euro(*a, cutoff=0.5, beta=2.0), jitter)
    assert np.abs(np.diff(calm, axis=0)).mean() < 0.25 * np.abs(np.diff(jitter, axis=0)).mean()


def test_one_euro_counts_seconds_and_not_frames():
    thirty = run(lambda *a: one_euro(*a, cutoff=1.0, beta=0.0), [[0.0]] + [[1.0]] * 30, 1 / 30)[-1, 0]
    ninety = run(lambda *a: one_euro(*a, cutoff=1.0, beta=0.0), [[0.0]] + [[1.0]] * 90, 1 / 90)[-1, 0]
    assert abs(thirty - ninety) < 0.01
