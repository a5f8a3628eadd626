"""A cascade on an NVIDIA GPU: statistics passes and one pass over the pixels, compiled by Numba-CUDA."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import cuda

from whitebox_filters import images
from whitebox_filters.backends import fuse, passes
from whitebox_filters.backends.cuda import kernels
from whitebox_filters.backends.cuda.packing import packing_of
from whitebox_filters.errors import ImageError
from whitebox_filters.images import LEVELS, FloatArray
from whitebox_filters.spec import Filter
from whitebox_filters.statistics import measure

if TYPE_CHECKING:
    from whitebox_filters.chain import Chain

DTYPES = tuple(np.dtype(kind) for kind in (np.uint8, np.uint16, np.float32, np.float64))
# At least so many filters before the first that mixes channels become a table of 8 bits; fewer cost no more than
# three look-ups (benchmarks/results/cuda_kernels.md).
TABLE_FROM = 3

Values = tuple[float, ...]


@dataclass(frozen=True)
class Mask:
    """A mask on the device: values (H * W,), the value that is opaque, and the box around the values above 0."""

    values: Any
    full: float
    box: tuple[int, int, int, int]  # top, left, bottom, right; ends are exclusive


class Plan:
    """A cascade compiled for frames on the device.

    The first call for a dtype compiles. The plan keeps its scratch memory (some KB, and a mask that comes from the
    host), so further frames of that size allocate nothing. It takes one call at a time, on the default stream.
    """

    def __init__(self, cascade: Chain) -> None:
        """Plan the passes of a cascade."""
        self._cascade = cascade
        self._head = passes.head_length(cascade.filters)
        self._scratch: dict[str, Any] = {}

    def __str__(self) -> str:
        return passes.describe(self._cascade, "CUDA")

    def __call__(
        self, image: Any, theta: Any, mask: Any = None, out: Any = None, statistics: Sequence[Any] | None = None
    ) -> Any:
        """Apply the cascade and blend with the mask (Eqs. 4 and 5).

        `image` (H, W, 3), C-contiguous, of uint8, uint16, float32 or float64, is on the device (an object with
        `__cuda_array_interface__`; a NumPy array is copied there); that float values lie in [0, 1] is not checked.
        `theta`: k numbers in [-1, 1], or {name: number}. `mask` (H, W), on host or device: bool, uint8, uint16, or
        float in [0, 1]. `out`: a device array like `image`, or `image` itself; None for a new one. `statistics`:
        a frozen value for each filter, or None to measure. Returns `out`, or a Numba device array; pixels with
        mask 0 are the input's, bit for bit. Raises ImageError, ThetaError, FilterError.
        """
        values, frozen = self._cascade.check_theta(theta), self._cascade.check_statistics(statistics)
        source = _on_device(image)
        _check_frame(source)
        target = cuda.device_array(tuple(source.shape), source.dtype) if out is None else _check_out(out, source)
        opened = None if mask is None else self._open_mask(mask, source)
        if opened is None or opened.box[2] > 0:
            rows, levels = self._coefficients(source, values, opened, frozen)
            self._blend(source, target, opened, rows, levels)
        elif _address(target) != _address(source):
            target.copy_to_device(source)
        return target if out is None else out

    def _coefficients(
        self, source: Any, theta: FloatArray, mask: Mask | None, statistics: Sequence[Any]
    ) -> tuple[list[Values], FloatArray]:
        """The coefficients of each filter, after measuring what they need, and a table (3, 256).

        The table holds what the filters before the first that mixes channels make of each level of 8 bits; with the
        frame's histogram it yields the means after each of them.
        """
        eight = source.dtype == np.uint8
        weights = mask if self._cascade.region == "mask" else None
        levels: FloatArray = np.tile(np.arange(256) / 255, (3, 1))
        rows: list[Values] = []
        counts = None
        for index, filter in enumerate(self._cascade.filters):
            statistic = statistics[index]
            if statistic is None and filter.statistic is not None:
                if eight and index <= self._head and weights is None:
                    counts = self._count(source) if counts is None else counts
                    means = (counts * levels).sum(axis=1) / counts[0].sum()
                else:
                    means = self._measure(source, weights, rows)
                statistic = measure(np, means[:, None, None], filter.statistic)
            rows.append(fuse.filter_coefficients(filter, theta[index], statistic))
            if eight and index < self._head:
                levels = np.clip(filter.array(np, levels, *map(np.float64, rows[-1])), 0, 1)
        return rows, levels

    def _blend(self, source: Any, target: Any, mask: Mask | None, rows: list[Values], levels: FloatArray) -> None:
        """The pass over the pixels: within the mask's box if `target` is `source`, else over the whole frame."""
        dtype = np.dtype(source.dtype)
        height, width = source.shape[:2]
        table = self._buffer("table", (levels.size,), np.float32)
        start = table_length(self._cascade.filters, dtype)
        if start:
            table.copy_to_device(levels.astype(np.float32).ravel())
        copies = _address(target) != _address(source)
        whole = 0, 0, height, width
        top, left, bottom, right = whole if mask is None or copies else mask.box
        pixels = packing_of(dtype).pixels
        # Where in its group a row of the box begins; the largest value if that differs from row to row.
        offset = left % pixels if width % pixels == 0 else pixels - 1
        columns = math.ceil((offset + right - left) / pixels)
        grid = math.ceil(columns / kernels.BLOCK[0]), math.ceil((bottom - top) / kernels.BLOCK[1])
        formulas = fuse.pixel_formulas(self._cascade.filters[start:])
        kernels.blend_pixels(formulas, dtype, mask is not None, start > 0)[grid, kernels.BLOCK](
            *self._views(source),
            *self._views(target),
            *self._opacity(mask, dtype),
            table,
            _row(rows[start:], dtype),
            *(top, left, bottom, right, width, copies),
        )

    def _count(self, source: Any) -> FloatArray:
        """The histogram of an 8-bit frame (3, 256)."""
        bins = self._buffer("bins", (kernels.BINS,), np.int32)
        bins.copy_to_device(np.zeros(kernels.BINS, np.int32))
        blocks = min(kernels.HISTOGRAM_BLOCKS, math.ceil(source.size / 12 / kernels.HISTOGRAM_THREADS))
        kernels.count_levels()[blocks, kernels.HISTOGRAM_THREADS](*self._views(source), bins)
        counted: FloatArray = bins.copy_to_host().reshape(3, 256).astype(np.float64)
        return counted

    def _measure(self, source: Any, mask: Mask | None, rows: list[Values]) -> FloatArray:
        """The channel means (3,) after the filters whose coefficients are known, over the frame or by the mask."""
        dtype = np.dtype(source.dtype)
        blocks = min(kernels.SUM_BLOCKS, math.ceil(source.size / 3 / packing_of(dtype).pixels / kernels.THREADS))
        sums = self._buffer("sums", (blocks, 4), fuse.working_dtype(dtype))
        formulas = fuse.pixel_formulas(self._cascade.filters[: len(rows)])
        kernels.sum_pixels(formulas, dtype, mask is not None)[blocks, kernels.THREADS](
            *self._views(source), *self._opacity(mask, dtype), _row(rows, dtype), sums
        )
        total = sums.copy_to_host().sum(axis=0, dtype=np.float64)
        means: FloatArray = total[:3] / total[3]
        return means

    def _open_mask(self, mask: Any, source: Any) -> Mask:
        """Copy a mask to the device, check it and find its box. Raises ImageError."""
        size, working = tuple(source.shape[:2]), fuse.working_dtype(np.dtype(source.dtype))
        array: Any = _on_device(mask) if _is_device_array(mask) else np.asarray(mask)
        plain = np.dtype(array.dtype) in (np.bool_, *DTYPES)
        if tuple(array.shape) != size or not plain or (_is_device_array(array) and not array.is_c_contiguous()):
            array = images.to_alpha(_on_host(array), size, working)
        if not _is_device_array(array):
            uploaded = self._buffer("mask", size, array.dtype)
            uploaded.copy_to_device(np.ascontiguousarray(array))
            array = uploaded
        values = array.view(np.uint8) if array.dtype == np.bool_ else array
        bounds = self._buffer("bounds", kernels.NO_BOUNDS.shape, np.int32)
        bounds.copy_to_device(kernels.NO_BOUNDS)
        across, down = kernels.BLOCK[0] * kernels.BOUND_COLUMNS, kernels.BLOCK[1]
        grid = math.ceil(size[1] / across), min(math.ceil(size[0] / down), kernels.BOUND_BLOCKS)
        kernels.bound_mask()[grid, kernels.BLOCK](values, bounds)
        *box, beyond = map(int, bounds.copy_to_host())
        if beyond and values.dtype not in LEVELS:
            images.to_alpha(_on_host(array), size, working)  # raises, since a float is outside [0, 1]
        full = LEVELS[values.dtype] if beyond else 1
        return Mask(values.reshape(size[0] * size[1]), full, (box[0], box[1], box[2], box[3]))

    def _opacity(self, mask: Mask | None, dtype: np.dtype[Any]) -> tuple[Any, Any]:
        """A mask as kernels take it: its values and the opaque value; without a mask, memory that they never read."""
        working = fuse.working_dtype(dtype)
        if mask is None:
            return self._buffer("no mask", (1,), np.uint8), working.type(1)
        return mask.values, working.type(mask.full)

    def _views(self, frame: Any) -> tuple[Any, Any]:
        """A frame as kernels take it: its items (H * W * 3,), and the same memory as words; see `packing_of`."""
        dtype = np.dtype(frame.dtype)
        layout = packing_of(dtype)
        items = frame.reshape(frame.size)
        whole = frame.size // (3 * layout.pixels) * 3 * layout.pixels
        if whole == 0 or _address(frame) % layout.word.itemsize:
            return items, self._buffer("no words", (1,), layout.word)
        return items, items[:whole].view(layout.word)

    def _buffer(self, name: str, shape: tuple[int, ...], dtype: Any) -> Any:
        """Scratch memory on the device, allocated again when another shape or dtype is needed."""
        buffer = self._scratch.get(name)
        if buffer is None or tuple(buffer.shape) != shape or buffer.dtype != dtype:
            buffer = self._scratch[name] = cuda.device_array(shape, dtype)
        return buffer


