"""Intervals by bootstrap: what other pictures of the kind would give."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]

DRAWS = 10_000


def sum_by_unit(units: Iterable[str], values: Sequence[Sequence[float]]) -> Numbers:
    """The sums (U, C) of the values (P, C) of P pictures, by the unit that each belongs to and is drawn with."""
    sums: dict[str, Numbers] = {}
    for unit, row in zip(units, values, strict=True):
        sums[unit] = sums.get(unit, 0.0) + np.asarray(row, np.float64)
    return np.array(list(sums.values()))


def resample(sums: Numbers, random: np.random.Generator) -> Numbers:
    """The column sums (DRAWS, C) of as many rows as there are (U, C), drawn again and again with replacement.

    All columns are drawn alike, so that differences between them are paired.
    """
    drawn = random.integers(len(sums), size=(DRAWS, len(sums)))
    return np.stack([column[drawn].sum(axis=1) for column in sums.T], axis=1)


def middle(values: Numbers) -> tuple[float, float]:
    """Between what 95 % of the values (DRAWS,) lie."""
    low, high = np.quantile(values, (0.025, 0.975))
    return float(low), float(high)
