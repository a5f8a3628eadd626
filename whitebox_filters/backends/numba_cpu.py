"""The fused cascade compiled by Numba for the CPU."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from whitebox_filters import images
from whitebox_filters.backends import fuse
from whitebox_filters.errors import BackendError
from whitebox_filters.images import FloatArray
from whitebox_filters.spec import Filter, Pixel

ZERO, ONE = fuse.ZERO, fuse.ONE

# Each pass uses all cores by itself, and Numba's simplest threading layer dies when two threads enter it.
_one_at_a_time = threading.Lock()


def run(
    filters: tuple[Filter, ...], image: Any, theta: FloatArray, mask: Any, statistics: Sequence[Any]
) -> npt.NDArray[Any]:
    """Apply `filters` to a NumPy image (H, W, 3) of uint8, uint16, float32 or float64 and blend with `mask`.

    `theta` is float64 (k,) in [-1, 1]; `mask` is None or as for `images.to_alpha`; `statistics` has k entries,
    None where to measure. Returns a new array of the same shape and dtype; a pixel with mask 0 is the
    input's, bit for bit. Raises BackendError, ImageError.
    """
    if not isinstance(image, np.ndarray):
        raise BackendError(f"backend 'numba' takes a NumPy array; got {type(image).__name__}")
    images.check_image(image)
    working = fuse.working_dtype(image.dtype)
    size = image.shape[:2]
    alpha = np.ones(size, working) if mask is None else images.to_alpha(np.asarray(mask), size, working)
    frame = image.copy(order="C")

    def channel_means(earlier: tuple[Filter, ...], values: tuple[float, ...]) -> FloatArray:
        rows = np.empty((len(frame), 3))
        _sum_rows(fuse.pixels(earlier), frame.dtype)(frame, fuse.row(values, working), rows)
        means: FloatArray = rows.sum(axis=0) / (size[0] * size[1])
        return means

    with _one_at_a_time:
        values = fuse.coefficients(filters, theta, statistics, channel_means)
        _blend_pixels(fuse.pixels(filters), frame.dtype)(frame, np.ascontiguousarray(alpha), fuse.row(values, working))
    return frame


def _jit(function: Callable[..., Any]) -> Callable[..., Any]:
    compiled: Callable[..., Any] = numba.njit(error_model="numpy")(function)
    return compiled


def _parallel(function: Callable[..., Any]) -> Callable[..., Any]:
    compiled: Callable[..., Any] = numba.njit(error_model="numpy", parallel=True, nogil=True)(function)
    return compiled


@functools.cache
def _blend_pixels(formulas: tuple[Pixel, ...], dtype: np.dtype[Any]) -> Callable[..., Any]:
    """The last pass, in place: all filters on the pixels where alpha (H, W) is above 0, blended by Eq. 5."""
    chain = fuse.chain(formulas, _jit)
    load, store = fuse.loader(dtype, _jit), fuse.storer(dtype, _jit)

    def blend_pixels(frame: Any, alpha: Any, coefficients: Any) -> None:
        for y in numba.prange(frame.shape[0]):
            for x in range(frame.shape[1]):
                foreground = alpha[y, x]
                if foreground > ZERO:
                    background = ONE - foreground
                    r, g, b = load(frame[y, x, 0]), load(frame[y, x, 1]), load(frame[y, x, 2])
                    red, green, blue = chain(r, g, b, coefficients)
                    frame[y, x, 0] = store(red * foreground + r * background)
                    frame[y, x, 1] = store(green * foreground + g * background)
                    frame[y, x, 2] = store(blue * foreground + b * background)

    return _parallel(blend_pixels)


@functools.cache
def _sum_rows(formulas: tuple[Pixel, ...], dtype: np.dtype[Any]) -> Callable[..., Any]:
    """The statistics pass: the channel sums of every row after all filters, into float64 (H, 3)."""
    chain = fuse.chain(formulas, _jit)
    load = fuse.loader(dtype, _jit)

    def sum_rows(frame: Any, coefficients: Any, sums: Any) -> None:
        for y in numba.prange(frame.shape[0]):
            # Pixels are computed in the working dtype; only their sum needs more digits than float32 has.
            red = green = blue = 0.0
            for x in range(frame.shape[1]):
                r, g, b = chain(load(frame[y, x, 0]), load(frame[y, x, 1]), load(frame[y, x, 2]), coefficients)
                red += r
                green += g
                blue += b
            sums[y, 0], sums[y, 1], sums[y, 2] = red, green, blue

    return _parallel(sum_rows)
