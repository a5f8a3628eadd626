"""Hue: all colours turned about the grey axis by one angle, at constant luma."""

from __future__ import annotations

import math
from typing import Any

from whitebox_filters.registry import register
from whitebox_filters.scales import BLUE_LUMA, GREEN_LUMA, RED_LUMA, single
from whitebox_filters.spec import Array, Filter, Prior

ANGLE = math.radians(60)  # at theta = 1, from red to yellow

RED_32, BLUE_32 = single(RED_LUMA), single(BLUE_LUMA)


def coefficients(xp: Any, theta: Array, statistic: Array | None) -> tuple[Array, ...]:
    """How much of the difference to the next, and to the one before, each channel takes on: red, green, blue, red."""
    even, odd = (1 - xp.cos(ANGLE * theta)) / 3, xp.sin(ANGLE * theta) / math.sqrt(3)
    return even - odd, even + odd


def array(xp: Any, rgb: Array, following: Array, preceding: Array) -> Array:
    r, g, b = rgb[0], rgb[1], rgb[2]
    # The rotation changes each channel by differences only: by nothing at grey, by nothing where both are 0.
    change = xp.stack(
        [
            following * (g - r) + preceding * (b - r),
            following * (b - g) + preceding * (r - g),
            following * (r - b) + preceding * (g - b),
        ]
    )
    luma = RED_LUMA * change[0] + GREEN_LUMA * change[1] + BLUE_LUMA * change[2]
    return rgb + (change - luma)


def pixel(r: float, g: float, b: float, following: float, preceding: float) -> tuple[float, float, float]:
    red_green, green_blue, blue_red = r - g, g - b, b - r
    red = preceding * blue_red - following * red_green
    green = preceding * red_green - following * green_blue
    blue = preceding * green_blue - following * blue_red
    luma = green + RED_32 * (red - green) + BLUE_32 * (blue - green)
    return r + (red - luma), g + (green - luma), b + (blue - luma)


HUE = register(
    Filter(
        name="hue",
        summary="hues turned from red towards yellow above 0, from red towards magenta below; greys stay",
        source="a rotation of RGB about the grey axis (Rodrigues) by up to 60 degrees, with luma (Rec. 709) given "
        "back; not among the paper's six",
        statistic=None,
        coefficients=coefficients,
        array=array,
        pixel=pixel,
        inverse=None,
        monotone=False,
        prior=Prior(0.0, 0.15),
        channels="mixed",
        words=("turned back on the colour wheel", "turned on along the colour wheel"),
    )
)
