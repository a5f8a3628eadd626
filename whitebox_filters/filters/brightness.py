"""Brightness: one gain for all channels."""

from __future__ import annotations

from typing import Any

from whitebox_filters.registry import register
from whitebox_filters.scales import stretch
from whitebox_filters.spec import Array, Example, Filter, Prior

GAIN_LIMIT = 1000.0


def coefficients(xp: Any, theta: Array, statistic: Array | None) -> tuple[Array, ...]:
    """The gain: about 1/(1 - theta) above 0, exactly the reciprocal of gain(-theta) below."""
    brighter = 1 + stretch(xp, xp.where(theta < 0, -theta, theta), GAIN_LIMIT)
    return (xp.where(theta < 0, 1 / brighter, brighter),)


def array(xp: Any, rgb: Array, gain: Array) -> Array:
    return rgb * gain


def pixel(r: float, g: float, b: float, gain: float) -> tuple[float, float, float]:
    return r * gain, g * gain, b * gain


def inverse(theta: float) -> float:
    return -theta


BRIGHTNESS = register(
    Filter(
        name="brightness",
        summary="brighter above 0, darker below, by one gain",
        source="the V gain of the released HSV filter, a gain of RGB; its pole at 1 is bounded to 1000",
        statistic=None,
        coefficients=coefficients,
        array=array,
        pixel=pixel,
        inverse=inverse,
        monotone=True,
        prior=Prior(0.0, 0.25),
        channels="same",
        words=("darker", "brighter"),
        examples=(
            Example(0.4, 0.5, 0.8, "gain 1/(1 - 0.5)"),
            Example(0.8, -0.5, 0.4, "gain 1 - 0.5"),
        ),
    )
)
