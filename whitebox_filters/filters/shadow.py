"""Shadow: a power curve hung from black, I^(1 - theta)."""

from __future__ import annotations

from typing import Any

from whitebox_filters.registry import register
from whitebox_filters.scales import power, single
from whitebox_filters.spec import Array, Example, Filter, Prior

# Within one 8-bit level of black the curve is a straight line: its slope stays below 255^|theta|.
TOE = 1 / 255

TOE_32 = single(TOE)


def coefficients(xp: Any, theta: Array, statistic: Array | None) -> tuple[Array, ...]:
    """-theta, the exponent of the gain."""
    return (-theta,)


def array(xp: Any, rgb: Array, exponent: Array) -> Array:
    return rgb * xp.exp(exponent * xp.log(xp.where(rgb > TOE, rgb, TOE + 0 * rgb)))


def pixel(r: float, g: float, b: float, exponent: float) -> tuple[float, float, float]:
    return r * power(max(r, TOE_32), exponent), g * power(max(g, TOE_32), exponent), b * power(max(b, TOE_32), exponent)


def inverse(theta: float) -> float:
    return -theta / (1 - theta) if theta < 1 else float("-inf")


SHADOW = register(
    Filter(
        name="shadow",
        summary="lifts above 0, deepens below; strongest in the dark tones",
        source="the released filter; its unbounded gradient at black is mended by a straight first 8-bit level",
        statistic=None,
        coefficients=coefficients,
        array=array,
        pixel=pixel,
        inverse=inverse,
        monotone=True,
        prior=Prior(0.0, 0.2),
        channels="same",
        words=("dark tones darker", "dark tones brighter"),
        examples=(
            Example(204 / 255, -0.7, 174 / 255, "paper, Fig. 4"),
            Example(174 / 255, 0.7, 227 / 255, "paper, Fig. 4"),
        ),
    )
)
