"""Gamma: a power of a pixel's value (its largest channel), which moves the midtones and keeps hue and saturation."""

from __future__ import annotations

import math
from typing import Any

from whitebox_filters.registry import register
from whitebox_filters.scales import power, single
from whitebox_filters.spec import Array, Example, Filter, Prior

GAMMA_LIMIT = 2.0
# Within one 8-bit level of black the curve is a straight line: its slope stays below 255^|exponent|.
TOE = 1 / 255

TOE_32 = single(TOE)


def coefficients(xp: Any, theta: Array, statistic: Array | None) -> tuple[Array, ...]:
    """The exponent of the gain: value^(1/gamma) is value times value^(1/gamma - 1), with gamma = 2^theta."""
    return (xp.exp(-math.log(GAMMA_LIMIT) * theta) - 1,)


def array(xp: Any, rgb: Array, exponent: Array) -> Array:
    value = xp.max(rgb, axis=0)
    return rgb * xp.exp(exponent * xp.log(xp.where(value > TOE, value, TOE + 0 * value)))


def pixel(r: float, g: float, b: float, exponent: float) -> tuple[float, float, float]:
    gain = power(max(r, g, b, TOE_32), exponent)
    return r * gain, g * gain, b * gain


def inverse(theta: float) -> float:
    return -theta


GAMMA = register(
    Filter(
        name="gamma",
        summary="midtones brighter above 0, darker below; black, white, hue and saturation stay",
        source="gamma correction of the V of HSV, which unlike one of each channel is no second shadow filter; "
        "not among the paper's six",
        statistic=None,
        coefficients=coefficients,
        array=array,
        pixel=pixel,
        inverse=inverse,
        monotone=True,
        prior=Prior(0.0, 0.3),
        channels="mixed",
        words=("midtones darker", "midtones brighter"),
        examples=(Example(0.25, 1.0, 0.5, "0.25^(1/2)"), Example(0.5, -1.0, 0.25, "0.5^2")),
    )
)
