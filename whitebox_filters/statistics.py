"""The means that some filters need to know of the whole frame."""

from __future__ import annotations

from typing import Any

from whitebox_filters.spec import Array, Statistic


def measure(xp: Any, planes: Array, statistic: Statistic) -> Array:
    """Measure planes of shape (3, ..., H, W): `channel_means` gives (3, ...), `mean` gives (...)."""
    means = xp.mean(planes, axis=(-2, -1))
    return means if statistic == "channel_means" else xp.mean(means, axis=0)
