"""An auxiliary task of training: to predict statistics of the true foreground beside theta.

A network in use does not run it.
"""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from harmonizer.learning.composites.draws import on_device

QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
STATISTICS = 6 + len(QUANTILES)
LEVELS = 256


class AuxiliaryHead(nn.Module):
    """The features of `Network.features`, (N, features), to those of `foreground_statistics`, (N, STATISTICS)."""

    def __init__(self, features: int, width: int = 128) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(features, width), nn.GELU(), nn.Linear(width, STATISTICS))

    def forward(self, features: Tensor) -> Tensor:
        """See the class."""
        return cast(Tensor, self.layers(features))


def foreground_statistics(real: Tensor, mask: Tensor) -> Tensor:
    """Mean and deviation of red, green and blue, then QUANTILES of luma, over the foreground; (N, STATISTICS).

    Photographs (N, 3 or more, H, W) in [0, 1] and masks (N, 1, H, W). Without a foreground all are 0.
    """
    colours, weights = real[:, :3].flatten(2), mask.flatten(2)
    area = weights.sum(dim=2)
    mean = (colours * weights).sum(dim=2) / area.clamp_min(1e-6)
    variance = ((colours - mean[:, :, None]) ** 2 * weights).sum(dim=2) / area.clamp_min(1e-6)
    # A histogram takes a fraction of the time of sorting; pixels count as evenly spread within a level.
    levels = (colours.mean(dim=1) * LEVELS).long().clamp(0, LEVELS - 1)
    counts = area.new_zeros(len(real), LEVELS).scatter_add(1, levels, weights[:, 0])
    below = nn.functional.pad(counts.cumsum(dim=1), (1, 0))
    ranks = area * on_device(np.array(QUANTILES, np.float32), area.device)
    level = (torch.searchsorted(below, ranks) - 1).clamp(0, LEVELS - 1)
    within = (ranks - below.gather(1, level)) / counts.gather(1, level).clamp_min(1e-6)
    quantiles = (level + within.clamp(0, 1)) / LEVELS
    return torch.cat([mean, variance.sqrt(), quantiles * (area > 0)], dim=1)
