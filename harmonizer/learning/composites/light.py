"""Random other light for a whole photograph; pictures are (N, 3, H, W) in [0, 1]."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad

from harmonizer.learning.composites.curves import interpolate, random_curves
from harmonizer.learning.composites.draws import Draws

ONE = (1, 1, 1)


def relight(real: Tensor, mask: Tensor, draws: Draws, strength: float = 1.0) -> Tensor:
    """Another exposure, illuminant and weather: gains in linear light, then haze or added contrast."""
    stops = 1.2 * strength * draws.normal(*ONE)
    warmth = 0.25 * strength * draws.normal(*ONE)
    tint = 0.08 * strength * draws.normal(*ONE)
    # Dim light is blue more often than it is warm.
    exposed = expose(real, stops, warmth + 0.08 * stops, tint)
    haze = 0.12 * strength * draws.normal(*ONE).abs()
    slope = torch.exp(0.3 * strength * draws.normal(*ONE))
    pivot = (exposed * mask).sum(dim=(1, 2, 3), keepdim=True) / (3 * mask.sum(dim=(1, 2, 3), keepdim=True) + 1)
    return ((pivot + (exposed - pivot) * slope) * (1 - haze) + haze * 0.8).clamp(0, 1)


def nightfall(real: Tensor, draws: Draws) -> Tensor:
    """Dusk or night: much less light, blue from the sky or orange from lamps, paler colours, greyish blacks."""
    stops = -0.7 - 2 * draws.uniform(*ONE)
    lamps = draws.uniform(*ONE) < 0.3
    warmth = torch.where(lamps, 0.45, -0.35) * draws.uniform(*ONE)
    dark = expose(real, stops, warmth, 0.06 * draws.normal(*ONE))
    grey = dark.mean(dim=1, keepdim=True)
    veil = 0.06 * draws.uniform(*ONE)
    return ((grey + (dark - grey) * (0.5 + 0.5 * draws.uniform(*ONE))) * (1 - veil) + veil).clamp(0, 1)


def retouch(real: Tensor, draws: Draws) -> Tensor:
    """Random smooth tone curves, one shared and a weaker one for each channel, then a 3x3 colour matrix."""
    shared = random_curves(1, 0.35, draws).expand(-1, 3, -1)
    own = random_curves(3, 0.06, draws)  # stronger ones tint green or magenta, which no light does
    knots = torch.linspace(0, 1, shared.shape[2], device=real.device).expand_as(shared)
    exposed = interpolate(real, knots, interpolate(shared, knots, own))
    vividness = (1 + 0.35 * draws.normal(1, 1)).clamp_min(0.2)
    matrix = vividness * torch.eye(3, device=real.device) + (1 - vividness) / 3
    matrix = matrix + 0.02 * draws.normal(3, 3)
    return (matrix @ exposed.flatten(2)).view_as(real).clamp(0, 1)


def relight_whole(photographs: Tensor, draws: Draws) -> Tensor:
    """Another exposure and illuminant for the whole frame, as it could have been taken.

    Half of the pictures get a colour cast that no camera corrected, as lamps or a low sun give: only the background
    shows it.
    """
    relit = relight(photographs, torch.ones_like(photographs[:, :1]), draws, strength=0.4)
    strength = (draws.uniform(*ONE) < 0.5).float()
    warmth = strength * (0.2 + 0.6 * draws.normal(*ONE))
    return expose(relit, torch.zeros_like(warmth), warmth, strength * 0.1 * draws.normal(*ONE))


def refocus(photographs: Tensor, draws: Draws) -> Tensor:
    """Blurred or sharpened, at most by the difference that a box blur of 3 x 3 pixels makes, as lenses differ."""
    amount = 2 * draws.uniform(*ONE) - 1
    # Sums of slices: torch takes five times as long to pool over 3 x 3.
    wide = pad(photographs, (1, 1, 1, 1), mode="replicate")
    rows = wide[..., :-2, :] + wide[..., 1:-1, :] + wide[..., 2:, :]
    blurred = (rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:]) / 9
    return (photographs + amount * (photographs - blurred)).clamp(0, 1)


def expose(image: Tensor, stops: Tensor, warmth: Tensor, tint: Tensor) -> Tensor:
    """Gains in linear light, in stops; for gains above 1 a shoulder maps white to white, as film does."""
    gain = torch.exp2(stops + torch.cat([warmth, tint, -warmth], dim=1))
    lit = image.clamp(1e-3, 1) ** 2.2 * gain
    return (lit / (1 + lit * (1 - 1 / gain.clamp_min(1)))).clamp(0, 1) ** (1 / 2.2)
