"""The field's measures of a harmonized picture against the real one, on the scale 0-255."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Plane = npt.NDArray[np.float64]

# Wang et al., Image Quality Assessment (2004): window and constants.
SIGMA, RADIUS = 1.5, 5
STRIP = 32  # rows at a time, so that the work stays in the processor's cache
LUMINANCE, CONTRAST = (0.01 * 255) ** 2, (0.03 * 255) ** 2


@dataclass(frozen=True)
class Scores:
    """One picture against the real one."""

    mse: float  # over all pixels
    fmse: float  # over the foreground; NaN where that is empty
    psnr: float  # dB, data range 255
    psnr_released: float  # dB, as the paper's released script has it: data range max - min of the output
    ssim: float  # Gaussian window, mean over pixels and channels


def score(harmonized: npt.NDArray[np.uint8], real: npt.NDArray[np.uint8], mask: npt.NDArray[Any]) -> Scores:
    """Compare two uint8 HWC pictures; `mask` (H, W) bool is the foreground (iHarmony4: mask > 127).

    fMSE divides by the area of the mask. Raises ValueError on shapes that differ.
    """
    if harmonized.shape != real.shape or harmonized.shape[:2] != mask.shape:
        raise ValueError(f"shapes differ: harmonized {harmonized.shape}, real {real.shape}, mask {mask.shape}")
    differs = (harmonized != real).any(axis=2)  # a large background, which is equal, costs nothing more
    squared = (harmonized[differs].astype(np.int64) - real[differs]) ** 2
    mse = float(squared.sum()) / real.size
    fmse = float(squared[mask[differs]].sum()) / (3 * area) if (area := int(mask.sum())) else float("nan")
    span = float(np.ptp(harmonized))
    return Scores(mse, fmse, _psnr(mse, 255), _psnr(mse, span), ssim(harmonized, real))


def ssim(picture: npt.NDArray[np.uint8], other: npt.NDArray[np.uint8]) -> float:
    """Structural similarity of two uint8 HWC pictures, at least 11 pixels a side, in [-1, 1].

    Wang et al. (2004): Gaussian window of deviation 1.5, cut off at 5 pixels; the mean over channels and over the
    pixels whose window lies inside the picture. NaN for a smaller picture.
    """
    height, width = (side - 2 * RADIUS for side in picture.shape[:2])
    if min(height, width) < 1:
        return float("nan")
    differs = (picture != other).any(axis=2)
    if not differs.any():
        return 1.0
    # A window in which the pictures are equal has similarity 1: only those around differences are computed.
    box = _around(differs.any(axis=1)), _around(differs.any(axis=0))
    planes = np.moveaxis(np.stack([picture[box], other[box]]), -1, 0)
    strips = range(0, planes.shape[2] - 2 * RADIUS, STRIP)
    lacking = sum(
        float((1 - _similarity(*plane[:, top : top + STRIP + 2 * RADIUS].astype(np.float64))).sum())
        for plane in planes
        for top in strips
    )
    return float(1 - lacking / (3 * height * width))


def _psnr(mse: float, data_range: float) -> float:
    if mse == 0:
        return float("inf")
    return 20 * math.log10(data_range / math.sqrt(mse)) if data_range > 0 else float("-inf")


def _around(differs: npt.NDArray[np.bool_]) -> slice:
    """The rows (or columns) of every window that holds one that differs; windows at the rim are moved inside."""
    places = np.flatnonzero(differs)
    first, last, size = int(places[0]), int(places[-1]), len(differs)
    return slice(max(0, min(first - 2 * RADIUS, size - 2 * RADIUS - 1)), min(size, last + 2 * RADIUS + 1))


def _similarity(x: Plane, y: Plane) -> Plane:
    mean_x, mean_y = _blur(x), _blur(y)
    product, squares = mean_x * mean_y, mean_x * mean_x + mean_y * mean_y
    covariance, variances = _blur(x * y) - product, _blur(x * x + y * y) - squares
    luminance = (2 * product + LUMINANCE) / (squares + LUMINANCE)
    return luminance * (2 * covariance + CONTRAST) / (variances + CONTRAST)


def _blur(plane: Plane) -> Plane:
    """The Gaussian mean over every window that lies inside (H, W): (H - 10, W - 10)."""
    weights = np.exp(-0.5 * (np.arange(-RADIUS, RADIUS + 1) / SIGMA) ** 2)
    weights /= weights.sum()
    height, width = (side - 2 * RADIUS for side in plane.shape)
    rows = sum((weight * plane[i : i + height] for i, weight in enumerate(weights)), np.zeros((height, len(plane[0]))))
    return sum((weight * rows[:, i : i + width] for i, weight in enumerate(weights)), np.zeros((height, width)))
