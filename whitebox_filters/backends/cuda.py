"""The fused cascade compiled by Numba-CUDA: the only file that imports numba.cuda."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numba import cuda
from numba.cuda.np.numpy_support import from_dtype

from whitebox_filters import images
from whitebox_filters.backends import fuse
from whitebox_filters.errors import ImageError
from whitebox_filters.images import FloatArray
from whitebox_filters.spec import Filter, Pixel

ZERO, ONE = fuse.ZERO, fuse.ONE

BLOCK = (32, 4)  # columns, rows: a warp reads 32 neighbouring pixels
THREADS = 128  # of a block of the statistics pass; a power of two, since the block halves its sums
BLOCKS = 1024  # of the statistics pass at most: a thread then sums few enough pixels for float32


def run(filters: tuple[Filter, ...], image: Any, theta: FloatArray, mask: Any, statistics: Sequence[Any]) -> Any:
    """Apply `filters` to a CUDA array (H, W, 3) of uint8, uint16, float32 or float64 and blend with `mask`.

    `image` is C-contiguous with a `__cuda_array_interface__` (a NumPy array is copied to the device); float
    values lie in [0, 1], which is not checked here. `theta`, `mask` and `statistics` are as for
    `numba_cpu.run`; the mask may be on the host or the device. Returns a new Numba device array of the same
    shape and dtype; a pixel with mask 0 is the input's, bit for bit. Raises ImageError.
    """
    source = _on_device(image)
    dtype = np.dtype(source.dtype)
    if len(source.shape) != 3 or source.shape[2] != 3 or source.size == 0:
        raise ImageError(f"an image has shape (H, W, 3), RGB, with H and W at least 1; got {tuple(source.shape)}")
    if dtype not in (np.uint8, np.uint16, np.float32, np.float64):
        raise ImageError(f"a CUDA image is uint8, uint16, float32 or float64; got {dtype}. Convert it first")
    if not source.is_c_contiguous():
        raise ImageError("a CUDA image is C-contiguous; got a strided view. Copy it first")
    working = fuse.working_dtype(dtype)
    height, width = source.shape[:2]
    alpha = cuda.to_device(np.ascontiguousarray(_alpha(mask, (height, width), working)))
    frame = cuda.device_array((height, width, 3), dtype)
    frame.copy_to_device(source)

    def channel_means(earlier: tuple[Filter, ...], values: tuple[float, ...]) -> FloatArray:
        blocks = min(BLOCKS, math.ceil(height * width / THREADS))
        sums = cuda.device_array((blocks, 3), working)
        sum_blocks(fuse.pixels(earlier), dtype)[blocks, THREADS](frame, fuse.row(values, working), sums)
        means: FloatArray = sums.copy_to_host().sum(axis=0, dtype=np.float64) / (height * width)
        return means

    values = fuse.coefficients(filters, theta, statistics, channel_means)
    grid = math.ceil(width / BLOCK[0]), math.ceil(height / BLOCK[1])
    blend_pixels(fuse.pixels(filters), dtype)[grid, BLOCK](frame, alpha, fuse.row(values, working))
    return frame


def device_function(function: Callable[..., Any]) -> Any:
    """Compile for the device. Inlined, so that a kernel compiles to PTX on a machine without a GPU too."""
    return cuda.jit(device=True, inline="always")(function)


@functools.cache
def blend_pixels(formulas: tuple[Pixel, ...], dtype: np.dtype[Any]) -> Any:
    """The kernel of the last pass (frame (H, W, 3), alpha (H, W), coefficients), in place; see `numba_cpu`."""
    chain = fuse.chain(formulas, device_function)
    load, store = fuse.loader(dtype, device_function), fuse.storer(dtype, device_function)

    def kernel(frame: Any, alpha: Any, coefficients: Any) -> None:
        x, y = cuda.grid(2)
        if x < frame.shape[1] and y < frame.shape[0]:
            foreground = alpha[y, x]
            if foreground > ZERO:
                background = ONE - foreground
                r, g, b = load(frame[y, x, 0]), load(frame[y, x, 1]), load(frame[y, x, 2])
                red, green, blue = chain(r, g, b, coefficients)
                frame[y, x, 0] = store(red * foreground + r * background)
                frame[y, x, 1] = store(green * foreground + g * background)
                frame[y, x, 2] = store(blue * foreground + b * background)

    return cuda.jit(kernel)


@functools.cache
def sum_blocks(formulas: tuple[Pixel, ...], dtype: np.dtype[Any]) -> Any:
    """The kernel of the statistics pass (frame, coefficients, sums (blocks, 3)): channel sums after all filters."""
    chain = fuse.chain(formulas, device_function)
    load = fuse.loader(dtype, device_function)
    working = from_dtype(fuse.working_dtype(dtype))

    def kernel(frame: Any, coefficients: Any, sums: Any) -> None:
        partial = cuda.shared.array((3, THREADS), working)
        thread = cuda.threadIdx.x
        width = frame.shape[1]
        red = green = blue = ZERO
        for pixel in range(cuda.grid(1), frame.shape[0] * width, cuda.gridsize(1)):
            y, x = pixel // width, pixel % width
            r, g, b = chain(load(frame[y, x, 0]), load(frame[y, x, 1]), load(frame[y, x, 2]), coefficients)
            red += r
            green += g
            blue += b
        partial[0, thread], partial[1, thread], partial[2, thread] = red, green, blue
        cuda.syncthreads()
        half = THREADS // 2
        while half > 0:
            if thread < half:
                for channel in range(3):
                    partial[channel, thread] += partial[channel, thread + half]
            cuda.syncthreads()
            half //= 2
        if thread < 3:
            sums[cuda.blockIdx.x, thread] = partial[thread, 0]

    return cuda.jit(kernel)


def _on_device(values: Any) -> Any:
    if hasattr(values, "__cuda_array_interface__"):
        return cuda.as_cuda_array(values)
    return cuda.to_device(np.ascontiguousarray(values))


def _alpha(mask: Any, size: tuple[int, int], dtype: np.dtype[Any]) -> FloatArray:
    if mask is None:
        return np.ones(size, dtype)
    on_host = cuda.as_cuda_array(mask).copy_to_host() if hasattr(mask, "__cuda_array_interface__") else mask
    return images.to_alpha(np.asarray(on_host), size, dtype)
