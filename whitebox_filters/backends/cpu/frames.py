"""NumPy pictures and masks as kernels take them: each row in C order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from whitebox_filters import images
from whitebox_filters.backends.fuse import working_dtype
from whitebox_filters.errors import ImageError
from whitebox_filters.native.cores import MIN_PIXELS
from whitebox_filters.native.workers import MAX_RANGES

# How many times as fast as filters these passes are.
PREPASS_SPEED, COPY_SPEED, COUNT_SPEED = 8, 2, 2


@dataclass(frozen=True)
class Frame:
    """A picture (H, W, 3) whose rows are in C order."""

    pixels: npt.NDArray[Any]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the pixels."""
        return self.pixels.dtype

    @property
    def width(self) -> int:
        """In pixels."""
        return int(self.pixels.shape[1])

    @property
    def size(self) -> int:
        """Pixels."""
        return len(self.pixels) * self.width

    @property
    def spans(self) -> npt.NDArray[np.int64]:
        """The whole rows, as for a Mask."""
        return np.tile(np.array([0, self.width], np.int64), (len(self.pixels), 1))

    def split_rows(self, speed: int = 1) -> list[int]:
        """The first rows of ranges for `Workers`, and the end, for a pass `speed` times as fast as filters."""
        ranges, rows = min(max(1, self.size // (speed * MIN_PIXELS)), MAX_RANGES), len(self.pixels)
        return [rows * each // ranges for each in range(ranges + 1)]


@dataclass(frozen=True)
class Mask:
    """The opacity of the foreground: values (H, W) times `opacity`.

    `spans` (H, 2) are the first column of each row above 0 and the one after the last.
    """

    values: npt.NDArray[Any]
    opacity: float
    spans: npt.NDArray[np.int64]

    @property
    def is_empty(self) -> bool:
        """Whether it is 0 everywhere."""
        return not bool((self.spans[:, 0] < self.spans[:, 1]).any())


def open_frame(image: npt.NDArray[Any], *, writable: bool = False) -> Frame:
    """The picture itself if its rows are in C order, else a copy. A `writable` picture must have such rows."""
    if _has_whole_rows(image):
        return Frame(image)
    assert not writable
    return Frame(np.ascontiguousarray(image))


def check_out(out: npt.NDArray[Any], image: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Raise ImageError unless `out` can take the result for `image`, and is `image` or does not overlap with it."""
    if not isinstance(out, np.ndarray) or out.shape != image.shape or out.dtype != image.dtype:
        got = f"{out.dtype}, {out.shape}" if isinstance(out, np.ndarray) else type(out).__name__
        raise ImageError(f"out is an array of the image's {image.dtype}, {image.shape}; got {got}")
    if not out.flags.writeable or not _has_whole_rows(out):
        raise ImageError("out is writable and its rows hold their pixels one after the other; got another layout")
    same = out.ctypes.data == image.ctypes.data and out.strides == image.strides
    if not same and np.shares_memory(out, image):
        raise ImageError("out is the image itself or lies apart from it; got an overlapping view")
    return out


def open_mask(mask: Any, frame: Frame) -> npt.NDArray[Any] | None:
    """The values of a mask as of `images.to_alpha`, with rows in C order; bool and uint8 are taken as uint8.

    Raises ImageError.
    """
    if mask is None:
        return None
    height, width = frame.pixels.shape[:2]
    values = np.asarray(mask)
    if values.shape == (height, width) and values.dtype in (np.bool_, np.uint8):
        values = values.view(np.uint8)
    else:
        values = images.to_alpha(values, (height, width), working_dtype(frame.dtype))
    if values.strides[1] != values.itemsize or values.strides[0] < width * values.itemsize:
        values = np.ascontiguousarray(values)
    return values


def _has_whole_rows(image: npt.NDArray[Any]) -> bool:
    size = image.itemsize
    return image.strides[1:] == (3 * size, size) and image.strides[0] >= 3 * image.shape[1] * size
