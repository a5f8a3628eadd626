"""Bad masks, as people draw who outline an object in a hurry.

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
"""Random numbers that `degrade` uses for each mask."""
REACH = 0.04  # of a mask's side: the largest distance by which an edge is moved or blurred


def degrade(masks: Tensor, draws: Draws) -> Tensor:
    """Degrade each mask in one of DEGRADATIONS, unless it would lose more than three quarters of its area."""
    ways = draws.integers(len(DEGRADATIONS))
    steps = draws.numbers(3)
    # Few sizes, so that masks of one way and size are degraded as one batch.
    sizes = np.minimum((4 * steps[:, 0]).astype(np.int64), 3)
    bad = torch.empty_like(masks)
    for code, rows in groups(4 * ways + sizes):
        way, size = divmod(code, 4)
        change, index = list(DEGRADATIONS.values())[way], on_device(rows, masks.device)
        bad[index] = change(masks[index], size, steps[rows, 1:])
    enough = bad.sum(dim=(1, 2, 3), keepdim=True) > masks.sum(dim=(1, 2, 3), keepdim=True) / 4
    return torch.where(enough, bad, masks)


def keep_part(masks: Tensor, draws: Draws) -> Tensor:
    """Keep the part of each mask within an ellipse, 1 to 5 % of the frame, around one of its pixels."""
    height, width = masks.shape[2:]
    position, area, aspect = (draws.uniform(1, 1, 1) for _ in range(3))
    areas = (masks.flatten(1) + 1e-9).cumsum(dim=1)
    centre = torch.searchsorted(areas, position[:, 0, 0] * areas[:, -1:]).clamp_max(height * width - 1)[
        :, :, None, None
    ]
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
        index = on_device(rows, masks.device)
        moved[index] = wide[index, :, down : down + side, right : right + side]
    return moved


def _soften(masks: Tensor, size: int, _: Numbers) -> Tensor:
    reach = _reach(masks, size)
    for _box in range(2):  # two boxes make a tent, which is close enough to the blur of a lens
        rows = avg_pool2d(masks, (2 * reach + 1, 1), stride=1, padding=(reach, 0), count_include_pad=False)
        masks = avg_pool2d(rows, (1, 2 * reach + 1), stride=1, padding=(0, reach), count_include_pad=False)
    return masks


def _coarsen(masks: Tensor, size: int, _: Numbers) -> Tensor:
    """Straight edges and missing corners, as of an outline of few clicks."""
    grid = interpolate(masks, (8 + 5 * size,) * 2, mode="area")
    return (interpolate(grid, masks.shape[2:], mode="bilinear") > 0.4).float()


def _harden(masks: Tensor, size: int, _: Numbers) -> Tensor:
    return (masks > 0.2 + 0.2 * size).float()


Degradation = Callable[[Tensor, int, Numbers], Tensor]
DEGRADATIONS: dict[str, Degradation] = {
    "wide": _widen,
    "tight": _tighten,
    "shifted": _shift,
    "soft": _soften,
    "coarse": _coarsen,
    "hard": _harden,
}
"""Each takes masks (N, 1, S, S), a size from 0 to 3, and two random numbers in [0, 1) for each mask."""
