"""Exposure: more or less light, in stops; a gain of linear light, not of the encoded values."""

from __future__ import annotations

from typing import Any

from whitebox_filters.registry import register
from whitebox_filters.scales import power, single
from whitebox_filters.spec import Array, Example, Filter, Prior

STOPS = 4.0  # at theta = 1
# The transfer function of sRGB: a straight line up to the knee, then a power curve.
SLOPE, OFFSET, SCALE, POWER = 12.92, 0.055, 1.055, 2.4
KNEE = 0.04045  # of the encoded value
LINEAR_KNEE = KNEE / SLOPE

SLOPE_32, OFFSET_32, SCALE_32, POWER_32, ROOT_32 = map(single, (SLOPE, OFFSET, SCALE, POWER, 1 / POWER))
KNEE_32, LINEAR_KNEE_32 = single(KNEE), single(LINEAR_KNEE)


def coefficients(xp: Any, theta: Array, statistic: Array | None) -> tuple[Array, ...]:
    """The gain of linear light."""
    return (2 ** (STOPS * theta),)


def array(xp: Any, rgb: Array, gain: Array) -> Array:
    curved = xp.where(rgb > KNEE, rgb, KNEE + 0 * rgb)
    linear = xp.where(rgb > KNEE, ((curved + OFFSET) / SCALE) ** POWER, rgb / SLOPE)
    # A difference, since to decode and encode alone would not give a value back to the last bit.
    return rgb + (_encode(xp, linear * gain) - _encode(xp, linear))


def _encode(xp: Any, linear: Array) -> Array:
    curved = xp.where(linear > LINEAR_KNEE, linear, LINEAR_KNEE + 0 * linear)
    return xp.where(linear > LINEAR_KNEE, SCALE * curved ** (1 / POWER) - OFFSET, SLOPE * linear)


def pixel(r: float, g: float, b: float, gain: float) -> tuple[float, float, float]:
    def encode(linear: float) -> Any:
        if linear > LINEAR_KNEE_32:
            return SCALE_32 * power(linear, ROOT_32) - OFFSET_32
        return SLOPE_32 * linear

    def expose(value: float) -> Any:
        linear = power((value + OFFSET_32) / SCALE_32, POWER_32) if value > KNEE_32 else value / SLOPE_32
        return value + (encode(linear * gain) - encode(linear))

    return expose(r), expose(g), expose(b)


def inverse(theta: float) -> float:
    return -theta


EXPOSURE = register(
    Filter(
        name="exposure",
        summary="more light above 0, less below, by up to four stops",
        source="exposure of raw converters in stops, a gain of linear light under the transfer function of sRGB "
        "(IEC 61966-2-1), without a shoulder for what it clips; not among the paper's six",
        statistic=None,
        coefficients=coefficients,
        array=array,
        pixel=pixel,
        inverse=inverse,
        monotone=True,
        prior=Prior(0.0, 0.2),
        channels="same",
        words=("less light", "more light"),
        examples=(
            Example(0.5, 0.25, 0.68586, "sRGB 0.5 is 0.21404 of full light; one stop more is 0.42808"),
            Example(0.5, -0.25, 0.36078, "one stop less is 0.10702"),
        ),
    )
)
