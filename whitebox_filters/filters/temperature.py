"""Temperature: warm (theta > 0) or cool (theta < 0) by a grey-world gain for each channel."""

from __future__ import annotations

from typing import Any

from whitebox_filters.registry import register
from whitebox_filters.spec import Array, Filter, Prior

# Below this mean a channel is too dark to divide by: the gains of a dark frame stay bounded (by 9 at most).
MEAN_FLOOR = 1 / 16


def coefficients(xp: Any, theta: Array, statistic: Array | None) -> tuple[Array, ...]:
    """Three gains from the channel means (3, ...) and theta (...)."""
    assert statistic is not None
    none = 0 * theta
    cool, warm = xp.where(theta < 0, -theta, none), xp.where(theta < 0, none, theta)
    shift = xp.stack([cool, (cool + warm) / 2, warm])
    means = xp.where(statistic > MEAN_FLOOR, statistic, MEAN_FLOOR + 0 * statistic)
    gains = 1 + (xp.mean(means + shift, axis=0) / (means + shift) - xp.mean(means, axis=0) / means)
    return gains[0], gains[1], gains[2]


def array(xp: Any, rgb: Array, red: Array, green: Array, blue: Array) -> Array:
    return xp.stack([rgb[0] * red, rgb[1] * green, rgb[2] * blue])


def pixel(r: float, g: float, b: float, red: float, green: float, blue: float) -> tuple[float, float, float]:
    return r * red, g * green, b * blue


TEMPERATURE = register(
    Filter(
        name="temperature",
        summary="warmer (towards red) above 0, cooler (towards blue) below",
        source="grey-world gains of the released filter; its zero gradient at 0 and its unbounded gain on dark "
        "frames are mended (channel means count as at least 1/16)",
        statistic="channel_means",
        coefficients=coefficients,
        array=array,
        pixel=pixel,
        inverse=None,
        monotone=False,
        prior=Prior(0.0, 0.15),
        channels="each",
        words=("cooler", "warmer"),
    )
)
