"""Renditions of a photograph: as a camera shows it, and as five retouchers of different taste would finish it.

HAdobe5k, a part of iHarmony4 (Cong et al. 2020), is made of such renditions: the foreground of one on another. Its
photographs come from MIT-Adobe FiveK (Bychkovsky et al. 2011), which this file imitates but takes nothing from.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import array_api_compat.torch as xp
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from harmonizer.learning.composites.draws import Draws, on_device
from whitebox_filters import Cascade
from whitebox_filters.spec import Filter
from whitebox_filters.statistics import measure

AS_SHOT = 0
"""Number of the style that undoes a finished photograph: dim, flat, pale, often greenish."""

_CURVES = ("temperature", "tint", "highlight", "whites", "exposure", "shadow", "blacks", "contrast")
_COLOURS = ("gamma", "vibrance", "saturation")
# Middle and spread are the mean and the deviation of luma that a style aims at; the others are added to theta.
_SETTINGS = ("middle", "spread", *_CURVES, *_COLOURS)

Style = Mapping[str, tuple[float, float]]

STYLES: dict[str, Style] = {
    "as shot": {
        "highlight": (-0.02, 0.05),
        "whites": (-0.04, 0.06),
        "blacks": (0.03, 0.05),
        "contrast": (-0.07, 0.05),
        "vibrance": (-0.08, 0.1),
        "saturation": (-0.09, 0.08),
        "temperature": (-0.005, 0.03),
        "tint": (-0.03, 0.04),
    },
    "airy": {
        "middle": (0.53, 0.04),
        "spread": (0.2, 0.02),
        "highlight": (-0.05, 0.07),
        "shadow": (0.08, 0.06),
        "blacks": (0.06, 0.06),
        "vibrance": (0.05, 0.12),
        "saturation": (-0.03, 0.07),
        "temperature": (0.012, 0.015),
        "tint": (0.02, 0.02),
    },
    "vivid": {
        "middle": (0.46, 0.05),
        "spread": (0.255, 0.03),
        "highlight": (0.08, 0.08),
        "whites": (0.06, 0.08),
        "shadow": (-0.08, 0.07),
        "blacks": (-0.05, 0.07),
        "vibrance": (0.18, 0.12),
        "saturation": (0.1, 0.08),
        "temperature": (0.005, 0.015),
    },
    "natural": {
        "middle": (0.47, 0.03),
        "spread": (0.235, 0.02),
        "vibrance": (0.05, 0.08),
        "saturation": (0.03, 0.05),
        "temperature": (0.0, 0.01),
        "tint": (0.01, 0.015),
    },
    "warm": {
        "middle": (0.47, 0.05),
        "spread": (0.23, 0.03),
        "whites": (-0.08, 0.06),
        "blacks": (0.1, 0.08),
        "vibrance": (0.1, 0.1),
        "saturation": (0.03, 0.1),
        "temperature": (0.045, 0.02),
        "tint": (0.01, 0.015),
    },
    "crisp": {
        "middle": (0.49, 0.05),
        "spread": (0.26, 0.02),
        "highlight": (0.04, 0.08),
        "whites": (0.08, 0.08),
        "blacks": (-0.04, 0.06),
        "vibrance": (0.12, 0.12),
        "saturation": (0.0, 0.08),
        "temperature": (-0.035, 0.02),
        "tint": (0.0, 0.02),
    },
}
"""Each has a mean and a spread for each setting.

Two renditions of a photograph by `choose_styles` differ inside a mask by an fMSE with the median 450, the mean 850 and
the 95th percentile 3300 (levels of 0 to 255, 200 photographs); HAdobe5k's have medians of 300 to 400 and means of 800.
"""
_USUAL: Style = {"middle": (0.45, 0.03), "spread": (0.23, 0.02), "tint": (0.0, 0.015)}
_REST = (0.0, 0.04)

_LUMA = (0.2126, 0.7152, 0.0722)  # Rec. 709
_DISPLAY = 2.2  # roughly the exponent of sRGB
_STEPS = 2048  # of the curves; eight for each 8-bit level
_SIDE = 32  # of the coarse grid of pixels whose means are taken for those of the photograph


def choose_styles(draws: Draws) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The styles of foreground and of background, (N,) each: the background is as shot in six cases of ten.

    The two always differ. In a fifth of the others the foreground is as shot.
    """
    retouchers = len(STYLES) - 1
    background = np.where(draws.chance(0.6), AS_SHOT, 1 + draws.integers(retouchers))
    foreground = (background + 1 + draws.integers(retouchers)) % len(STYLES)
    return foreground, background


