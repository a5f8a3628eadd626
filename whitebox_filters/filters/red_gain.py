"""Red gain: the red channel alone, times one number."""

from __future__ import annotations

import math
from typing import Any

from whitebox_filters.registry import register
from whitebox_filters.spec import Array, Example, Filter, Prior

GAIN_LIMIT = 2.0  # at theta = 1


def coefficients(xp: Any, theta: Array, statistic: Array | None) -> tuple[Array, ...]:
    """The gain."""
    return (xp.exp(math.log(GAIN_LIMIT) * theta),)


def array(xp: Any, rgb: Array, gain: Array) -> Array:
    return xp.stack([rgb[0] * gain, rgb[1], rgb[2]])


def pixel(r: float, g: float, b: float, gain: float) -> tuple[float, float, float]:
    return r * gain, g, b


def inverse(theta: float) -> float:
    return -theta


RED_GAIN = register(
    Filter(
        name="red_gain",
        summary="more red above 0, less below, by up to twice",
        source="the gain of one channel in colour grading; not among the paper's six",
        statistic=None,
        coefficients=coefficients,
        array=array,
        pixel=pixel,
        inverse=inverse,
        monotone=True,
        prior=Prior(0.0, 0.2),
        channels="each",
        words=("less red", "more red"),
        examples=(Example(0.4, 1.0, 0.8, "twice the red"),),
    )
)
