"""The kinds of composites, by name: each makes of a photograph a composite and its target.

Pictures are (N, 3, H, W) in [0, 1], masks (N, 1, H, W).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from harmonizer.learning.composites import light
from harmonizer.learning.composites.draws import Draws, on_device
from harmonizer.learning.composites.renditions import choose_styles, render
from harmonizer.learning.composites.transfers import TRANSFERS, transfer

EQ8, RENDITIONS, UNTOUCHED, SCENES = "eq8", "renditions", "untouched", "scenes"

Adjustment = Callable[[Tensor, Tensor, Draws], Tensor]

ADJUSTMENTS: dict[str, Adjustment] = {
    "retouch": lambda real, mask, draws: light.retouch(real, draws),  # noqa: ARG005
    "relight": light.relight,
    "nightfall": lambda real, mask, draws: light.nightfall(real, draws),  # noqa: ARG005
}
KINDS = (RENDITIONS, *TRANSFERS, *ADJUSTMENTS, UNTOUCHED, SCENES)
"""All kinds but Eq. 8."""
REVERSIBLE = ("frames", *ADJUSTMENTS)
"""Kinds that change a whole frame realistically: the background may take the change instead of the foreground."""


def paste(foreground: Tensor, background: Tensor, mask: Tensor) -> Tensor:
    """The composite: the foreground on the background, blended by the mask."""
    return foreground * mask + background * (1 - mask)


def imitate(
    name: str, real: Tensor, mask: Tensor, reference: Tensor, reference_mask: Tensor, draws: Draws
) -> tuple[Tensor, Tensor]:
    """Composites of a kind, one of KINDS other than scenes, and their targets.

    A kind of REVERSIBLE changes the background in half of the pictures: then the photograph's own foreground lies on
    the changed picture, which is the target.
    """
    if name == RENDITIONS:
        foreground, target = (render(real, styles, draws) for styles in choose_styles(draws))
        return paste(foreground, target, mask), target
    if name == UNTOUCHED:
        return real, real
    swap = on_device(draws.chance(0.5 if name in REVERSIBLE else 0.0), real.device)[:, None, None, None]
    if name in ADJUSTMENTS:
        changed = ADJUSTMENTS[name](real, mask, draws)
    else:
        changed = transfer(name, real, mask, reference, reference_mask, draws)
    target = torch.where(swap, changed, real)
    return paste(torch.where(swap, real, changed), target, mask), target
