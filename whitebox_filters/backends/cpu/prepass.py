"""One pass over a picture and its mask before the filters, and the copy of the background."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from whitebox_filters.backends.cpu import kernels
from whitebox_filters.backends.cpu.frames import COPY_SPEED, PREPASS_SPEED, Frame, Mask
from whitebox_filters.native.workers import Workers


@dataclass(frozen=True)
class Prepass:
    """The mask with its spans, or None, and the sums (3,) of all levels, or None if they were not asked for."""

    mask: Mask | None
    totals: npt.NDArray[np.int64] | None


def run_prepass(workers: Workers, frame: Frame, values: npt.NDArray[Any] | None, *, summed: bool) -> Prepass:
    """Find the spans of a mask (H, W), and add up the levels if `summed`."""
    if values is None and not summed:
        return Prepass(None, None)
    rows = frame.split_rows(PREPASS_SPEED)
    spans, highest = np.empty((len(frame.pixels), 2), np.int64), np.zeros(len(rows) - 1, np.uint8)
    sums = np.zeros((len(rows) - 1, 3), np.int64)
    workers.run(
        kernels.prepass(None if values is None else values.dtype, summed=summed),
        rows,
        picture=frame.pixels if summed else None,
        width=frame.width,
        mask=values,
        spans=spans,
        highest=highest,
        sums=sums,
    )
    opacity = 1 / 255 if highest.max() > 1 else 1.0
    return Prepass(None if values is None else Mask(values, opacity, spans), sums.sum(axis=0) if summed else None)


def copy_background(workers: Workers, frame: Frame, mask: Mask | None, target: Frame) -> None:
    """Copy what lies outside the spans of a mask, by threads that have nothing else to do."""
    if mask is None or target.pixels.ctypes.data == frame.pixels.ctypes.data:
        return
    workers.run_in_background(
        kernels.copy_background(),
        frame.split_rows(COPY_SPEED),
        picture=frame.pixels.view(np.uint8),
        pixel_size=3 * frame.dtype.itemsize,
        width=frame.width,
        spans=mask.spans,
        out=target.pixels.view(np.uint8),
    )
