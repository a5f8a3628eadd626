"""Once through a frame and its mask, for what must be known before the filters; and the background."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from whitebox_filters.backends import compiled
from whitebox_filters.backends.frames import COPIED, SURVEYED, Frame, Mask
from whitebox_filters.native.workers import Workers


@dataclass(frozen=True)
class Survey:
    """The mask with its spans, None if there is none, and the sums of all levels (3,), None if not asked for."""

    mask: Mask | None
    totals: npt.NDArray[np.int64] | None


def survey(workers: Workers, frame: Frame, values: npt.NDArray[Any] | None, *, summed: bool) -> Survey:
    """Find the spans of a mask (H, W), and add up the levels if `summed`."""
    if values is None and not summed:
        return Survey(None, None)
    rows = frame.split_rows(SURVEYED)
    spans, highest = np.empty((len(frame.pixels), 2), np.int64), np.zeros(len(rows) - 1, np.uint8)
    sums = np.zeros((len(rows) - 1, 3), np.int64)
    workers.run(
        compiled.survey(None if values is None else values.dtype, summed=summed),
        rows,
        picture=frame.pixels if summed else None,
        width=frame.width,
        mask=values,
        spans=spans,
        highest=highest,
        sums=sums,
    )
    opacity = 1 / 255 if highest.max() > 1 else 1.0
    return Survey(None if values is None else Mask(values, opacity, spans), sums.sum(axis=0) if summed else None)


def copy_background(workers: Workers, frame: Frame, mask: Mask | None, target: Frame) -> None:
    """Copy what lies outside the spans of a mask, by threads that have nothing else to do."""
    if mask is None or target.pixels.ctypes.data == frame.pixels.ctypes.data:
        return
    workers.run_in_background(
        compiled.copy_outside(),
        frame.split_rows(COPIED),
        picture=frame.pixels.view(np.uint8),
        pixel=3 * frame.dtype.itemsize,
        width=frame.width,
        spans=mask.spans,
        out=target.pixels.view(np.uint8),
    )
