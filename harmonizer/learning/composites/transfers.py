"""Colour transfer from another photograph's foreground, as HCOCO and HFlickr were made: batched, and held in bounds.

`harmonizer.evaluation.transfer` has Reinhard's and Monge-Kantorovich's as they were published, for one picture; here
their gains are limited, since a batch also draws references that are unlike the foreground.

Pictures are (N, 3, H, W) in [0, 1], masks (N, 1, H, W); the reference may have another size.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from harmonizer.evaluation.transfer import DECORRELATE, TO_LMS
from harmonizer.learning.composites import curves, matrices
from harmonizer.learning.composites.draws import Draws

Transfer = Callable[[Tensor, Tensor, Tensor, Tensor, Draws], Tensor]

_TO_LMS, _DECORRELATE = (torch.from_numpy(matrix).float() for matrix in (TO_LMS, DECORRELATE))
_FROM_LMS, _CORRELATE = torch.linalg.inv(_TO_LMS), torch.linalg.inv(_DECORRELATE)
GAMUT = 0.05  # share of the foreground that may leave [0, 1] before the strength of a transfer is halved


def reinhard(real: Tensor, mask: Tensor, reference: Tensor, reference_mask: Tensor) -> Tensor:
    """Means and deviations in a decorrelated logarithmic space (Reinhard et al. 2001)."""
    source, goal = to_decorrelated(real), to_decorrelated(reference)
    mean, deviation = moments(source, mask)
    goal_mean, goal_deviation = moments(goal, reference_mask)
    ratio = (goal_deviation / deviation).clamp(0.5, 2)
    return _from_decorrelated((source - mean) * ratio + goal_mean)


def monge_kantorovich(real: Tensor, mask: Tensor, reference: Tensor, reference_mask: Tensor) -> Tensor:
    """The linear map between two Gaussians that moves colours least (Pitie and Kokaram 2007)."""
    mean, covariance = _covariance(real, mask)
    goal_mean, goal_covariance = _covariance(reference, reference_mask)
    root, inverse_root = matrices.power(covariance, 0.5), matrices.power(covariance, -0.5)
    matrix = inverse_root @ matrices.power(root @ goal_covariance @ root, 0.5) @ inverse_root
    matrix = matrices.power(matrix, 1, limits=(0.4, 2.0))  # more would amplify noise and JPEG blocks
    moved = matrix @ (real.flatten(2) - mean) + goal_mean
    return moved.view_as(real)


def match_histograms(
    real: Tensor, mask: Tensor, reference: Tensor, reference_mask: Tensor, steepest: float = 2.5
) -> Tensor:
    """For each channel the tone curve that maps the quantiles of the foreground to the reference's.

    Its slope stays below `steepest`: a steeper curve shows noise as bands.
    """
    return curves.match(real, _sample(real, mask), _sample(reference, reference_mask), steepest)


def transfer_distribution(
    real: Tensor, mask: Tensor, reference: Tensor, reference_mask: Tensor, draws: Draws, rounds: int = 4
) -> Tensor:
    """The whole colour distribution, by matching histograms along random axes in turn (Pitie et al. 2005)."""
    moved, sample, goal = real.flatten(2), _sample(real, mask), _sample(reference, reference_mask)
    for _ in range(rounds):
        axes = _turn(draws.normal(4))
        turned, turned_goal = axes @ sample, axes @ goal
        # 1.3^4 is 2.9: no steeper over all rounds than one match of histograms may be.
        both = curves.match(torch.cat([axes @ moved, turned], dim=2), turned, turned_goal, steepest=1.3)
        moved, sample = torch.split(axes.transpose(1, 2) @ both, [moved.shape[2], sample.shape[2]], dim=2)
    return moved.reshape(real.shape)


def match_frames(real: Tensor, mask: Tensor, reference: Tensor, reference_mask: Tensor) -> Tensor:
    """The whole frame with the quantiles of the reference's whole frame: another weather, exposure or film."""
    return match_histograms(real, torch.ones_like(mask), reference, torch.ones_like(reference_mask))


