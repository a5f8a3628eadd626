"""Blue gain: the blue channel alone, times one number."""

from __future__ import annotations

import math
from typing import Any

from whitebox_filters.registry import register
from whitebox_filters.spec import Array, Filter, Prior

GAIN_LIMIT = 2.0  # at theta = 1


def coefficients(xp: Any, theta: Array, statistic: Array | None) -> tuple[Array, ...]:
    """The gain."""
    return (xp.exp(math.log(GAIN_LIMIT) * theta),)


def array(xp: Any, rgb: Array, gain: Array) -> Array:
    return xp.stack([rgb[0], rgb[1], rgb[2] * gain])


def pixel(r: float, g: float, b: float, gain: float) -> tuple[float, float, float]:
    return r, g, b * gain


def inverse(theta: float) -> float:
    return -theta


BLUE_GAIN = register(
    Filter(
        name="blue_gain",
        summary="more blue above 0, less below, by up to twice",
        source="the gain of one channel in colour grading; not among the paper's six",
        statistic=None,
        coefficients=coefficients,
        array=array,
        pixel=pixel,
        inverse=inverse,
        monotone=True,
        prior=Prior(0.0, 0.2),
        channels="each",
        words=("less blue", "more blue"),
    )
)
