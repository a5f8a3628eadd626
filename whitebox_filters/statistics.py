"""The means that some filters need to know of the frame, or of its foreground."""

from __future__ import annotations

from typing import Any

from whitebox_filters.aliases import Array, Statistic


def measure(xp: Any, planes: Array, statistic: Statistic, alpha: Array | None = None) -> Array:
    """Measure planes of shape (3, ..., H, W): `channel_means` gives (3, ...), `mean` gives (...).

    With `alpha` (..., H, W), the opacity of a mask, pixels count by it; where it is 0 all over, all count alike.
    """
    if alpha is None:
        means = xp.mean(planes, axis=(-2, -1))
    else:
        empty = xp.sum(alpha, axis=(-2, -1), keepdims=True) == 0
        weights = xp.where(empty, xp.ones_like(alpha), alpha)
        means = xp.sum(planes * weights, axis=(-2, -1)) / xp.sum(weights, axis=(-2, -1))
    return of_means(xp, means, statistic)


def of_means(xp: Any, means: Array, statistic: Statistic) -> Array:
    """The same of planes whose means (3, ...) are known."""
    return means if statistic == "channel_means" else xp.mean(means, axis=0)
