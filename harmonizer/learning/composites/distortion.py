"""Eqs. 8 and 9: foregrounds that the filters themselves distort."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from harmonizer.learning.composites.draws import Draws, on_device
from whitebox_filters import Cascade


@dataclass(frozen=True)
class Distortion:
    """Makes composites by the filters of a cascade in opposite order."""

    cascade: Cascade
    """In that opposite order."""
    every: bool
    """Whether the network is told the picture after every filter, or the last one alone."""
    apply: Callable[..., Tensor]
    """What runs the whole cascade: itself, or what torch.compile made of it."""

    @classmethod
    def of(cls, cascade: Cascade, *, every: bool = True, compiled: bool = False) -> Distortion:
        """The distortion that the filters of `cascade` undo."""
        backwards = cascade.reversed()
        return cls(backwards, every, backwards.compile("torch") if compiled else backwards)

    def __call__(self, real: Tensor, mask: Tensor, draws: Draws) -> tuple[Tensor, list[Tensor]]:
        """The composite (N, 3, H, W) and the targets of Eq. 11: k, or the last alone.

        The filter that distorts last is the first that the network undoes, so the targets are the intermediate
        pictures in opposite order, and the last target is the photograph.
        """
        theta = self._sample_theta(draws)
        if not self.every:
            return self.apply(real, theta, mask), [real]
        trace = self.cascade.trace(real, theta, mask)
        return trace[-1], [*trace[-2::-1], real]

    def _sample_theta(self, draws: Draws) -> Tensor:
        """Draw (N, k) arguments from the filters' Gaussian priors, cut off at two deviations (Eq. 9).

        There lie the released ranges; further out a foreground clips to white or black, which no filter undoes.
        """
        priors = np.array([(filter.prior.mean, filter.prior.std) for filter in self.cascade.filters], np.float32)
        mean, std = on_device(priors.T, draws.device)
        return torch.addcmul(mean, std, draws.normal(len(self.cascade)).clamp(-2, 2))
