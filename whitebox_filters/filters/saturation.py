"""Saturation: push each pixel away from, or pull it to, the grey of its HSL lightness."""

from __future__ import annotations

from typing import Any

from whitebox_filters.registry import register
from whitebox_filters.scales import single, stretch
from whitebox_filters.spec import Array, Filter, Prior

GAIN_LIMIT = 1000.0
# Past full HSL saturation the released filter stops, and with it the gradient of half of the pixels at
# theta = 0.3. A tenth of the push goes on there.
LEAK = 0.1
# A chroma below this is grey: it keeps the division finite and changes no grey pixel.
GREY = 1e-6

ZERO, ONE, TWO = single(0), single(1), single(2)
HALF, LEAK_32, GREY_32 = single(0.5), single(LEAK), single(GREY)


def coefficients(xp: Any, theta: Array, statistic: Array | None) -> tuple[Array, ...]:
    """The gain of the chroma."""
    return (1 + stretch(xp, theta, GAIN_LIMIT),)


def array(xp: Any, rgb: Array, gain: Array) -> Array:
    high, low = xp.max(rgb, axis=0), xp.min(rgb, axis=0)
    total = high + low
    room = xp.where(total < 1, total, 2 - total) / (high - low + GREY)
    full = xp.where(room > 1, room, 1 + 0 * room)
    limited = xp.where(gain < full, gain, full + LEAK * (gain - full))
    return rgb + (rgb - total / 2) * (limited - 1)


def pixel(r: float, g: float, b: float, gain: float) -> tuple[float, float, float]:
    high, low = max(r, g, b), min(r, g, b)
    total = high + low
    full = max(ONE, min(total, TWO - total) / (high - low + GREY_32))
    push = min(gain, full) + LEAK_32 * max(gain - full, ZERO) - ONE
    grey = HALF * total
    return r + (r - grey) * push, g + (g - grey) * push, b + (b - grey) * push


SATURATION = register(
    Filter(
        name="saturation",
        summary="more vivid above 0, greyer below",
        source="the released HSL push; past full saturation it goes on with a tenth of the slope instead of none",
        statistic=None,
        coefficients=coefficients,
        array=array,
        pixel=pixel,
        inverse=None,
        monotone=False,
        prior=Prior(0.0, 0.3),
        channels="mixed",
        words=("greyer", "more vivid"),
    )
)
