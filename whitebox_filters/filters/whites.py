"""Whites: where white lies; hung from black, 1 / I'^2 = 1 / I^2 - amount."""

from __future__ import annotations

import math
from typing import Any

from whitebox_filters.registry import register
from whitebox_filters.scales import single
from whitebox_filters.spec import Array, Example, Filter, Prior

WHITE_LOW = 0.8  # what becomes white at theta = 1, and what white becomes at -1
AMOUNT_LIMIT = 1 / WHITE_LOW**2 - 1

ONE = single(1)


def coefficients(xp: Any, theta: Array, statistic: Array | None) -> tuple[Array, ...]:
    """How much 1 / I^2 shrinks."""
    return (AMOUNT_LIMIT * theta,)


def array(xp: Any, rgb: Array, amount: Array) -> Array:
    return rgb / (1 - amount * rgb**2) ** 0.5


def pixel(r: float, g: float, b: float, amount: float) -> tuple[float, float, float]:
    return (
        r / math.sqrt(ONE - amount * r * r),
        g / math.sqrt(ONE - amount * g * g),
        b / math.sqrt(ONE - amount * b * b),
    )


def inverse(theta: float) -> float:
    return -theta


WHITES = register(
    Filter(
        name="whites",
        summary="the white point brighter above 0, darker below; the lighter a tone, the more it moves",
        source="the whites of raw converters, as a curve whose change grows with the third power of the value; not "
        "among the paper's six",
        statistic=None,
        coefficients=coefficients,
        array=array,
        pixel=pixel,
        inverse=inverse,
        monotone=True,
        prior=Prior(0.0, 0.3),
        channels="same",
        words=("white darker", "white brighter"),
        examples=(
            Example(0.8, 1.0, 1.0, "0.8 becomes white"),
            Example(1.0, -1.0, 0.8, "white becomes 0.8"),
            Example(0.5, 1.0, 0.53936, "1 / sqrt(1 / 0.25 - 0.5625)"),
        ),
    )
)
