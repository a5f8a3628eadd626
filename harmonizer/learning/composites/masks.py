"""Bad masks: what people who outline an object in a hurry give to a program.

Masks are (N, 1, S, S), float32 in [0, 1].
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate, max_pool2d

from harmonizer.learning.composites.draws import Draws, Numbers, groups, on_device

NUMBERS = 4
"""How many numbers `cut_badly` takes for each mask."""
REACH = 0.04  # of a mask's side: how far an edge is moved or blurred at most


def cut_badly(masks: Tensor, draws: Draws) -> Tensor:
    """Cut each mask anew, in one of CUTS; one that would lose more than three quarters of its area stays as it is."""
    kinds = draws.integers(len(CUTS))
    steps = draws.numbers(3)
    # Few sizes, so that masks of one kind and size are cut together.
    sizes = np.minimum((4 * steps[:, 0]).astype(np.int64), 3)
    bad = torch.empty_like(masks)
    for code, rows in groups(4 * kinds + sizes):
        kind, size = divmod(code, 4)
        cut, places = list(CUTS.values())[kind], on_device(rows, masks.device)
        bad[places] = cut(masks[places], size, steps[rows, 1:])
    enough = bad.sum(dim=(1, 2, 3), keepdim=True) > masks.sum(dim=(1, 2, 3), keepdim=True) / 4
    return torch.where(enough, bad, masks)


def take_part(masks: Tensor, draws: Draws) -> Tensor:
    """Keep of each mask what lies within an ellipse, of 1 to 5 % of the frame, around one of its pixels."""
    height, width = masks.shape[2:]
    place, area, aspect = (draws.uniform(1, 1, 1) for _ in range(3))
    passed = (masks.flatten(1) + 1e-9).cumsum(dim=1)
    centre = torch.searchsorted(passed, place[:, 0, 0] * passed[:, -1:]).clamp_max(height * width - 1)[:, :, None, None]
    rows = torch.arange(height, device=masks.device)[:, None]
    columns = torch.arange(width, device=masks.device)
    radius = (height * width * (0.01 + 0.04 * area) / torch.pi).sqrt()
    stretch = torch.exp2(2 * aspect - 1)
    down, across = rows - centre // width, columns - centre % width
    distance = ((down / stretch) ** 2 + (across * stretch) ** 2).sqrt()
    return masks * (radius + 0.5 - distance).clamp(0, 1)


def _reach(masks: Tensor, size: int) -> int:
    return max(1, round(REACH * masks.shape[-1] * (size + 1) / 4))


def _widen(masks: Tensor, size: int, _: Numbers) -> Tensor:
    reach = _reach(masks, size)
    rows = max_pool2d(masks, (2 * reach + 1, 1), stride=1, padding=(reach, 0))
    return max_pool2d(rows, (1, 2 * reach + 1), stride=1, padding=(0, reach))


def _tighten(masks: Tensor, size: int, steps: Numbers) -> Tensor:
    return 1 - _widen(1 - masks, size, steps)


def _shift(masks: Tensor, size: int, steps: Numbers) -> Tensor:
    reach, side = _reach(masks, size), masks.shape[-1]
    wide = torch.nn.functional.pad(masks, (reach,) * 4)
    offsets = np.rint(2 * reach * steps).astype(np.int64)
    moved = torch.empty_like(masks)
    for code, rows in groups(offsets[:, 0] * side + offsets[:, 1]):
        down, right = divmod(code, side)
        places = on_device(rows, masks.device)
        moved[places] = wide[places, :, down : down + side, right : right + side]
    return moved


def _soften(masks: Tensor, size: int, _: Numbers) -> Tensor:
    reach = _reach(masks, size)
    for _box in range(2):  # two boxes are a tent, close enough to a lens's blur
        rows = avg_pool2d(masks, (2 * reach + 1, 1), stride=1, padding=(reach, 0), count_include_pad=False)
        masks = avg_pool2d(rows, (1, 2 * reach + 1), stride=1, padding=(0, reach), count_include_pad=False)
    return masks


def _coarsen(masks: Tensor, size: int, _: Numbers) -> Tensor:
    """As clicked around by hand in few points: straight edges and cut corners."""
    grid = interpolate(masks, (8 + 5 * size,) * 2, mode="area")
    return (interpolate(grid, masks.shape[2:], mode="bilinear") > 0.4).float()


def _harden(masks: Tensor, size: int, _: Numbers) -> Tensor:
    return (masks > 0.2 + 0.2 * size).float()


Cut = Callable[[Tensor, int, Numbers], Tensor]
CUTS: dict[str, Cut] = {
    "wide": _widen,
    "tight": _tighten,
    "shifted": _shift,
    "soft": _soften,
    "coarse": _coarsen,
    "hard": _harden,
}
"""Each takes masks, a size from 0 to 3, and two numbers in [0, 1) for each mask."""
