"""Theta over time: exponential moving average (Eq. 14) and One Euro filter, with explicit state.

Both are pure functions of the state after the last frame, which is None at the first frame of each shot.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from harmonizer.video.frames import Theta

# The default, chosen by benchmarks/ema.py: the least flicker of all that follow a step within a sixth of a second.
CUTOFF, BETA = 0.25, 4.0


@dataclass(frozen=True)
class EmaState:
    """The smoothed theta (k,) of the last frame."""

    theta: Theta


@dataclass(frozen=True)
class OneEuroState:
    """The smoothed theta (k,) of the last frame, and its smoothed speed in theta a second."""

    theta: Theta
    speed: Theta


Smoother = Callable[[Any, Theta, float], Any]
"""(state or None, theta, seconds since the last frame) -> state, whose `theta` is the smoothed one."""


def ema(state: EmaState | None, theta: Theta, seconds: float, *, alpha: float) -> EmaState:  # noqa: ARG001
    """Eq. 14: alpha times the current theta (k,) plus 1 - alpha times the last smoothed one; alpha in (0, 1].

    The average counts frames, not `seconds`.
    """
    if not 0 < alpha <= 1:
        raise ValueError(f"alpha lies in (0, 1], where 1 does not smooth; got {alpha}")
    return EmaState(theta if state is None else alpha * theta + (1 - alpha) * state.theta)


def one_euro(
    state: OneEuroState | None,
    theta: Theta,
    seconds: float,
    *,
    cutoff: float = CUTOFF,
    beta: float = BETA,
    speed_cutoff: float = 1.0,
) -> OneEuroState:
    """The One Euro filter (Casiez, Roussel and Vogel, CHI 2012): a low pass that opens when theta moves fast.

    `seconds` is the time since the last frame, above 0; `cutoff` and `speed_cutoff` are in Hz, and `beta` adds to the
    cutoff so many Hz for each unit of theta a second, each filter argument by itself.
    """
    if state is None:
        return OneEuroState(theta, np.zeros_like(theta))
    speed = _low_pass(state.speed, (theta - state.theta) / seconds, np.float64(speed_cutoff), seconds)
    return OneEuroState(_low_pass(state.theta, theta, cutoff + beta * np.abs(speed), seconds), speed)


def _low_pass(last: Theta, current: Theta, cutoff: Any, seconds: float) -> Theta:
    rate = 2 * math.pi * cutoff * seconds
    smoothed: Theta = last + rate / (rate + 1) * (current - last)
    return smoothed
