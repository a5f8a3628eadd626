"""Composites made from real photographs: Eqs. 8 and 9, and the ways in which composites are made elsewhere.

Everything is batched: real (N, 3, H, W) in [0, 1], mask (N, 1, H, W). Transfers imitate a reference with its own
mask, adjustments invent their own light; both return the distorted picture, and `paste` makes the composite.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import torch
from torch import Generator, Tensor

from harmonizer.learning.segments import average_segments, vary_segments
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
    return _match(real, _sample(real, mask), _sample(reference, reference_mask), steepest)


def transfer_distribution(
    real: Tensor, mask: Tensor, reference: Tensor, reference_mask: Tensor, generator: Generator, rounds: int = 4
) -> Tensor:
    """The whole colour distribution, by matching histograms along random axes in turn (Pitie et al. 2005)."""
    moved, sample, goal = real.flatten(2), _sample(real, mask), _sample(reference, reference_mask)
    for _ in range(rounds):
        axes = torch.linalg.qr(torch.randn(len(real), 3, 3, generator=generator)).Q
        turned, turned_goal = axes @ sample, axes @ goal
        # 1.3^4 is 2.9: no steeper over all rounds than one match of histograms may be.
        both = _match(torch.cat([axes @ moved, turned], dim=2), turned, turned_goal, steepest=1.3)
        moved, sample = (axes.transpose(1, 2) @ both).split([moved.shape[2], sample.shape[2]], dim=2)
    return moved.reshape(real.shape)


def match_frames(real: Tensor, mask: Tensor, reference: Tensor, reference_mask: Tensor) -> Tensor:
    """The whole frame with the quantiles of the reference's whole frame: another weather, exposure or film."""
    return match_histograms(real, torch.ones_like(mask), reference, torch.ones_like(reference_mask))


def retouch(real: Tensor, generator: Generator) -> Tensor:
    """Random smooth tone curves, one shared and a weaker one for each channel, then a 3x3 colour matrix."""
    count = len(real)
    shared = _curve(count, 1, 0.35, generator).expand(-1, 3, -1)
    own = _curve(count, 3, 0.06, generator)  # stronger ones tint green or magenta, which no light does
    knots = torch.linspace(0, 1, shared.shape[2]).expand_as(shared)
    toned = _interpolate(real, knots, _interpolate(shared, knots, own))
    vividness = (1 + 0.35 * torch.randn(count, 1, 1, generator=generator)).clamp_min(0.2)
    matrix = vividness * torch.eye(3) + (1 - vividness) / 3
    matrix = matrix + 0.02 * torch.randn(count, 3, 3, generator=generator)
    return (matrix @ toned.flatten(2)).view_as(real)


def relight(real: Tensor, mask: Tensor, generator: Generator, strength: float = 1.0) -> Tensor:
    """Another exposure, illuminant and weather: gains in linear light, then haze or added contrast."""
    shape = (len(real), 1, 1, 1)
    stops = 1.2 * strength * torch.randn(shape, generator=generator)
    warmth = 0.25 * strength * torch.randn(shape, generator=generator)
    tint = 0.08 * strength * torch.randn(shape, generator=generator)
    # Dim light is blue more often than it is warm.
    toned = expose(real, stops, warmth + 0.08 * stops, tint)
    haze = 0.12 * strength * torch.randn(shape, generator=generator).abs()
    slope = torch.exp(0.3 * strength * torch.randn(shape, generator=generator))
    pivot = (toned * mask).sum(dim=(1, 2, 3), keepdim=True) / (3 * mask.sum(dim=(1, 2, 3), keepdim=True) + 1)
    return (pivot + (toned - pivot) * slope) * (1 - haze) + haze * 0.8


def nightfall(real: Tensor, generator: Generator) -> Tensor:
    """Dusk or night: much less light, blue from the sky or orange from lamps, paler colours, greyish blacks."""
    shape = (len(real), 1, 1, 1)
    stops = -0.7 - 2 * torch.rand(shape, generator=generator)
    lamps = torch.rand(shape, generator=generator) < 0.3
    warmth = torch.where(lamps, 0.45, -0.35) * torch.rand(shape, generator=generator)
    dark = expose(real, stops, warmth, 0.06 * torch.randn(shape, generator=generator))
    grey = dark.mean(dim=1, keepdim=True)
    veil = 0.06 * torch.rand(shape, generator=generator)
    return (grey + (dark - grey) * (0.5 + 0.5 * torch.rand(shape, generator=generator))) * (1 - veil) + veil


def hours(real: Tensor, generator: Generator) -> Tensor:
    """The same place at another hour: sun and shade fall on other parts of it, and the camera exposes for the whole.

    What is lit differs from part to part, so no filter undoes it: how bright a foreground stands among others does
    not tell whether it belongs, and the network must learn to leave it.
    """
    shape = (len(real), 1, 1, 1)
    strength = 0.2 + 0.8 * torch.rand(shape, generator=generator)
    gradual = torch.nn.functional.interpolate(
        torch.randn(len(real), 1, 3, 3, generator=generator), real.shape[2:], mode="bicubic", align_corners=True
    )
    stops = strength * (0.7 * vary_segments(real, 200, generator) + 0.5 * gradual)
    light = real.clamp_min(1e-3) ** 2.2
    before, after = (each.mean(dim=(1, 2, 3), keepdim=True) for each in (light, light * stops.exp2()))
    stops = stops - (after / before).log2()
    lit = expose(real, stops, 0.15 * stops, torch.zeros_like(stops))  # the sun is warm, shade is lit by the sky
    return relight(lit, torch.ones_like(stops), generator, strength=0.4)


