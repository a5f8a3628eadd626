"""Fade: matte blacks, the dark end of the range raised in a straight line to white."""

from __future__ import annotations

import math
from typing import Any

from whitebox_filters.registry import register
from whitebox_filters.scales import single
from whitebox_filters.spec import Array, Example, Filter, Prior

MATTE = 0.3  # what black becomes at theta = 1, and what becomes black at -1

ONE = single(1)


def coefficients(xp: Any, theta: Array, statistic: Array | None) -> tuple[Array, ...]:
    """How much of the distance to white is taken away."""
    return (1 - xp.exp(math.log(1 - MATTE) * theta),)


def array(xp: Any, rgb: Array, veil: Array) -> Array:
    return rgb + (1 - rgb) * veil


def pixel(r: float, g: float, b: float, veil: float) -> tuple[float, float, float]:
    return r + (ONE - r) * veil, g + (ONE - g) * veil, b + (ONE - b) * veil


def inverse(theta: float) -> float:
    return -theta


FADE = register(
    Filter(
        name="fade",
        summary="matte blacks and a veil over the picture above 0, a veil taken off below",
        source="the raised black end of a tone curve, lift in colour grading: straight, so that white alone stays; "
        "not among the paper's six",
        statistic=None,
        coefficients=coefficients,
        array=array,
        pixel=pixel,
        inverse=inverse,
        monotone=True,
        prior=Prior(0.0, 0.25),
        channels="same",
        words=("deeper blacks", "matte blacks"),
        examples=(
            Example(0.0, 1.0, 0.3, "black becomes 0.3"),
            Example(0.3, -1.0, 0.0, "0.3 becomes black"),
            Example(0.5, 1.0, 0.65, "1 - 0.5 * 0.7"),
        ),
    )
)
