"""Composites made from real photographs: Eqs. 8 and 9, and the ways in which composites are made elsewhere.

Everything is batched: real (N, 3, H, W) in [0, 1], mask (N, 1, H, W). Transfers imitate a reference with its own
mask, adjustments invent their own light; both return the distorted picture, and `paste` makes the composite.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import torch
from torch import Generator, Tensor

from whitebox_filters import Cascade

Transfer = Callable[[Tensor, Tensor, Tensor, Tensor, Generator], Tensor]
Adjustment = Callable[[Tensor, Tensor, Generator], Tensor]

# Logarithmic cone responses, decorrelated on natural images (Ruderman et al. 1998; Reinhard et al. 2001).
_TO_LMS = torch.tensor([[0.3811, 0.5783, 0.0402], [0.1967, 0.7244, 0.0782], [0.0241, 0.1288, 0.8444]])
_DECORRELATE = torch.tensor([[1.0, 1, 1], [1, 1, -2], [1, -1, 0]]) / torch.tensor([[3.0], [6.0], [2.0]]).sqrt()


def sample_theta(cascade: Cascade, count: int, generator: Generator) -> Tensor:
    """Draw (count, k) arguments from the filters' Gaussian priors, cut off at two deviations (Eq. 9).

    There lie the released ranges; further out a foreground clips to white or black, which no filter undoes.
    """
    mean = torch.tensor([filter.prior.mean for filter in cascade.filters])
    std = torch.tensor([filter.prior.std for filter in cascade.filters])
    return mean + std * torch.randn(count, len(cascade), generator=generator).clamp(-2, 2)


def distort(real: Tensor, mask: Tensor, cascade: Cascade, generator: Generator) -> tuple[Tensor, list[Tensor]]:
    """Eq. 8: the composite and the k targets of Eq. 11, by the reversed cascade with random arguments.

    The filter that distorts last is the first that the network undoes, so the targets are the intermediate
    pictures in opposite order, and the last target is the photograph.
    """
    theta = sample_theta(cascade, len(real), generator)
    trace = cascade.reversed().trace(real, theta.flip(1), mask)
    return trace[-1], [*trace[-2::-1], real]


def paste(distorted: Tensor, real: Tensor, mask: Tensor) -> Tensor:
    """The composite: the distorted foreground on the real background."""
    return distorted.clamp(0, 1) * mask + real * (1 - mask)


def reinhard(real: Tensor, mask: Tensor, reference: Tensor, reference_mask: Tensor) -> Tensor:
    """Means and deviations in a decorrelated logarithmic space (Reinhard et al. 2001)."""
    source, goal = _to_decorrelated(real), _to_decorrelated(reference)
    mean, deviation = _moments(source, mask)
    goal_mean, goal_deviation = _moments(goal, reference_mask)
    ratio = (goal_deviation / deviation).clamp(0.5, 2)
    return _from_decorrelated((source - mean) * ratio + goal_mean)


def monge_kantorovich(real: Tensor, mask: Tensor, reference: Tensor, reference_mask: Tensor) -> Tensor:
    """The linear map between two Gaussians that moves colours least (Pitie and Kokaram 2007)."""
    mean, covariance = _covariance(real, mask)
    goal_mean, goal_covariance = _covariance(reference, reference_mask)
    root, inverse_root = _matrix_power(covariance, 0.5), _matrix_power(covariance, -0.5)
    matrix = inverse_root @ _matrix_power(root @ goal_covariance @ root, 0.5) @ inverse_root
    matrix = _matrix_power(matrix, 1, limits=(0.4, 2.0))  # more would amplify noise and JPEG blocks
    moved = matrix @ (real.flatten(2) - mean) + goal_mean
    return moved.view_as(real)


def match_histograms(
    real: Tensor, mask: Tensor, reference: Tensor, reference_mask: Tensor, steepest: float = 2.5
) -> Tensor:
    """Channel by channel, the tone curve that carries the quantiles of the foreground to the reference's.

    Its slope is held under `steepest`: more would show noise as bands.
    """
    source = _quantiles(real, mask)
    goal = [_no_steeper(g, s, steepest) for g, s in zip(_quantiles(reference, reference_mask), source, strict=True)]
    return torch.stack([_interpolate(image, s, g) for image, s, g in zip(real, source, goal, strict=True)])


def transfer_distribution(
    real: Tensor, mask: Tensor, reference: Tensor, reference_mask: Tensor, generator: Generator, rounds: int = 4
) -> Tensor:
    """The whole colour distribution, by matching histograms along random axes in turn (Pitie et al. 2005)."""
    moved = real
    for _ in range(rounds):
        axes = torch.linalg.qr(torch.randn(len(real), 3, 3, generator=generator)).Q
        turned, goal = ((axes @ picture.flatten(2)).view_as(picture) for picture in (moved, reference))
        matched = match_histograms(turned, mask, goal, reference_mask, steepest=1.3)  # 1.3^4 is 2.9
        moved = (axes.transpose(1, 2) @ matched.flatten(2)).view_as(real)
    return moved


def retouch(real: Tensor, generator: Generator) -> Tensor:
    """Random smooth tone curves, one shared and a weaker one for each channel, then a 3x3 colour matrix."""
    count = len(real)
    shared = _curve(count, 1, 0.35, generator)
    each = _curve(count, 3, 0.12, generator)
    knots = torch.linspace(0, 1, shared.shape[2]).expand(3, -1)
    toned = torch.stack(
        [
            _interpolate(_interpolate(image, knots, a.expand(3, -1)), knots, b)
            for image, a, b in zip(real, shared, each, strict=True)
        ]
    )
    grey = torch.full((3, 3), 1 / 3)
    vividness = 1 + 0.35 * torch.randn(count, 1, 1, generator=generator)
    matrix = vividness * torch.eye(3) + (1 - vividness) * grey
    matrix = matrix + 0.04 * torch.randn(count, 3, 3, generator=generator)
    return (matrix @ toned.flatten(2)).view_as(real)


def relight(real: Tensor, mask: Tensor, generator: Generator) -> Tensor:
    """Another hour or weather: exposure and illuminant in linear light, then haze or added contrast."""
    shape = (len(real), 1, 1, 1)
    stops = 0.9 * torch.randn(shape, generator=generator)
    warmth = 0.25 * torch.randn(shape, generator=generator)
    tint = 0.08 * torch.randn(shape, generator=generator)
    # Night is blue and flat more often than it is warm: darkening drags warmth down a little.
    warmth = warmth + 0.08 * stops
    gain = torch.exp2(stops + torch.cat([warmth, tint, -warmth], dim=1))
    lit = (real.clamp(0, 1) ** 2.2 * gain).clamp(1e-5, 4)
    # A film-like shoulder keeps over-exposed foregrounds from going flat white.
    toned = (lit * (1 + lit / 4) / (1 + lit * 0.9)).clamp(0, 1) ** (1 / 2.2)
    haze = 0.12 * torch.randn(shape, generator=generator).abs()
    pivot = (toned * mask).sum(dim=(1, 2, 3), keepdim=True) / (3 * mask.sum(dim=(1, 2, 3), keepdim=True) + 1)
    slope = torch.exp(0.25 * torch.randn(shape, generator=generator))
    return (pivot + (toned - pivot) * slope) * (1 - haze) + haze * 0.8


TRANSFERS: dict[str, Transfer] = {
    "reinhard": lambda *pictures_and_generator: reinhard(*pictures_and_generator[:4]),
    "monge_kantorovich": lambda *pictures_and_generator: monge_kantorovich(*pictures_and_generator[:4]),
    "histograms": lambda *pictures_and_generator: match_histograms(*pictures_and_generator[:4]),
    "distribution": transfer_distribution,
}
ADJUSTMENTS: dict[str, Adjustment] = {
    "retouch": lambda real, mask, generator: retouch(real, generator),  # noqa: ARG005
    "relight": relight,
}
RECIPES = (*TRANSFERS, *ADJUSTMENTS)


def apply_recipe(
    name: str, real: Tensor, mask: Tensor, reference: Tensor, reference_mask: Tensor, generator: Generator
) -> Tensor:
    """The composite that a recipe makes; transfers are taken only part of the way, since few pairs agree."""
    if name in ADJUSTMENTS:
        return paste(ADJUSTMENTS[name](real, mask, generator), real, mask)
    strength = 0.3 + 0.7 * torch.rand((len(real), 1, 1, 1), generator=generator)
    transferred = TRANSFERS[name](real, mask, reference, reference_mask, generator).clamp(0, 1)
    return paste(real + strength * (transferred - real), real, mask)


def _to_decorrelated(image: Tensor) -> Tensor:
    cones = torch.einsum("ij,njhw->nihw", _TO_LMS, image)
    return torch.einsum("ij,njhw->nihw", _DECORRELATE, (cones + 0.02).log())


def _from_decorrelated(image: Tensor) -> Tensor:
    cones = torch.einsum("ij,njhw->nihw", torch.linalg.inv(_DECORRELATE), image).clamp(-6, 1).exp() - 0.02
    return torch.einsum("ij,njhw->nihw", torch.linalg.inv(_TO_LMS), cones)


def _moments(image: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    area = mask.sum(dim=(2, 3), keepdim=True) + 1
    mean = (image * mask).sum(dim=(2, 3), keepdim=True) / area
    variance = ((image - mean) ** 2 * mask).sum(dim=(2, 3), keepdim=True) / area
    return mean, (variance + 1e-5).sqrt()


def _covariance(image: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    weights = mask.flatten(2) / (mask.sum(dim=(2, 3)) + 1)[:, :, None]
    mean = (image.flatten(2) * weights).sum(dim=2, keepdim=True)
    centred = image.flatten(2) - mean
    return mean, (centred * weights) @ centred.transpose(1, 2) + 1e-3 * torch.eye(3)


def _matrix_power(matrix: Tensor, power: float, limits: tuple[float, float] = (1e-6, 1e6)) -> Tensor:
    values, vectors = torch.linalg.eigh(matrix)
    powers = values.clamp(*limits).pow(power)
    return cast(Tensor, (vectors * powers[:, None, :]) @ vectors.transpose(1, 2))


def _quantiles(image: Tensor, mask: Tensor, count: int = 9) -> list[Tensor]:
    """For each image the (3, count) quantiles of its masked pixels, made strictly increasing.

    Few enough that the curve between two pictures stays smooth.
    """
    steps, rise = torch.linspace(0, 1, count), torch.linspace(0, 1e-3, count)
    inside = [region[0] > 0.5 for region in mask]
    chosen = [pixels[:, i] if i.any() else pixels.flatten(1) for pixels, i in zip(image, inside, strict=True)]
    return [torch.quantile(values, steps, dim=1).T + rise for values in chosen]


def _no_steeper(goal: Tensor, source: Tensor, limit: float) -> Tensor:
    """The curve source -> goal (3, K) with its slopes held under `limit`."""
    rises = torch.minimum(goal.diff(dim=1), limit * source.diff(dim=1))
    curve = torch.cat([torch.zeros(3, 1), rises.cumsum(dim=1)], dim=1)
    return curve + (goal - curve).mean(dim=1, keepdim=True)


def _curve(count: int, channels: int, strength: float, generator: Generator, knots: int = 17) -> Tensor:
    """Random increasing curves (count, channels, knots) through (0, 0) and (1, 1), then lifted or lowered a little."""
    coarse = strength * torch.randn(count, channels, 4, generator=generator)
    slope = torch.nn.functional.interpolate(coarse, knots - 1, mode="linear", align_corners=True).exp()
    total = slope.cumsum(dim=2)
    curve = torch.cat([torch.zeros(count, channels, 1), total / total[:, :, -1:]], dim=2)
    bend = (strength * torch.randn(count, channels, 1, generator=generator)).exp()
    black = 0.1 * strength * torch.randn(count, channels, 1, generator=generator)
    white = 1 + 0.3 * strength * torch.randn(count, channels, 1, generator=generator)
    return black + (white - black) * curve**bend


def _interpolate(image: Tensor, knots: Tensor, values: Tensor) -> Tensor:
    """Piecewise linear curves (3, K) applied to the channels of one image (3, H, W); constant outside."""
    flat = image.flatten(1).contiguous()
    right = torch.searchsorted(knots.contiguous(), flat).clamp(1, knots.shape[1] - 1)
    left = right - 1
    x0, x1 = knots.gather(1, left), knots.gather(1, right)
    y0, y1 = values.gather(1, left), values.gather(1, right)
    share = ((flat - x0) / (x1 - x0).clamp_min(1e-6)).clamp(0, 1)
    return (y0 + share * (y1 - y0)).view_as(image)
