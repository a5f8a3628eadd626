"""Which photographs are learned from how often."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harmonizer.learning.composites.draws import Draws

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Evenly:
    """Chooses a kind by the square root of its size, then any member of it.

    By its size alone the largest collection would be most of what is learned; if all kinds came alike often, the three
    pictures of the smallest would be known by heart.
    """

    order: Integers  # (N,) members, kind after kind
    first: Integers  # (K,) where each kind begins in `order`
    counts: Integers  # (K,)
    bounds: npt.NDArray[np.float64]  # (K,) cumulative shares

    @classmethod
    def among(cls, kinds: npt.NDArray[np.generic]) -> Evenly:
        """Of N members that each belong to one of several kinds, (N,)."""
        _, kind, counts = np.unique(kinds, return_inverse=True, return_counts=True)
        weights = np.sqrt(counts)
        return cls(
            np.argsort(kind, kind="stable"), np.cumsum(counts) - counts, counts, np.cumsum(weights) / weights.sum()
        )

    def choose(self, draws: Draws) -> Integers:
        """A member for each picture, (N,)."""
        kind = np.searchsorted(self.bounds, draws.numbers()[:, 0], side="right").clip(max=len(self.counts) - 1)
        return np.asarray(self.order[self.first[kind] + draws.integers(self.counts[kind])])
