"""Blacks: where black lies; hung from white, 1 / (1 - I')^2 = 1 / (1 - I)^2 + amount."""

from __future__ import annotations

import math
from typing import Any

from whitebox_filters.registry import register
from whitebox_filters.scales import single
from whitebox_filters.spec import Array, Example, Filter, Prior

BLACK_HIGH = 0.2  # what black becomes at theta = 1, and what becomes black at -1
AMOUNT_LIMIT = 1 / (1 - BLACK_HIGH) ** 2 - 1

ONE = single(1)


def coefficients(xp: Any, theta: Array, statistic: Array | None) -> tuple[Array, ...]:
    """How much 1 / (1 - I)^2 grows."""
    return (AMOUNT_LIMIT * theta,)


def array(xp: Any, rgb: Array, amount: Array) -> Array:
    # I + u (1 - v) is 1 - u v, and exactly I at theta = 0.
    below = 1 - rgb
    return rgb + below * (1 - (1 + amount * below**2) ** -0.5)


def pixel(r: float, g: float, b: float, amount: float) -> tuple[float, float, float]:
    red, green, blue = ONE - r, ONE - g, ONE - b
    return (
        r + red * (ONE - ONE / math.sqrt(ONE + amount * red * red)),
        g + green * (ONE - ONE / math.sqrt(ONE + amount * green * green)),
        b + blue * (ONE - ONE / math.sqrt(ONE + amount * blue * blue)),
    )


def inverse(theta: float) -> float:
    return -theta


BLACKS = register(
    Filter(
        name="blacks",
        summary="the black point brighter above 0, darker below; the darker a tone, the more it moves",
        source="the blacks of raw converters, the whites filter upside down; not among the paper's six",
        statistic=None,
        coefficients=coefficients,
        array=array,
        pixel=pixel,
        inverse=inverse,
        monotone=True,
        prior=Prior(0.0, 0.3),
        channels="same",
        words=("black darker", "black brighter"),
        examples=(
            Example(0.0, 1.0, 0.2, "black becomes 0.2"),
            Example(0.2, -1.0, 0.0, "0.2 becomes black"),
            Example(0.5, -1.0, 0.46064, "1 - 1 / sqrt(1 / 0.25 - 0.5625)"),
        ),
    )
)
