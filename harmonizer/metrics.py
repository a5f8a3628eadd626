"""The field's measures of a harmonized picture against the real one, on the scale 0-255."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Scores:
    """Over one picture: `mse` over all pixels, `fmse` over the foreground, `psnr` in dB with data range 255."""

    mse: float
    fmse: float
    psnr: float


def score(harmonized: npt.NDArray[np.uint8], real: npt.NDArray[np.uint8], mask: npt.NDArray[Any]) -> Scores:
    """Compare two uint8 HWC pictures; `mask` (H, W) bool is the foreground (iHarmony4: mask > 127).

    fMSE divides by the area of the mask and is NaN for an empty one. Raises ValueError on shapes that differ.
    """
    if harmonized.shape != real.shape or harmonized.shape[:2] != mask.shape:
        raise ValueError(f"shapes differ: harmonized {harmonized.shape}, real {real.shape}, mask {mask.shape}")
    squared = (harmonized.astype(np.float64) - real.astype(np.float64)) ** 2
    mse = float(squared.mean())
    fmse = float(squared[mask].mean()) if mask.any() else float("nan")
    return Scores(mse, fmse, float("inf") if mse == 0 else 10 * float(np.log10(255**2 / mse)))
