"""The loss of JPEG, computed in batches on the device of the pictures.

Baseline JPEG as libjpeg writes and reads it by default: JFIF colours, 4:2:0, the tables of ITU-T T.81, Annex K.
The entropy coding is left out, since it is lossless.
"""

from __future__ import annotations

from functools import cache
from math import pi

import torch
from torch import Tensor
from torch.nn.functional import pad

# ITU-T T.81, Tables K.1 and K.2.
_LUMA = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
_CHROMA = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    (99, 99, 99, 99, 99, 99, 99, 99),
    (99, 99, 99, 99, 99, 99, 99, 99),
    (99, 99, 99, 99, 99, 99, 99, 99),
    (99, 99, 99, 99, 99, 99, 99, 99),
)
# JFIF 1.02: Y, Cb and Cr of red, green and blue, all in 0..255; Cb and Cr without their offset of 128.
_TO_YCC = ((0.299, 0.587, 0.114), (-0.168735892, -0.331264108, 0.5), (0.5, -0.418687589, -0.081312411))


@torch.no_grad()
def compress(pictures: Tensor, qualities: Tensor) -> Tensor:
    """Pictures (N, 3, H, W) in [0, 1] through JPEG and back, to the 8-bit levels that a decoder returns.

    Qualities (N,) are libjpeg's, 1 to 100. The result for a picture does not depend on the others.
    """
    height, width = pictures.shape[2:]
    tables, to_ycc = _tables(qualities), _constant("ycc", pictures.device)
    levels = (pictures * 255).round_().clamp_(0, 255)
    # Planes are centred: the 128 that JFIF adds to Cb and Cr is what the transform takes away again.
    planes = (to_ycc @ levels.flatten(2)).view_as(levels).round_()
    luma, chroma = planes[:, :1] - 128, planes[:, 1:].clamp_max_(127)
    luma = _coarsen(_extend(luma, 8, 8), tables[:, :1])[..., :height, :width] + 128
    chroma = _coarsen(_halve(chroma), tables[:, 1:])[..., : (height + 1) // 2, : (width + 1) // 2]
    blue, red = _double(chroma)[..., :height, :width].unbind(1)
    green = (0.344136286 * blue + 0.714136286 * red).round_()
    colours = torch.stack([(1.402 * red).round_(), -green, (1.772 * blue).round_()], dim=1)
    return colours.add_(luma).clamp_(0, 255).div_(255)


def _tables(qualities: Tensor) -> Tensor:
    """The steps of luma and chroma, (N, 2, 8, 8), whole numbers, as libjpeg scales them."""
    quality = qualities.float()[:, None, None, None].clamp(1, 100)
    percent = torch.where(quality < 50, (5000 / quality).floor(), 200 - 2 * quality)
    return ((_constant("steps", qualities.device) * percent + 50) / 100).floor().clamp(1, 255)


def _coarsen(planes: Tensor, steps: Tensor) -> Tensor:
    """Round the cosine transform of each 8 x 8 block of (N, C, H, W) to multiples of its steps, (N, 1, 8, 8).

    Exact halves are common among whole numbers: a flat block's transform is a sum over 8. libjpeg rounds coefficients
    away from 0 and then values upwards; the small constants do the same here.
    """
    count, channels, height, width = planes.shape
    basis = _constant("cosines", planes.device)
    rows = (count, channels, height // 8, 8, width)
    blocks = (count, channels, height // 8, 8, width // 8, 8)
    steps = steps[:, :, None, :, None, :]
    waves = torch.matmul(8 * basis, (planes.reshape(-1, 8) @ basis.T).view(rows)).round_()
    waves = waves.view(blocks).mul_((1 + 2e-6) / (8 * steps)).round_().mul_(steps)
    values = torch.matmul(basis.T, waves.view(rows)).view(-1, 8) @ basis
    return values.view_as(planes).add_(0.5005).floor_().clamp_(-128, 127)


def _halve(chroma: Tensor) -> Tensor:
    """The means of 2 x 2 pixels, padded to whole blocks; along a row, halves are rounded down and up in turn."""
    whole = _extend(chroma, 2, 16)
    sums = whole[..., ::2, :] + whole[..., 1::2, :]
    sums = sums[..., ::2] + sums[..., 1::2]
    bias = _constant("bias", chroma.device).repeat(sums.shape[-1] // 2)
    return _extend(((sums + bias) / 4).floor_(), 8, 8)


def _double(chroma: Tensor) -> Tensor:
    """The triangle filter along both axes: each pixel is 3/4 of its nearest sample and 1/4 of the next."""
    sums = _interleave(chroma, dim=-2)
    left, right = _neighbours(sums, dim=-1)
    # The same biases as libjpeg's (x + 8) >> 4 and (x + 7) >> 4.
    pair = torch.stack([(3 * sums + left + 8), (3 * sums + right + 7)], dim=-1)
    return (pair / 16).floor_().flatten(-2)


def _interleave(chroma: Tensor, dim: int) -> Tensor:
    before, after = _neighbours(chroma, dim)
    return torch.stack([3 * chroma + before, 3 * chroma + after], dim=dim).flatten(dim - 1, dim)


def _neighbours(values: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """The values before and after each value along an axis; the outermost values are their own neighbours."""
    length = values.shape[dim]
    before = torch.cat([values.narrow(dim, 0, 1), values.narrow(dim, 0, length - 1)], dim)
    after = torch.cat([values.narrow(dim, 1, length - 1), values.narrow(dim, length - 1, 1)], dim)
    return before, after


def _extend(planes: Tensor, down: int, across: int) -> Tensor:
    """Repeat the last row and column until height and width are multiples of two numbers."""
    height, width = planes.shape[2:]
    if height % down == 0 and width % across == 0:
        return planes
    return pad(planes, (0, -width % across, 0, -height % down), mode="replicate")


@cache
def _constant(name: str, device: torch.device) -> Tensor:
    """A constant table, copied to the device once."""
    if name == "ycc":
        return torch.tensor(_TO_YCC, device=device)
    if name == "steps":
        return torch.tensor([_LUMA, _CHROMA], dtype=torch.float32, device=device)
    if name == "bias":
        return torch.tensor([1.0, 2.0], device=device)
    frequency, position = torch.arange(8.0)[:, None], torch.arange(8.0)
    cosines = torch.cos((2 * position + 1) * frequency * pi / 16) / 2
    return torch.cat([cosines[:1] / 2**0.5, cosines[1:]]).to(device)
