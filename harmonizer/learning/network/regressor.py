"""From pooled features to the filter arguments."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

Activation = Callable[[Tensor], Tensor]


class CascadeRegressor(nn.Module):
    """Eq. 7: each head gets the state of the head before it, and the feature of the image.

    There is a ReLU between the heads; without it the whole cascade would be affine in the features, the same
    functions as separate heads. tanh keeps theta in (-1, 1) with a gradient everywhere.
    """

    def __init__(
        self,
        features: int,
        count: int,
        hidden: int = 160,
        activation: Activation = torch.relu,
        squash: Activation = torch.tanh,
    ) -> None:
        super().__init__()
        self.activation, self.squash = activation, squash
        self.start = nn.Linear(features, hidden)
        self.shared = nn.Linear(features, hidden)
        self.heads = nn.ModuleList(nn.Linear(2 * hidden, hidden) for _ in range(count))
        self.outputs = nn.ModuleList(identity_output(hidden) for _ in range(count))

    def forward(self, features: Tensor) -> Tensor:
        """Features (N, features) to theta (N, count) in (-1, 1)."""
        state, shared = self.activation(self.start(features)), self.activation(self.shared(features))
        theta = []
        for head, output in zip(self.heads, self.outputs, strict=True):
            state = self.activation(head(torch.cat([state, shared], dim=1)))
            theta.append(output(state))
        return self.squash(torch.cat(theta, dim=1))


class MultiHeadRegressor(nn.Module):
    """Eq. 6, the baseline of Table 4: one independent head for each filter."""

    def __init__(self, features: int, count: int, hidden: int = 160) -> None:
        super().__init__()
        self.heads = nn.ModuleList(
            nn.Sequential(nn.Linear(features, hidden), nn.ReLU(), identity_output(hidden)) for _ in range(count)
        )

    def forward(self, features: Tensor) -> Tensor:
        """Features (N, features) to theta (N, count) in (-1, 1)."""
        return torch.tanh(torch.cat([head(features) for head in self.heads], dim=1))


def _unchanged(features: Tensor) -> Tensor:
    return features


REGRESSORS: dict[str, Callable[[int, int], nn.Module]] = {
    "cascade": CascadeRegressor,
    "multihead": MultiHeadRegressor,
    # Without ReLU, to measure what it is worth.
    "affine": partial(CascadeRegressor, activation=_unchanged),
    # As the authors released it: affine in the features, and clamped; for their weights only.
    "released": partial(CascadeRegressor, activation=_unchanged, squash=partial(torch.clamp, min=-1, max=1)),
}


def identity_output(hidden: int, count: int = 1) -> nn.Linear:
    """Start at theta = 0, the identity, where every registered filter has a live gradient."""
    output = nn.Linear(hidden, count)
    nn.init.zeros_(output.weight)
    nn.init.zeros_(output.bias)
    return output
