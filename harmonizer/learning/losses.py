"""Eqs. 11-13 of the paper."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

LAST = "last"
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
    always 1 and only the gradient has a meaning: log the plain L_i.
    """
    previous = [torch.zeros_like(losses[0]), *(loss.detach() for loss in losses[:-1])]
    added = torch.stack([torch.relu(loss - before) for loss, before in zip(losses, previous, strict=True)])
    return (added / (added.detach().sum(dim=0) + 1e-9)).sum(dim=0).mean()


def sum_loss(losses: Sequence[Tensor]) -> Tensor:
    """The sum of all L_i (N,), which is "no dynamic loss" in Table 4."""
    return torch.stack(list(losses)).sum(dim=0).mean()


def last_loss(losses: Sequence[Tensor]) -> Tensor:
    """MU times L_k (N,), as for composites without targets in between.

    Eq. 12 gives each picture the same weight, whether its error is large or small; but large errors make up most of a
    mean squared error.
    """
    return MU * losses[-1].mean()


COMBINATIONS: dict[str, Callable[[Sequence[Tensor]], Tensor]] = {
    "dynamic": dynamic_loss,
    "sum": sum_loss,
    LAST: last_loss,
}
"""Ways to combine the losses of the k steps."""


def total_loss(eq8_losses: Sequence[Tensor], final: Tensor, combination: str = "dynamic") -> Tensor:
    """Eq. 13: the L_i (N,) of Eq. 8 composites, combined by a key of COMBINATIONS, plus MU times L_k (M,) of others."""
    return COMBINATIONS[combination](eq8_losses) + MU * final.mean()