def backlight(real: Tensor, generator: Generator) -> Tensor:
    """Taken against the light: the brightest parts, a sky or a window, keep it, all others lose up to three stops.

    Then a foreground's tones do not follow from the frame's, but from those of what stands in the same shadow.
    """
    shape = (len(real), 1, 1, 1)
    grey = real.mean(dim=1, keepdim=True)
    regions = average_segments(real, scale=200).mean(dim=1, keepdim=True)
    darkest, brightest = regions.flatten(1).quantile(torch.tensor([0.05, 0.95]), dim=1).view(2, *shape)
    threshold = darkest + (0.4 + 0.4 * torch.rand(shape, generator=generator)) * (brightest - darkest)
    bright = torch.sigmoid((0.8 * regions + 0.2 * grey - threshold) / 0.05)
    shadow = expose(
        real,
        -0.5 - 2.5 * torch.rand(shape, generator=generator),
        0.2 * torch.randn(shape, generator=generator) - 0.1,  # open shade is lit by the sky
        0.04 * torch.randn(shape, generator=generator),
    )
    light = expose(real, torch.rand(shape, generator=generator), torch.zeros(shape), torch.zeros(shape))
    return shadow + bright * (light - shadow)


TRANSFERS: dict[str, Transfer] = {
    "reinhard": lambda *pictures_and_generator: reinhard(*pictures_and_generator[:4]),
    "monge_kantorovich": lambda *pictures_and_generator: monge_kantorovich(*pictures_and_generator[:4]),
    "histograms": lambda *pictures_and_generator: match_histograms(*pictures_and_generator[:4]),
    "distribution": transfer_distribution,
    "frames": lambda *pictures_and_generator: match_frames(*pictures_and_generator[:4]),
}
ADJUSTMENTS: dict[str, Adjustment] = {
    "retouch": lambda real, mask, generator: retouch(real, generator),  # noqa: ARG005
    "relight": relight,
    "nightfall": lambda real, mask, generator: nightfall(real, generator),  # noqa: ARG005
    "hours": lambda real, mask, generator: hours(real, generator),  # noqa: ARG005
    "backlight": lambda real, mask, generator: backlight(real, generator),  # noqa: ARG005
}
RECIPES = (*TRANSFERS, *ADJUSTMENTS)
REVERSIBLE = ("frames", *ADJUSTMENTS)
"""Recipes that make a whole frame that could be: the background may take the change instead of the foreground."""


def imitate(
    name: str, real: Tensor, mask: Tensor, reference: Tensor, reference_mask: Tensor, generator: Generator
) -> Tensor:
    """The whole picture as a recipe makes its foreground; the reference may have another size.

    Transfers are taken only part of the way, since few pairs of pictures agree; and some composites need little.
    """
    if name in ADJUSTMENTS:
        return ADJUSTMENTS[name](real, mask, generator).clamp(0, 1)
    strength = torch.rand((len(real), 1, 1, 1), generator=generator)
    transferred = TRANSFERS[name](real, mask, reference, reference_mask, generator).clamp(0, 1)
    return real + strength * (transferred - real)


def apply_recipe(
    name: str, real: Tensor, mask: Tensor, reference: Tensor, reference_mask: Tensor, generator: Generator
) -> Tensor:
    """The composite that a recipe makes: `imitate`, pasted."""
    return paste(imitate(name, real, mask, reference, reference_mask, generator), real, mask)


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


def _sample(image: Tensor, mask: Tensor, count: int = 1024) -> Tensor:
    """The (N, 3, count) pixels at even steps through the masked ones; through all of them if the mask is empty."""
    passed = (mask.flatten(1) + 1e-6).cumsum(dim=1)
    steps = (torch.arange(count) + 0.5) / count
    index = torch.searchsorted(passed, steps * passed[:, -1:]).clamp_max(passed.shape[1] - 1)
    return image.flatten(2).gather(2, index[:, None].expand(-1, 3, -1))


def _match(values: Tensor, source: Tensor, goal: Tensor, steepest: float, knots: int = 9) -> Tensor:
    """Carry the quantiles of `source` (N, 3, K) to those of `goal`, on `values` (N, 3, ...).

    Few knots keep the curve between two pictures smooth.
    """
    steps, rise = torch.linspace(0, 1, knots), torch.linspace(0, 1e-3, knots)
    start, end = (torch.quantile(each, steps, dim=2).permute(1, 2, 0) + rise for each in (source, goal))
    rises = torch.minimum(end.diff(dim=2), steepest * start.diff(dim=2))
    curve = torch.cat([torch.zeros_like(rises[..., :1]), rises.cumsum(dim=2)], dim=2)
    return _interpolate(values, start, curve + (end - curve).mean(dim=2, keepdim=True))


def expose(image: Tensor, stops: Tensor, warmth: Tensor, tint: Tensor) -> Tensor:
    """Gains in linear light, all in stops; where they exceed 1 a shoulder carries white to white, as film does."""
    gain = torch.exp2(stops + torch.cat([warmth, tint, -warmth], dim=1))
    lit = image.clamp(1e-3, 1) ** 2.2 * gain
    return (lit / (1 + lit * (1 - 1 / gain.clamp_min(1)))).clamp(0, 1) ** (1 / 2.2)


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


def _interpolate(values: Tensor, knots: Tensor, heights: Tensor) -> Tensor:
    """Piecewise linear curves through (knots, heights), both (N, 3, K), on `values` (N, 3, ...); constant outside."""
    flat = values.flatten(2)
    slopes = heights.diff(dim=2) / knots.diff(dim=2).clamp_min(1e-6)
    curved = heights[..., :1] - (slopes * knots[..., :-1]).sum(dim=2, keepdim=True)
    for index in range(slopes.shape[2]):
        curved = curved + slopes[..., index, None] * flat.clamp(knots[..., index, None], knots[..., index + 1, None])
    return curved.view_as(values)
