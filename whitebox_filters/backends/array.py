"""The array backend: filters one by one on NumPy planes (the oracle) or torch tensors (differentiable)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from whitebox_filters.aliases import Array
from whitebox_filters.statistics import measure

if TYPE_CHECKING:
    from whitebox_filters.spec import Filter


def steps(
    xp: Any,
    filters: Sequence[Filter],
    planes: Array,
    theta: Array,
    statistics: Sequence[Any],
    alpha: Array | None = None,
) -> Iterator[tuple[Array, Array | None]]:
    """Yield after each filter the planes (3, ..., H, W) in [0, 1] and the statistic that it used (Eq. 4).

    `theta` has shape (..., k). `statistics` has a frozen value for each filter, or None to measure; measuring weights
    pixels by `alpha`, or counts all alike.
    """
    for index, filter in enumerate(filters):
        statistic = statistics[index]
        if statistic is None and filter.statistic is not None:
            statistic = measure(xp, planes, filter.statistic, alpha)
        if statistic is not None:
            # In theta's dtype, since only then is theta = 0 exactly the identity.
            statistic = statistic + 0 * theta[..., index]
        coefficients = filter.coefficients(xp, theta[..., index], statistic)
        shaped = [xp.astype(value[..., None, None], planes.dtype) for value in coefficients]
        planes = clamp(xp, filter.array(xp, planes, *shaped))
        yield planes, statistic


def clamp(xp: Any, planes: Array) -> Array:
    """Clamp to [0, 1] with derivative 1 at 0 and at 1 themselves.

    Every black or white pixel of a photograph lies there, and torch's own clamp would pass no gradient from it.
    """
    if xp is np:
        return np.clip(planes, 0, 1)
    return xp.where(planes < 0, xp.zeros_like(planes), xp.where(planes > 1, xp.ones_like(planes), planes))


def blend(filtered: Array, original: Array, alpha: Array | None) -> Array:
    """Eq. 5: filtered where alpha is 1, the original bit for bit where alpha is 0."""
    return filtered if alpha is None else filtered * alpha + original * (1 - alpha)
