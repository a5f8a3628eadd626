"""The four kernels of a CUDA plan: bounds of the mask, histogram, sums, and the one pass over the pixels."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numba import cuda
from numba.cuda.np.numpy_support import from_dtype

from whitebox_filters.aliases import Pixel
from whitebox_filters.backends import fuse
from whitebox_filters.backends.cuda.packing import Device, device_function, packing_of
from whitebox_filters.images import LEVELS

ZERO, ONE = fuse.ZERO, fuse.ONE
INTEGER = np.int32
SHARED_INTEGER = from_dtype(np.dtype(INTEGER))

BLOCK = (32, 4)  # threads of a block, in kernels over columns and rows
BOUND_COLUMNS = 8  # that each thread of `bound_mask` reads
BOUND_BLOCKS = 256  # of `bound_mask` at most, one above the other
THREADS = 128  # of a block in the other kernels; a power of two, since a block adds up by halves
SUM_BLOCKS = 1024  # at most: a thread then sums few enough pixels for float32
HISTOGRAM_THREADS = 256  # of its block, which 24 KB of shared memory let run four times at once
HISTOGRAM_BLOCKS = 512  # at most: each adds its 768 bins to those of the frame
BINS = 3 * 256
# Copies of a block's histogram, interleaved: neighbouring pixels are alike, and would wait for each other.
COPIES = 8
SLOTS = BINS * COPIES
FAR = np.iinfo(INTEGER).max
# The start of `bound_mask`: top and left (no row and no column yet), bottom, right, and whether a value is above 1.
NO_BOUNDS = np.array([FAR, FAR, 0, 0, 0], INTEGER)


@functools.cache
def bound_mask() -> Any:
    """The kernel (mask (H, W), bounds int32 (5,)): the box of what is above 0, and 1 if a value is outside [0, 1].

    `bounds` starts as NO_BOUNDS and ends as top, left, bottom, right (exclusive), beyond.
    """

    def kernel(mask: Any, bounds: Any) -> None:
        block = cuda.shared.array(5, SHARED_INTEGER)
        thread = cuda.threadIdx.x + cuda.threadIdx.y * cuda.blockDim.x
        if thread < 5:
            block[thread] = FAR if thread < 2 else 0
        cuda.syncthreads()
        first_x, first_y = cuda.grid(2)
        across, down = cuda.gridsize(2)
        for y in range(first_y, mask.shape[0], down):
            for x in range(first_x, mask.shape[1], across):
                value = mask[y, x]
                if value > ZERO:
                    cuda.atomic.min(block, 0, y)
                    cuda.atomic.min(block, 1, x)
                    cuda.atomic.max(block, 2, y + 1)
                    cuda.atomic.max(block, 3, x + 1)
                if not ZERO <= value <= ONE:  # NaN too
                    block[4] = 1
        cuda.syncthreads()
        if thread < 2:
            cuda.atomic.min(bounds, thread, block[thread])
        elif thread < 5:
            cuda.atomic.max(bounds, thread, block[thread])

    return cuda.jit(kernel)


@functools.cache
def count_levels() -> Any:
    """The kernel (items, words, bins int32 (768,)): adds an 8-bit frame to the bins of red, green and blue."""
    layout = packing_of(np.dtype(np.uint8))
    load, first, rotate, pixels = layout.load, layout.first, layout.rotate, layout.pixels

    def kernel(items: Any, words: Any, bins: Any) -> None:
        block = cuda.shared.array(SLOTS, SHARED_INTEGER)
        thread = cuda.threadIdx.x
        for index in range(thread, SLOTS, cuda.blockDim.x):
            block[index] = 0
        cuda.syncthreads()
        copy = thread % COPIES
        count = items.size // 3
        for group in range(cuda.grid(1), (count + pixels - 1) // pixels, cuda.gridsize(1)):
            low, middle, high = load(items, words, group)
            for pixel in range(pixels):
                red, green, blue = first(low, middle, high)
                if group * pixels + pixel < count:
                    cuda.atomic.add(block, red * COPIES + copy, 1)
                    cuda.atomic.add(block, (256 + green) * COPIES + copy, 1)
                    cuda.atomic.add(block, (512 + blue) * COPIES + copy, 1)
                low, middle, high = rotate(low, middle, high, red, green, blue)
        cuda.syncthreads()
        for index in range(thread, BINS, cuda.blockDim.x):
            total = 0
            for copy in range(COPIES):
                total += block[index * COPIES + copy]
            if total > 0:
                cuda.atomic.add(bins, index, total)

    return cuda.jit(kernel)


@functools.cache
def sum_pixels(formulas: tuple[Pixel, ...], dtype: np.dtype[Any], masked: bool) -> Any:
    """The kernel (items, words, mask, full, coefficients, sums (blocks, 4)): what each block adds up.

    Red, green and blue after all formulas, and how many pixels counted: by the mask, or all alike.
    """
    layout, chain = packing_of(dtype), fuse.chain(formulas, device_function)
    load, first, rotate, pixels = layout.load, layout.first, layout.rotate, layout.pixels
    scale, opacity = _scaler(dtype), _opacity(dtype, masked)
    working = from_dtype(fuse.working_dtype(dtype))

    def kernel(items: Any, words: Any, mask: Any, full: Any, coefficients: Any, sums: Any) -> None:
        partial = cuda.shared.array((4, THREADS), working)
        thread = cuda.threadIdx.x
        count = items.size // 3
        red = green = blue = counted = ZERO
        for group in range(cuda.grid(1), (count + pixels - 1) // pixels, cuda.gridsize(1)):
            low, middle, high = load(items, words, group)
            for pixel in range(pixels):
                x, y, z = first(low, middle, high)
                if group * pixels + pixel < count:
                    weight = opacity(mask, group * pixels + pixel, full)
                    r, g, b = chain(scale(x), scale(y), scale(z), coefficients)
                    red += weight * r
                    green += weight * g
                    blue += weight * b
                    counted += weight
                low, middle, high = rotate(low, middle, high, x, y, z)
        partial[0, thread], partial[1, thread], partial[2, thread], partial[3, thread] = red, green, blue, counted
        cuda.syncthreads()
        half = THREADS // 2
        while half > 0:
            if thread < half:
                for row in range(4):
                    partial[row, thread] += partial[row, thread + half]
            cuda.syncthreads()
            half //= 2
        if thread < 4:
            sums[cuda.blockIdx.x, thread] = partial[thread, 0]

    return _compile(kernel, dtype)


@functools.cache
def blend_pixels(formulas: tuple[Pixel, ...], dtype: np.dtype[Any], masked: bool, tabled: bool) -> Any:
    """The kernel of the one pass over the pixels: all formulas, blended by Eq. 5 where the mask is above 0.

    Its arguments: source and target, each as items and words (they may be the same memory); mask (N,) and its full
    scale; the table float32 (768,) of the filters before these formulas, if `tabled`; coefficients; the box top,
    left, bottom, right; the frame's width; whether to copy groups where the mask is 0.
    """
    layout, chain = packing_of(dtype), fuse.chain(formulas, device_function)
    load, store_group, first, rotate, pixels = layout.load, layout.store, layout.first, layout.rotate, layout.pixels
    scale, store = _scaler(dtype), _storer(dtype)
    opacity, read_input = _opacity(dtype, masked), _input_reader(dtype, tabled)

    def kernel(
        source: Any,
        source_words: Any,
        target: Any,
        target_words: Any,
        mask: Any,
        full: Any,
        table: Any,
        coefficients: Any,
        top: Any,
        left: Any,
        bottom: Any,
        right: Any,
        width: Any,
        copies_all: Any,
    ) -> None:
        column, row = cuda.grid(2)
        y = top + row
        group = (y * width + left) // pixels + column
        # A group that lies in two rows belongs to the upper one.
        shared = row > 0 and group * pixels < (y - 1) * width + right
        if y < bottom and group * pixels < y * width + right and not shared:
            count = source.size // 3
            touched = copies_all
            for pixel in range(pixels):
                index = group * pixels + pixel
                if index < count and opacity(mask, index, full) > ZERO:
                    touched = True
            if touched:
                low, middle, high = load(source, source_words, group)
                for pixel in range(pixels):
                    index = group * pixels + pixel
                    red, green, blue = first(low, middle, high)
                    foreground = opacity(mask, index, full) if index < count else ZERO
                    if foreground > ZERO:
                        background = ONE - foreground
                        r, g, b = read_input(red, green, blue, table)
                        r, g, b = chain(r, g, b, coefficients)
                        red = store(r * foreground + scale(red) * background)
                        green = store(g * foreground + scale(green) * background)
                        blue = store(b * foreground + scale(blue) * background)
                    low, middle, high = rotate(low, middle, high, red, green, blue)
                store_group(target, target_words, group, low, middle, high)

    return _compile(kernel, dtype)


def _compile(kernel: Device, dtype: np.dtype[Any]) -> Any:
    return cuda.jit(fastmath=dtype != np.float64)(kernel)


def _scaler(dtype: np.dtype[Any]) -> Any:
    """The function from a stored value, as a word, to [0, 1]."""
    if dtype not in LEVELS:
        return device_function(_identity)
    step = np.float32(1 / LEVELS[dtype])

    def scale(level: Any) -> Any:
        return np.float32(level) * step

    return device_function(scale)


def _storer(dtype: np.dtype[Any]) -> Any:
    """The function from a value in [0, 1] to the stored one, as a word, rounded to the nearest level."""
    if dtype not in LEVELS:
        return device_function(_identity)
    full, half = np.float32(LEVELS[dtype]), fuse.HALF

    def store(value: Any) -> Any:
        return np.uint32(value * full + half)

    return device_function(store)


def _opacity(dtype: np.dtype[Any], masked: bool) -> Any:
    """The function (mask, index, full) to the opacity of a pixel in [0, 1]."""
    convert = fuse.working_dtype(dtype).type

    def opacity(mask: Any, index: Any, full: Any) -> Any:
        return convert(mask[index]) / full

    def opaque(mask: Any, index: Any, full: Any) -> Any:
        return ONE

    return device_function(opacity if masked else opaque)


def _input_reader(dtype: np.dtype[Any], tabled: bool) -> Any:
    """The function from three stored values and the table to the input of the chain."""
    scale = _scaler(dtype)

    def look_up(red: Any, green: Any, blue: Any, table: Any) -> Any:
        return table[red], table[256 + green], table[512 + blue]

    def read_input(red: Any, green: Any, blue: Any, table: Any) -> Any:
        return scale(red), scale(green), scale(blue)

    return device_function(look_up if tabled else read_input)


def _identity(value: Any) -> Any:
    return value
