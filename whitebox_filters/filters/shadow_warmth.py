"""Shadow warmth: split toning's shadows, the dark tones towards orange (theta > 0) or azure (theta < 0)."""

from __future__ import annotations

from typing import Any

from whitebox_filters.registry import register
from whitebox_filters.scales import BLUE_LUMA, GREEN_LUMA, ORANGE, RED_LUMA, single
from whitebox_filters.spec import Array, Filter, Prior

WARMTH_LIMIT = 0.5  # at theta = 1
RED, GREEN, BLUE = ORANGE

ONE, RED_32, GREEN_32, BLUE_32 = map(single, (1, RED, GREEN, BLUE))
RED_LUMA_32, GREEN_LUMA_32, BLUE_LUMA_32 = single(RED_LUMA), single(GREEN_LUMA), single(BLUE_LUMA)


def coefficients(xp: Any, theta: Array, statistic: Array | None) -> tuple[Array, ...]:
    """The warmth at black: there the gains are 1 and this much of `ORANGE`."""
    return (WARMTH_LIMIT * theta,)


def array(xp: Any, rgb: Array, warmth: Array) -> Array:
    luma = RED_LUMA * rgb[0] + GREEN_LUMA * rgb[1] + BLUE_LUMA * rgb[2]
    toned = warmth * (1 - luma) ** 2
    return xp.stack([rgb[0] * (1 + RED * toned), rgb[1] * (1 + GREEN * toned), rgb[2] * (1 + BLUE * toned)])


def pixel(r: float, g: float, b: float, warmth: float) -> tuple[float, float, float]:
    darkness = ONE - (RED_LUMA_32 * r + GREEN_LUMA_32 * g + BLUE_LUMA_32 * b)
    toned = warmth * darkness * darkness
    return r + r * toned * RED_32, g + g * toned * GREEN_32, b + b * toned * BLUE_32


SHADOW_WARMTH = register(
    Filter(
        name="shadow_warmth",
        summary="dark tones warmer (towards orange) above 0, cooler (towards azure) below; light tones hardly move",
        source="split toning of raw converters, as gains that fall to 1 with the square of 1 - luma; "
        "not among the paper's six",
        statistic=None,
        coefficients=coefficients,
        array=array,
        pixel=pixel,
        inverse=None,
        monotone=False,
        prior=Prior(0.0, 0.25),
        channels="mixed",
        words=("dark tones cooler", "dark tones warmer"),
    )
)
