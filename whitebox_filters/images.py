"""NumPy images and masks, checked and turned into planes and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from whitebox_filters.errors import ImageError

FloatArray = npt.NDArray[np.floating[Any]]
ROUNDING = 1e-6
"""How far interpolation in float32 takes a mask out of [0, 1]."""
LEVELS = {np.dtype(np.uint8): 255, np.dtype(np.uint16): 65535}


def check_image(image: npt.NDArray[Any]) -> None:
    """Raise ImageError unless `image` is HWC RGB in uint8, uint16, or float32 / float64 within [0, 1]."""
    if image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise ImageError(f"an image has shape (H, W, 3), RGB, with H and W at least 1; got {image.shape}")
    if image.dtype in LEVELS:
        return
    if image.dtype not in (np.float32, np.float64):
        raise ImageError(f"an image is uint8, uint16, float32 or float64; got {image.dtype}. Convert it first")
    low, high = float(np.min(image)), float(np.max(image))
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ImageError("the image holds NaN or infinity; replace these values first, e.g. with numpy.nan_to_num")
    if low < 0 or high > 1:
        raise ImageError(f"a float image lies in [0, 1]; got {_range(low, high)}. Scale or clip it first")


def to_planes(image: npt.NDArray[Any]) -> FloatArray:
    """HWC to contiguous (3, H, W) in [0, 1]; float32 for integers, else the image's own dtype. Copies."""
    levels = LEVELS.get(image.dtype)
    planes = np.moveaxis(image, -1, 0)
    if levels is None:
        return np.array(planes, order="C")
    scaled: FloatArray = np.divide(planes, np.float32(levels), dtype=np.float32, order="C")
    return scaled


def from_planes(planes: FloatArray, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """(3, H, W) in [0, 1] to contiguous HWC of `dtype`; integers are rounded to the nearest level."""
    levels = LEVELS.get(dtype)
    image = np.moveaxis(planes, 0, -1)
    if levels is None:
        return np.ascontiguousarray(image, dtype=dtype)
    return (image * np.float32(levels) + np.float32(0.5)).astype(dtype, order="C")


def to_alpha(mask: npt.NDArray[Any], size: tuple[int, int], dtype: np.dtype[Any]) -> FloatArray:
    """A mask (H, W) as foreground opacity in [0, 1] of `dtype`.

    Accepted: bool; uint8 and uint16 with full scale 255 and 65535 (a mask of only 0 and 1 counts as bool); float in
    [0, 1], clipped if interpolation has left it by a rounding error. Raises ImageError for another dtype, range or size
    (`size` is (H, W)). What is returned may be the mask itself.
    """
    if mask.shape != size:
        raise ImageError(f"the mask has shape {mask.shape}, the image {size}; a mask has the (H, W) of its image")
    if mask.dtype == np.bool_:
        return mask.astype(dtype)
    if mask.dtype in LEVELS:
        return mask.astype(dtype) / (1 if mask.max() <= 1 else LEVELS[mask.dtype])
    if not np.issubdtype(mask.dtype, np.floating):
        raise ImageError(f"a mask is bool, uint8, uint16 or float; got {mask.dtype}")
    low, high = float(np.min(mask)), float(np.max(mask))
    if not (low >= -ROUNDING and high <= 1 + ROUNDING):
        raise ImageError(f"a float mask lies in [0, 1]; got {_range(low, high)}. Scale or clip it first")
    opacity = mask.astype(dtype, copy=False)
    return opacity if low >= 0 and high <= 1 else np.clip(opacity, 0, 1)


def _range(low: float, high: float) -> str:
    """A range in digits enough to tell it from [0, 1]."""
    return f"[{low:.9g}, {high:.9g}]"
