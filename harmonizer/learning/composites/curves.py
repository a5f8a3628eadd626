"""Tone curves through a few knots, one for each channel of each picture."""

from __future__ import annotations

import torch
from torch import Tensor

from harmonizer.learning.composites.draws import Draws


def interpolate(values: Tensor, knots: Tensor, heights: Tensor) -> Tensor:
    """Piecewise linear curves through (knots, heights), both (N, 3, K), on `values` (N, 3, ...); constant outside."""
    flat = values.flatten(2)
    slopes = heights.diff(dim=2) / knots.diff(dim=2).clamp_min(1e-6)
    result = heights[..., :1] - (slopes * knots[..., :-1]).sum(dim=2, keepdim=True)
    for index in range(slopes.shape[2]):
        part = flat.clamp(knots[..., index, None], knots[..., index + 1, None])
        result = torch.addcmul(result, slopes[..., index, None], part)
    return result.view_as(values)


def match(values: Tensor, source: Tensor, goal: Tensor, steepest: float, knots: int = 9) -> Tensor:
    """Carry the quantiles of `source` (N, 3, K) to those of `goal`, on `values` (N, 3, ...).

    Few knots keep the curve between two pictures smooth; its slope stays below `steepest`.
    """
    steps = torch.linspace(0, 1, knots, device=values.device)
    rise = torch.linspace(0, 1e-3, knots, device=values.device)
    start, end = (torch.quantile(each, steps, dim=2).permute(1, 2, 0) + rise for each in (source, goal))
    rises = torch.minimum(end.diff(dim=2), steepest * start.diff(dim=2))
    curve = torch.cat([torch.zeros_like(rises[..., :1]), rises.cumsum(dim=2)], dim=2)
    return interpolate(values, start, curve + (end - curve).mean(dim=2, keepdim=True))


def random_curves(channels: int, strength: float, draws: Draws, knots: int = 17) -> Tensor:
    """Random increasing curves (N, channels, knots) through (0, 0) and (1, 1), then lifted or lowered a little."""
    coarse = strength * draws.normal(channels, 4)
    slope = torch.nn.functional.interpolate(coarse, knots - 1, mode="linear", align_corners=True).exp()
    total = slope.cumsum(dim=2)
    curve = torch.nn.functional.pad(total / total[:, :, -1:], (1, 0))
    bend = (strength * draws.normal(channels, 1)).exp()
    black = 0.1 * strength * draws.normal(channels, 1)
    white = 1 + 0.3 * strength * draws.normal(channels, 1)
    return black + (white - black) * curve**bend
