"""How often each photograph is used."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harmonizer.learning.composites.draws import Draws

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class BalancedSampler:
    """Chooses a group by the square root of its size, then any of its members.

    If groups were chosen by their sizes, training would see little but the largest collection; if all were chosen
    equally often, the network would memorize the three pictures of the smallest.
    """

    order: Integers  # (N,) members, group after group
    first: Integers  # (K,) where each group begins in `order`
    counts: Integers  # (K,)
    bounds: npt.NDArray[np.float64]  # (K,) cumulative shares

    @classmethod
    def among(cls, groups: npt.NDArray[np.generic]) -> BalancedSampler:
        """A sampler of N members; `groups` (N,) names the group of each."""
        _, group, counts = np.unique(groups, return_inverse=True, return_counts=True)
        weights = np.sqrt(counts)
        return cls(
            np.argsort(group, kind="stable"), np.cumsum(counts) - counts, counts, np.cumsum(weights) / weights.sum()
        )

    def choose(self, draws: Draws) -> Integers:
        """A member for each picture, (N,)."""
        group = np.searchsorted(self.bounds, draws.numbers()[:, 0], side="right").clip(max=len(self.counts) - 1)
        return np.asarray(self.order[self.first[group] + draws.integers(self.counts[group])])
