"""Tint: green (theta < 0) or magenta (theta > 0), across from temperature's blue and orange."""

from __future__ import annotations

import math
from typing import Any

from whitebox_filters.registry import register
from whitebox_filters.scales import GREEN_LUMA
from whitebox_filters.spec import Array, Filter, Prior

RATIO_LIMIT = 2.0  # of the gain of red and blue to that of green, at theta = 1


def coefficients(xp: Any, theta: Array, statistic: Array | None) -> tuple[Array, ...]:
    """The gain of red and blue, and that of green; weighted by luma their geometric mean is 1."""
    ratio = math.log(RATIO_LIMIT)
    return xp.exp(GREEN_LUMA * ratio * theta), xp.exp(-(1 - GREEN_LUMA) * ratio * theta)


def array(xp: Any, rgb: Array, magenta: Array, green: Array) -> Array:
    return xp.stack([rgb[0] * magenta, rgb[1] * green, rgb[2] * magenta])


def pixel(r: float, g: float, b: float, magenta: float, green: float) -> tuple[float, float, float]:
    return r * magenta, g * green, b * magenta


def inverse(theta: float) -> float:
    return -theta


TINT = register(
    Filter(
        name="tint",
        summary="towards magenta above 0, towards green below, grey kept about as light as it was",
        source="the white balance's second axis in raw converters, as gains; not among the paper's six",
        statistic=None,
        coefficients=coefficients,
        array=array,
        pixel=pixel,
        inverse=inverse,
        monotone=False,
        prior=Prior(0.0, 0.2),
        channels="each",
        words=("greener", "more magenta"),
    )
)