@torch.no_grad()
def render(photographs: Tensor, styles: Tensor | npt.NDArray[np.int64], draws: Draws) -> Tensor:
    """Render each photograph of (N, 3, H, W) in the style whose number `styles` (N,) gives; all in [0, 1].

    Renditions of one style differ: `draws` decides how far each setting is from the style's mean.
    """
    numbers = on_device(styles, photographs.device) if isinstance(styles, np.ndarray) else styles
    stride = max(1, min(photographs.shape[2:]) // _SIDE)
    sample = photographs[..., ::stride, ::stride]
    theta = _settings(sample, numbers, draws)
    curves, colours = theta[:, : len(_CURVES)], theta[:, len(_CURVES) :]
    statistics: list[Tensor | None] = []
    _apply(_CURVES, sample, curves, statistics)
    # These filters treat each channel by itself: to look their result up in a table is much less work.
    ramp = torch.linspace(0, 1, _STEPS, device=theta.device).expand(len(theta), 3, 1, -1)
    table = _apply(_CURVES, ramp, curves, statistics).flatten(2)
    index = (photographs.flatten(2) * (_STEPS - 1)).round_().long()
    return _apply(_COLOURS, table.gather(2, index).view_as(photographs), colours, [])


def _settings(sample: Tensor, styles: Tensor, draws: Draws) -> Tensor:
    """The theta (N, k) of _CURVES and _COLOURS, fitted to each photograph's own light."""
    means, spreads = _tables(sample.device)[:, styles].unbind()
    values = means + spreads * draws.normal(len(_SETTINGS)).clamp(-2, 2)
    share, vigour, part = draws.uniform(3).unbind(1)
    raw = styles == AS_SHOT
    middle, spread = values[:, :2].unbind(1)
    # A retoucher who goes far goes far in all settings.
    thetas = (0.4 + 1.1 * vigour[:, None]) * values[:, 2:]
    theta = dict(zip(_SETTINGS[2:], thetas.unbind(1), strict=True))

    luma = torch.einsum("c,nchw->nhw", _weights(sample.device), sample).flatten(1)
    mean, deviation = luma.mean(1).clamp_min(0.02), luma.std(1, correction=0).clamp_min(0.02)
    share = 0.4 + 0.6 * share
    wish = _bounded(share * _DISPLAY * (middle / mean).log2(), 1.2)
    # A photograph that is dark already was hardly darker in the camera.
    loss = -0.3 * 5 ** vigour.square() * (mean / 0.35).clamp(0.4, 1)
    stops = torch.where(raw, loss, wish)
    by_gamma = torch.where(raw, 0.15, 0.3 + 0.4 * part)
    theta["exposure"] += stops * (1 - by_gamma) / 4
    theta["gamma"] += stops * by_gamma * 0.65
    # More light needs lower highlights, and less light needs lifted shadows.
    theta["highlight"] -= 0.12 * stops.clamp_min(0)
    theta["whites"] -= 0.3 * stops.clamp_min(0)
    theta["shadow"] += torch.where(raw, 0, 0.15) * (-stops).clamp_min(0)
    wish = _bounded(share * 0.5 * (spread / deviation).log(), 0.12)
    theta["contrast"] += torch.where(raw, 0, wish)
    # Without this, more contrast would clip both ends.
    theta["blacks"] += theta["contrast"].clamp_min(0)
    theta["whites"] -= theta["contrast"].clamp_min(0)
    # Beyond this there are neon colours, which no retoucher would leave.
    theta["saturation"] = theta["saturation"].clamp_max(0.2)
    theta["vibrance"] = theta["vibrance"].clamp_max(0.35)
    # The filter divides by the means of the channels, and would tint dark pictures most.
    theta["temperature"] *= mean / 0.45
    return torch.stack([theta[name] for name in (*_CURVES, *_COLOURS)], dim=1).clamp(-0.7, 0.7)


def _bounded(values: Tensor, limit: float) -> Tensor:
    return limit * torch.tanh(values / limit)


def _apply(names: tuple[str, ...], pictures: Tensor, theta: Tensor, statistics: list[Tensor | None]) -> Tensor:
    """Apply filters as a cascade does, but without gradients and without checks that wait for the device.

    `statistics` holds those of the first filters; missing ones are measured and appended.
    """
    planes = pictures.movedim(1, 0)
    for index, filter in enumerate(_filters(names)):
        if index == len(statistics):
            statistics.append(None if filter.statistic is None else measure(xp, planes, filter.statistic))
        coefficients = filter.coefficients(xp, theta[:, index], statistics[index])
        planes = filter.array(xp, planes, *(each[..., None, None] for each in coefficients)).clamp(0, 1)
    return planes.movedim(0, 1)


@cache
def _filters(names: tuple[str, ...]) -> tuple[Filter, ...]:
    return Cascade(names).filters


@cache
def _tables(device: torch.device) -> Tensor:
    """Means and spreads of all settings of all styles, (2, styles, settings)."""
    rows = [[style.get(name, _USUAL.get(name, _REST)) for name in _SETTINGS] for style in STYLES.values()]
    return torch.tensor(rows, device=device).permute(2, 0, 1)


@cache
def _weights(device: torch.device) -> Tensor:
    return torch.tensor(_LUMA, device=device)
