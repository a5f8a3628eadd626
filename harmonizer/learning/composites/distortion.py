"""Eqs. 8 and 9: the filters themselves distort the foreground."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from harmonizer.learning.composites.draws import Draws, on_device
from whitebox_filters import Cascade
from whitebox_filters.spec import Prior


@dataclass(frozen=True)
class Distortion:
    """Makes composites by running the filters of a cascade in reverse order."""

    cascade: Cascade
    """In reverse order."""
    all_targets: bool
    """Whether there is a target after every filter, or after the last one alone."""
    priors: tuple[Prior, ...]
    """The Gaussians of Eq. 9, one a filter, in the order of `cascade`."""
    apply: Callable[..., Tensor]
    """Runs the whole cascade: the cascade itself, or its form compiled by torch."""

    @classmethod
    def of(
        cls,
        cascade: Cascade,
        *,
        all_targets: bool = True,
        compiled: bool = False,
        priors: Mapping[str, Prior] | None = None,
    ) -> Distortion:
        """The distortion that the filters of `cascade` undo; `priors`, by filter name, replace the filters' own."""
        backwards = cascade.reversed()
        chosen = tuple((priors or {}).get(filter.name, filter.prior) for filter in backwards.filters)
        return cls(backwards, all_targets, chosen, backwards.compile("torch") if compiled else backwards)

    def __call__(self, real: Tensor, mask: Tensor, draws: Draws) -> tuple[Tensor, list[Tensor]]:
        """The composite (N, 3, H, W) and the targets of Eq. 11: k, or the last alone.

        The network first undoes the filter that distorted last, so the targets are the intermediate pictures in reverse
        order, and the last target is the photograph.
        """
        theta = self._sample_theta(draws)
        if not self.all_targets:
            return self.apply(real, theta, mask), [real]
        trace = self.cascade.trace(real, theta, mask)
        return trace[-1], [*trace[-2::-1], real]

    def _sample_theta(self, draws: Draws) -> Tensor:
        """Draw (N, k) arguments from Gaussians, cut off at two deviations and at -1 and 1 (Eq. 9).

        The released ranges lie within the filters' own; further out a foreground clips to white or black, which no
        filter undoes.
        """
        priors = np.array([(prior.mean, prior.std) for prior in self.priors], np.float32)
        mean, std = on_device(priors.T, draws.device)
        return torch.addcmul(mean, std, draws.normal(len(self.cascade)).clamp(-2, 2)).clamp(-1, 1)
