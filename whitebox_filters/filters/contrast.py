"""Contrast: stretch about the mean of the frame."""

from __future__ import annotations

from typing import Any

from whitebox_filters.registry import register
from whitebox_filters.scales import stretch
from whitebox_filters.spec import Array, Filter, Prior

# The released filter reaches 254 at theta = 1, by its floor(); 129 keeps closest to it over |theta| <= 0.9.
STRETCH_LIMIT = 129.0


def coefficients(xp: Any, theta: Array, statistic: Array | None) -> tuple[Array, ...]:
    """The mean over frame and channels, and how far to stretch away from it."""
    assert statistic is not None
    return statistic, stretch(xp, theta, STRETCH_LIMIT)


def array(xp: Any, rgb: Array, mean: Array, push: Array) -> Array:
    return rgb + (rgb - mean) * push


def pixel(r: float, g: float, b: float, mean: float, push: float) -> tuple[float, float, float]:
    return r + (r - mean) * push, g + (g - mean) * push, b + (b - mean) * push


CONTRAST = register(
    Filter(
        name="contrast",
        summary="more contrast above 0, less below, about the mean of the frame",
        source="the released filter without its floor(), which kills the gradient above 0 and jumps at 0",
        statistic="mean",
        coefficients=coefficients,
        array=array,
        pixel=pixel,
        inverse=None,
        monotone=False,
        prior=Prior(0.0, 0.25),
        channels="same",
        words=("less contrast", "more contrast"),
    )
)
