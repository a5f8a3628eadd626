"""Eqs. 11-13 of the paper."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

MU = 10.0
"""The weight of the squared term in Eq. 11 and of the real composites in Eq. 13."""


def image_loss(harmonized: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Eq. 11 for one step: sqrt(d^2 + 1e-6) + MU d^2, averaged over channels and the mask; (N,)."""
    squared = (harmonized - target) ** 2
    penalty = (torch.sqrt(squared + 1e-6) + MU * squared).mean(dim=1, keepdim=True)
    return (penalty * mask).sum(dim=(1, 2, 3)) / mask.sum(dim=(1, 2, 3)).clamp_min(1)


def dynamic_loss(losses: Sequence[Tensor]) -> Tensor:
    """Eq. 12: what each filter adds to the loss of the filter before it, as a share of all that is added.

    `losses` are the k per-image L_i (N,); L_{i-1} and the denominator count as constants, so the value is
    always 1 and only the gradient means something: log the plain L_i.
    """
    previous = [torch.zeros_like(losses[0]), *(loss.detach() for loss in losses[:-1])]
    added = torch.stack([torch.relu(loss - before) for loss, before in zip(losses, previous, strict=True)])
    return (added / (added.detach().sum(dim=0) + 1e-9)).sum(dim=0).mean()


def total_loss(synthetic: Sequence[Tensor], final: Tensor) -> Tensor:
    """Eq. 13: the dynamic loss of Eq. 8 composites plus MU times the last-step loss of all others, (M,)."""
    return dynamic_loss(synthetic) + MU * final.mean()
