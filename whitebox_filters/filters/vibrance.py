"""Vibrance: a saturation that moves muted colours most and full ones not at all, at constant luma."""

from __future__ import annotations

import math
from typing import Any

from whitebox_filters.registry import register
from whitebox_filters.scales import BLUE_LUMA, RED_LUMA, single
from whitebox_filters.spec import Array, Filter, Prior

GAIN_LIMIT = 3.0  # of the chroma of colours near grey, at theta = 1

ONE, HALF, RED_32, BLUE_32 = single(1), single(0.5), single(RED_LUMA), single(BLUE_LUMA)


def coefficients(xp: Any, theta: Array, statistic: Array | None) -> tuple[Array, ...]:
    """The gain of the chroma near grey."""
    return (xp.exp(math.log(GAIN_LIMIT) * theta),)


def array(xp: Any, rgb: Array, gain: Array) -> Array:
    r, g, b = rgb[0], rgb[1], rgb[2]
    # Squared, so that it is smooth at grey: 0 there, and 1 for the pure primary and secondary colours.
    chroma = ((r - g) ** 2 + (g - b) ** 2 + (b - r) ** 2) / 2
    # Of c / sqrt(1 - c^2), for a chroma c, `gain` is the exact gain: c stays below 1, and 1 stays 1.
    push = gain / (1 + (gain**2 - 1) * chroma) ** 0.5 - 1
    luma = g + RED_LUMA * (r - g) + BLUE_LUMA * (b - g)
    return rgb + (rgb - luma) * push


def pixel(r: float, g: float, b: float, gain: float) -> tuple[float, float, float]:
    # r - g and b - g give all three distances, and luma of a grey as exactly this grey.
    red, blue = r - g, b - g
    chroma = red * red - red * blue + blue * blue
    push = gain / math.sqrt(ONE - chroma + gain * gain * chroma) - ONE
    luma = RED_32 * red + BLUE_32 * blue
    return r + (red - luma) * push, g - luma * push, b + (blue - luma) * push


VIBRANCE = register(
    Filter(
        name="vibrance",
        summary="muted colours more vivid above 0, greyer below; full colours and greys stay",
        source="the vibrance of raw converters, as a gain of c / sqrt(1 - c^2) for a chroma c, without a guard for "
        "skin; not among the paper's six",
        statistic=None,
        coefficients=coefficients,
        array=array,
        pixel=pixel,
        inverse=None,
        monotone=False,
        prior=Prior(0.0, 0.3),
        channels="mixed",
        words=("muted colours greyer", "muted colours more vivid"),
    )
)