def table_length(filters: Sequence[Filter], dtype: np.dtype[Any]) -> int:
    """How many filters at the start of a cascade become a table, for a frame of `dtype`."""
    head = passes.head_length(filters) if dtype == np.uint8 else 0
    return head if head >= TABLE_FROM else 0


def _row(rows: list[Values], dtype: np.dtype[Any]) -> tuple[Any, ...]:
    return fuse.scalars(tuple(value for values in rows for value in values), fuse.working_dtype(dtype))


def _check_frame(frame: Any) -> None:
    if len(frame.shape) != 3 or frame.shape[2] != 3 or frame.size == 0:
        raise ImageError(f"an image has shape (H, W, 3), RGB, with H and W at least 1; got {tuple(frame.shape)}")
    if np.dtype(frame.dtype) not in DTYPES:
        raise ImageError(f"a CUDA image is uint8, uint16, float32 or float64; got {frame.dtype}. Convert it first")
    if not frame.is_c_contiguous():
        raise ImageError("a CUDA image is C-contiguous; got a strided view. Copy it first")


def _check_out(out: Any, source: Any) -> Any:
    if not _is_device_array(out):
        raise ImageError(f"out is an array on the device, like the image; got {type(out).__name__}")
    target = _on_device(out)
    if tuple(target.shape) != tuple(source.shape) or target.dtype != source.dtype or not target.is_c_contiguous():
        raise ImageError(
            f"out is C-contiguous, of the image's shape {tuple(source.shape)} and dtype {source.dtype}; "
            f"got {tuple(target.shape)}, {target.dtype}"
        )
    if 0 < abs(_address(target) - _address(source)) < source.nbytes:
        raise ImageError("out overlaps the image without being it; pass the image itself, or other memory")
    return target


def _is_device_array(values: Any) -> bool:
    # Numba's simulator has the first attribute only.
    return hasattr(values, "__cuda_ndarray__") or hasattr(values, "__cuda_array_interface__")


def _on_device(values: Any) -> Any:
    if hasattr(values, "__cuda_ndarray__"):
        return values
    if hasattr(values, "__cuda_array_interface__"):
        return cuda.as_cuda_array(values)
    return cuda.to_device(np.ascontiguousarray(values))


def _on_host(values: Any) -> Any:
    return values.copy_to_host() if _is_device_array(values) else values


def _address(values: Any) -> int:
    interface = getattr(values, "__cuda_array_interface__", None) or values.__array_interface__
    address: int = interface["data"][0]
    return address
