"""Once through a frame and its mask, for what must be known before the filters; and the background."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from whitebox_filters.backends import compiled
from whitebox_filters.backends.frames import COPIED, SURVEYED, Frame, Mask, rows_of
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
    cuts = frame.cut(SURVEYED)
    spans, highest = np.empty((len(frame.pixels), 2), np.int64), np.zeros(len(cuts) - 1, np.uint8)
    sums = np.zeros((len(cuts) - 1, 3), np.int64)
    kind, masked = (None, (0, 0)) if values is None else (values.dtype, rows_of(values))
    found = spans.ctypes.data, highest.ctypes.data, int(summed), sums.ctypes.data
    workers.run(compiled.survey(kind), (*frame.bytes, frame.width, *masked, *found), cuts)
    opacity = 1 / 255 if highest.max() > 1 else 1.0
    return Survey(None if values is None else Mask(values, opacity, spans), sums.sum(axis=0) if summed else None)


def copy_background(workers: Workers, frame: Frame, mask: Mask | None, target: Frame) -> None:
    """Let a workers copy what lies outside the spans of a mask while it has nothing else to do."""
    if mask is None or target.pixels.ctypes.data == frame.pixels.ctypes.data:
        return
    given = *frame.bytes, 3 * frame.dtype.itemsize, frame.width, mask.spans.ctypes.data, *target.bytes
    workers.start(compiled.copy_outside(), given, frame.cut(COPIED), (frame, mask, target))
