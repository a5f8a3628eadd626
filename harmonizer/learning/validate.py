"""How good a network is on photographs kept from training."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from harmonizer.learning import synthesis
from harmonizer.learning.data import draw
from harmonizer.learning.model import Network
from harmonizer.learning.photos import Photos


@dataclass(frozen=True)
class Validation:
    """What `validate` found.

    `scores` holds for eq8 and each recipe the mean foreground squared error (0-255) of the composites, as
    `<name>_before`, and of the harmonized pictures, as `<name>_after`; `theta` (count, k) what the network predicted
    for the composites of Eq. 8; `examples` (3, H, W) in [0, 1] a row each of composite, harmonized and real.
    """

    scores: dict[str, float]
    theta: Tensor
    examples: Tensor

    @property
    def score(self) -> float:
        """The share of the error that is left, averaged over the kinds of composites: 1 for doing nothing."""
        names = [name.removesuffix("_after") for name in self.scores if name.endswith("_after")]
        shares = [self.scores[f"{name}_after"] / max(self.scores[f"{name}_before"], 1e-6) for name in names]
        return sum(shares) / len(shares)


@torch.no_grad()
def validate(network: Network, held_out: Photos, count: int = 96) -> Validation:
    """Harmonize the same composites at each call, `count` of each kind, at the network's input size.

    Photographs are whole, as those that come to be harmonized; crops show larger foregrounds, which are easier.
    Of few photographs fewer composites are made, four of each.
    """
    count = min(count, 4 * len(held_out))
    size, device = network.config.input_size, next(network.parameters()).device
    generator = Generator().manual_seed(1)
    indices = torch.randint(len(held_out), (2 * count,), generator=generator)
    pictures, shapes = draw(held_out, indices, size, generator, whole=1.0)
    real, guides, mask = pictures[:count, :3], pictures[:count, 3:], shapes[:count]
    composites = {"eq8": synthesis.distort(real, mask, network.cascade, generator)[0]}
    for name in synthesis.RECIPES:
        composites[name] = synthesis.apply_recipe(name, real, mask, pictures[count:, :3], shapes[count:], generator)
    scores: dict[str, float] = {}
    thetas, rows = [], []
    for name, composite in composites.items():
        pairs = zip(torch.cat([composite, guides], dim=1).chunk(4), mask.chunk(4), strict=True)
        theta = torch.cat([network(some.to(device), masks.to(device)).cpu() for some, masks in pairs])
        harmonized = network.cascade(composite, theta, mask)
        scores[f"{name}_before"] = _fmse(composite, real, mask)
        scores[f"{name}_after"] = _fmse(harmonized, real, mask)
        thetas.append(theta)
        rows.append(torch.cat([composite[0], harmonized[0], real[0]], dim=2))
    return Validation(scores, thetas[0], torch.cat(rows, dim=1))


def _fmse(picture: Tensor, real: Tensor, mask: Tensor) -> float:
    inside = (mask > 0.5).float()
    squared = ((picture - real) * 255) ** 2 * inside
    return float((squared.sum(dim=(1, 2, 3)) / (3 * inside.sum(dim=(1, 2, 3)) + 1)).mean())
