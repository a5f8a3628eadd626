"""Photographs resized for training; some are cropped, half of them are mirrored."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from harmonizer.learning.composites.draws import Draws, on_device

TRIES = 3
NUMBERS = 2 + 4 * TRIES
"""Random numbers that `crop` uses for each picture."""


def crop(pictures: Tensor, size: int, uncropped: float, draws: Draws) -> Tensor:
    """Random crops (at least half of each side) and flips of uint8 (N, C, S, S), float32 (N, C, size, size) in [0, 1].

    The last channel is the mask, of which a crop keeps some foreground and some background. With the probability
    `uncropped` a picture stays whole.
    """
    rows = np.flatnonzero(~draws.chance(uncropped))
    flip = draws.chance(0.5)
    windows = draws.rows(rows, NUMBERS - 2)
    out = _resize(pictures, size)
    if len(rows):
        index = on_device(rows, out.device)
        out[index] = _crop(pictures[index], size, windows)
    return torch.where(on_device(flip, out.device)[:, None, None, None], out.flip(3), out)


def _resize(pictures: Tensor, size: int) -> Tensor:
    """Bilinear with antialiasing. On the CPU bytes are resized as bytes, which takes a third of the time."""
    source = pictures if pictures.device.type == "cpu" else pictures.float()
    return torch.nn.functional.interpolate(source, (size, size), mode="bilinear", antialias=True).float() / 255


def _crop(pictures: Tensor, size: int, draws: Draws) -> Tensor:
    side = pictures.shape[-1]
    extent, offset = (draws.uniform(TRIES, 2) for _ in range(2))  # rows and columns of each try
    extent = (side * (0.5 + 0.5 * extent)).floor()
    begin = (offset * (side - extent + 1)).floor()
    # The foreground's area within each try, from sums over all pixels above and to the left.
    sums = torch.nn.functional.pad(pictures[:, -1].float().cumsum(1).cumsum(2), (1, 0, 1, 0)).flatten(1)
    corners = [(begin + end * extent).long() for end in (0, 1)]

    def above_left(row: int, column: int) -> Tensor:
        return sums.gather(1, corners[row][..., 0] * (side + 1) + corners[column][..., 1])

    area = above_left(1, 1) - above_left(0, 1) - above_left(1, 0) + above_left(0, 0)
    share = area / (255 * extent.prod(dim=2))
    fits = ((share > 0.02) & (share < 0.9)).float()
    first = fits.argmax(dim=1, keepdim=True)[..., None].expand(-1, -1, 2)
    fits = fits.amax(dim=1, keepdim=True)
    begin = begin.gather(1, first)[:, 0] * fits
    extent = torch.where(fits > 0, extent.gather(1, first)[:, 0], side)
    down, across = (_resize_weights(begin[:, axis], extent[:, axis], side, size) for axis in (0, 1))
    return (down[:, None] @ (pictures.float() / 255) @ across[:, None].transpose(2, 3)).contiguous()


def _resize_weights(begin: Tensor, extent: Tensor, side: int, size: int) -> Tensor:
    """(N, size, side): the weight of each source pixel in each output pixel, for antialiased bilinear resizing."""
    scale = (extent / size)[:, None]
    centres = begin[:, None] + (torch.arange(size, device=begin.device) + 0.5) * scale
    sources = torch.arange(side, device=begin.device)
    weights = 1 - (sources + 0.5 - centres[..., None]).abs() / scale.clamp_min(1)[..., None]
    within = (sources >= begin[:, None]) & (sources < (begin + extent)[:, None])
    weights = weights.clamp_min(0) * within[:, None]
    return weights / weights.sum(dim=2, keepdim=True)
