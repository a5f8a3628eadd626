"""Highlight: a power curve hung from white, 1 - (1 - I)^(1 + theta)."""

from __future__ import annotations

from typing import Any

from whitebox_filters.registry import register
from whitebox_filters.scales import power, single
from whitebox_filters.spec import Array, Example, Filter, Prior

# Within one 8-bit level of white the curve is a straight line: its slope stays below 255^|theta|.
TOE = 1 / 255

ONE, TOE_32 = single(1), single(TOE)


def coefficients(xp: Any, theta: Array, statistic: Array | None) -> tuple[Array, ...]:
    """The exponent, theta itself."""
    return (theta,)


def array(xp: Any, rgb: Array, theta: Array) -> Array:
    # I + u (1 - u^theta) is 1 - u^(1 + theta), and exactly I at theta = 0.
    below = 1 - rgb
    return rgb + below * (1 - xp.exp(theta * xp.log(xp.where(below > TOE, below, TOE + 0 * below))))


def pixel(r: float, g: float, b: float, theta: float) -> tuple[float, float, float]:
    red, green, blue = ONE - r, ONE - g, ONE - b
    return (
        r + red * (ONE - power(max(red, TOE_32), theta)),
        g + green * (ONE - power(max(green, TOE_32), theta)),
        b + blue * (ONE - power(max(blue, TOE_32), theta)),
    )


def inverse(theta: float) -> float:
    return -theta / (1 + theta) if theta > -1 else float("inf")


HIGHLIGHT = register(
    Filter(
        name="highlight",
        summary="lifts above 0, recovers below; strongest in the light tones",
        source="the released filter; its unbounded gradient at white is mended by a straight last 8-bit level",
        statistic=None,
        coefficients=coefficients,
        array=array,
        pixel=pixel,
        inverse=inverse,
        monotone=True,
        prior=Prior(0.0, 0.2),
        channels="same",
        words=("light tones darker", "light tones brighter"),
        examples=(Example(0.75, -0.5, 0.5, "1 - 0.25^0.5"), Example(0.5, 1.0, 0.75, "1 - 0.5^2")),
    )
)
