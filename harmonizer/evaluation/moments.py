"""Theta without a network: from the statistics of foreground and background alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from harmonizer.evaluation.samples import Composite
from harmonizer.evaluation.transfer import Colours
from whitebox_filters import Cascade

# Pixels that stand for a region, and for the frame, on which the filters measure.
DRAWN = 2048
STEPS = 6
# What an argument of one standard deviation of its prior costs, in units of the statistics.
RELUCTANCE = 0.04

# Lightness, red against blue, and green against both.
_OPPONENTS = np.array([[1 / 3, 1 / 3, 1 / 3], [1 / 2, 0, -1 / 2], [-1 / 4, 1 / 2, -1 / 4]])

# Real foreground from [1, composite's foreground, background], as `describe` has them: a ridge regression over
# composites of training photographs, by benchmarks/fit_statistics.py.
# fmt: off
EXPECTED = np.array([
    [ 0.230,  0.650, -0.015, -0.350, -0.205,  0.294, -1.305, -0.063, -0.041,  0.257, -0.073, -0.208, -0.073],
    [-0.009, -0.015,  0.531, -0.032,  0.090, -0.246,  0.714,  0.003,  0.289, -0.032, -0.006,  0.125,  0.030],
    [ 0.008, -0.008,  0.002,  0.549,  0.014,  0.002, -0.267, -0.016, -0.019,  0.348,  0.008,  0.069, -0.084],
    [ 0.035, -0.005,  0.017, -0.062,  0.784, -0.015, -0.429,  0.025,  0.027, -0.142,  0.044, -0.157,  0.047],
    [ 0.002,  0.000, -0.002, -0.052, -0.021,  0.669, -0.065,  0.022,  0.022, -0.014,  0.005,  0.029,  0.037],
    [ 0.004, -0.004,  0.003, -0.035, -0.013, -0.051,  0.748,  0.005,  0.004,  0.009,  0.002, -0.012,  0.093],
])
# fmt: on


def describe(pixels: Colours) -> Colours:
    """Means and deviations of lightness and two opponent colours, (6,), of RGB pixels (P, 3) in [0, 1]."""
    axes = pixels @ _OPPONENTS.T
    return np.concatenate([axes.mean(axis=0), axes.std(axis=0)])


def expect(foreground: Colours, background: Colours) -> Colours:
    """The expected description of the real foreground (6,), from those of the composite's two regions (6,) each.

    The best linear guess: hue goes about a third of the way to the background's, lightness to a middle tone.
    """
    expected: Colours = EXPECTED @ np.concatenate([[1.0], foreground, background])
    return expected


def choose_theta(cascade: Cascade, composite: Composite) -> Colours:
    """The theta (k,) in [-0.9, 0.9] that brings the foreground close to the expected description; large values cost.

    A few damped Gauss-Newton steps with numerical derivatives; zeros where foreground or background is missing.
    """
    pixels = composite.composite.reshape(-1, 1, 3) / 255
    inside = composite.foreground.ravel()
    random = np.random.default_rng(0)
    regions = [_draw(random, pixels[region]) for region in (np.ones_like(inside), inside, ~inside)]
    if min(map(len, regions)) < 2:
        return np.zeros(len(cascade))
    frame, foreground, background = regions
    goal = expect(describe(foreground[:, 0]), describe(background[:, 0]))
    reluctance = RELUCTANCE / np.array([filter.prior.std for filter in cascade.filters])

    def residual(theta: Colours) -> Colours:
        filtered = cascade(foreground, theta, statistics=cascade.statistics(frame, theta))
        return np.concatenate([describe(filtered[:, 0]) - goal, reluctance * theta])

    return _descend(residual, len(cascade))


def _descend(residual: Callable[[Colours], Colours], count: int) -> Colours:
    """Levenberg-Marquardt from 0 on the sum of squares."""
    theta, damping, step = np.zeros(count), 1e-4, 1e-3
    error = residual(theta)
    for _ in range(STEPS):
        jacobian = np.stack([(residual(theta + step * axis) - error) / step for axis in np.eye(count)], axis=1)
        move = np.linalg.solve(jacobian.T @ jacobian + damping * np.eye(count), -jacobian.T @ error)
        moved = np.clip(theta + np.clip(move, -0.4, 0.4), -0.9, 0.9)
        new_error = residual(moved)
        if np.sum(new_error**2) < np.sum(error**2):
            theta, error, damping = moved, new_error, damping / 5
        else:
            damping *= 10
    return theta


def _draw(random: np.random.Generator, pixels: Colours) -> Colours:
    return pixels if len(pixels) <= DRAWN else random.choice(pixels, DRAWN, replace=False)