TRANSFERS: dict[str, Transfer] = {
    "reinhard": lambda *pictures_and_draws: reinhard(*pictures_and_draws[:4]),
    "monge_kantorovich": lambda *pictures_and_draws: monge_kantorovich(*pictures_and_draws[:4]),
    "histograms": lambda *pictures_and_draws: match_histograms(*pictures_and_draws[:4]),
    "distribution": transfer_distribution,
    "frames": lambda *pictures_and_draws: match_frames(*pictures_and_draws[:4]),
}


def transfer(name: str, real: Tensor, mask: Tensor, reference: Tensor, reference_mask: Tensor, draws: Draws) -> Tensor:
    """Apply a transfer, one of TRANSFERS, to the whole picture, with a random strength from 0.5 to 1.

    The strength is halved where more than GAMUT of the foreground would leave [0, 1]: then the reference is unlike it.
    """
    strength = 0.5 + 0.5 * draws.uniform(1, 1, 1)
    moved = TRANSFERS[name](real, mask, reference, reference_mask, draws)
    outside = ((moved - moved.clamp(0, 1)).abs().amax(dim=1, keepdim=True) > 0.02) * mask
    share = outside.sum(dim=(1, 2, 3), keepdim=True) / (mask.sum(dim=(1, 2, 3), keepdim=True) + 1)
    strength = torch.where(share > GAMUT, 0.5 * strength, strength)
    return real + strength * (moved.clamp(0, 1) - real)


def to_decorrelated(image: Tensor) -> Tensor:
    """Lightness, yellow-blue and red-green, (N, 3, H, W), in the logarithmic space of Ruderman et al. (1998)."""
    cones = _mix(_TO_LMS, image)
    return _mix(_DECORRELATE, (cones + 0.02).log())


def moments(image: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and deviation of each channel over the mask, (N, C, 1, 1)."""
    area = mask.sum(dim=(2, 3), keepdim=True) + 1
    mean = (image * mask).sum(dim=(2, 3), keepdim=True) / area
    variance = ((image - mean) ** 2 * mask).sum(dim=(2, 3), keepdim=True) / area
    return mean, (variance + 1e-5).sqrt()


def _from_decorrelated(image: Tensor) -> Tensor:
    cones = _mix(_CORRELATE, image).clamp(-6, 1).exp() - 0.02
    return _mix(_FROM_LMS, cones)


def _mix(matrix: Tensor, image: Tensor) -> Tensor:
    return (matrix.to(image.device, non_blocking=True) @ image.flatten(2)).view_as(image)


def _covariance(image: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    weights = mask.flatten(2) / (mask.sum(dim=(2, 3)) + 1)[:, :, None]
    mean = (image.flatten(2) * weights).sum(dim=2, keepdim=True)
    centred = image.flatten(2) - mean
    floor = 1e-3 * torch.eye(3, device=image.device)
    return mean, (centred * weights) @ centred.transpose(1, 2) + floor


def _turn(quaternion: Tensor) -> Tensor:
    """Normal numbers (N, 4) to uniform rotations (N, 3, 3) (Shoemake 1992)."""
    w, x, y, z = (quaternion / quaternion.norm(dim=1, keepdim=True).clamp_min(1e-6)).unbind(dim=1)
    rows = (
        (1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)),
        (2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)),
        (2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)),
    )
    return torch.stack([torch.stack(row, dim=1) for row in rows], dim=1)


def _sample(image: Tensor, mask: Tensor, count: int = 1024) -> Tensor:
    """(N, 3, count) pixels at even steps through the masked ones, or through all of them if the mask is empty."""
    area = (mask.flatten(1) + 1e-6).cumsum(dim=1)
    steps = (torch.arange(count, device=image.device) + 0.5) / count
    index = torch.searchsorted(area, steps * area[:, -1:]).clamp_max(area.shape[1] - 1)
    return image.flatten(2).gather(2, index[:, None].expand(-1, 3, -1))
