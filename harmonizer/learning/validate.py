"""How good a network is on held-out photographs and scenes."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from harmonizer.learning.composites.augment import Augmentation
from harmonizer.learning.composites.batches import Mixture, make_batch
from harmonizer.learning.composites.distortion import Distortion
from harmonizer.learning.composites.draws import draw
from harmonizer.learning.composites.kinds import EQ8, KINDS, SCENES, UNTOUCHED
from harmonizer.learning.composites.sources.sources import Sources
from harmonizer.learning.network.network import Network

SEED = 1
UNCROPPED = Augmentation(uncropped=1.0)
"""Photographs stay whole, as in use; crops show larger foregrounds, which are easier."""


@dataclass(frozen=True)
class Validation:
    """The results of `validate`.

    `scores` holds, for eq8 and each of KINDS, the mean foreground squared error (0-255) of the composites, as
    `<name>_before`, and of the harmonized pictures, as `<name>_after`. `theta` (count, k) holds the predictions for the
    composites of Eq. 8, `examples` (3, H, W) in [0, 1] for each kind a row of composite, harmonized and real.
    """

    scores: dict[str, float]
    theta: Tensor
    examples: Tensor

    @property
    def score(self) -> float:
        """The share of the error that is left, averaged over the kinds that have an error: 1 for doing nothing."""
        names = [name.removesuffix("_after") for name in self.scores if name.endswith("_after")]
        names = [name for name in names if name != UNTOUCHED]
        shares = [self.scores[f"{name}_after"] / max(self.scores[f"{name}_before"], 1e-6) for name in names]
        return sum(shares) / len(shares)


@torch.no_grad()
def validate(network: Network, held_out: Sources, count: int = 96) -> Validation:
    """Harmonize `count` composites of each kind, the same at each call, at the network's input size.

    From few photographs fewer composites are made: four of each photograph.
    """
    count = min(count, 4 * len(held_out.photos))
    device = next(network.parameters()).device
    distortion = Distortion.of(network.cascade, all_targets=False)
    scores: dict[str, float] = {}
    thetas, rows = [], []
    for number, name in enumerate((EQ8, *KINDS)):
        if name == SCENES and held_out.scenes is None:
            continue
        draws = draw(SEED, number, range(count), device)
        mixture = Mixture({name: 1.0} if name != EQ8 else None, UNCROPPED)
        eq8_count = count if name == EQ8 else 0
        batch = make_batch(held_out, distortion, network.config.input_size, mixture, draws, eq8_count)
        chunks = zip(*(torch.split(each, 32) for each in batch.inputs), strict=True)
        theta = torch.cat([network(composite, mask) for composite, mask in chunks])
        harmonized = network.cascade(batch.composite, theta, batch.mask)
        scores[f"{name}_before"] = _fmse(batch.composite, batch.real, batch.mask)
        scores[f"{name}_after"] = _fmse(harmonized, batch.real, batch.mask)
        thetas.append(theta.cpu())
        rows.append(torch.cat([batch.composite[0], harmonized[0], batch.real[0]], dim=2).cpu())
    return Validation(scores, thetas[0], torch.cat(rows, dim=1))


def _fmse(picture: Tensor, real: Tensor, mask: Tensor) -> float:
    inside = (mask > 0.5).float()
    squared = ((picture - real) * 255) ** 2 * inside
    return float((squared.sum(dim=(1, 2, 3)) / (3 * inside.sum(dim=(1, 2, 3)) + 1)).mean())
