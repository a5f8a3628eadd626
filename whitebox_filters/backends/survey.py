"""Once through a frame and its mask, for all that must be known or done before the filters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from whitebox_filters.backends import compiled, cores
from whitebox_filters.backends.blocks import PERIOD
from whitebox_filters.backends.frames import Frame, Mask
from whitebox_filters.backends.team import MOST, Team

SURVEYED = 8  # pixels in the time that filters take for one


@dataclass(frozen=True)
class Survey:
    """The mask with its spans, None if there is none, and the sums of all levels (3,), None if not asked for."""

    mask: Mask | None
    totals: npt.NDArray[np.float64] | None


def survey(
    team: Team, frame: Frame, values: npt.NDArray[Any] | None, target: Frame | None, *, summed: bool
) -> Survey:
    """Find the spans of a mask (H, W), copy what lies outside them to `target`, and add up the levels if `summed`.

    Nothing is copied without a mask, without a target, or if that is the frame itself.
    """
    if values is None and not summed:
        return Survey(None, None)
    cuts = cores.cut(frame.every_row() // SURVEYED + 1, MOST)
    spans = np.empty((len(frame.pixels), 2), np.int64)
    highest = np.zeros(len(cuts) - 1, np.uint8)
    sums = np.zeros((len(cuts) - 1, PERIOD), np.uint64)
    copied = target if values is not None and target is not None and not target.is_at(frame) else None
    team.run(
        compiled.survey(None if values is None else values.dtype),
        (*frame.bytes, 3 * frame.dtype.itemsize, frame.width)
        + ((0, 0) if values is None else (values.ctypes.data, values.strides[0] // values.itemsize))
        + (spans.ctypes.data, highest.ctypes.data)
        + ((0, 0, 0) if copied is None else (1, *copied.bytes))
        + (int(summed), sums.ctypes.data),
        cuts,
    )  # fmt: skip
    opacity = 1 / 255 if highest.max() > 1 else 1.0
    mask = None if values is None else Mask(values, opacity, spans)
    return Survey(mask, sum_channels(sums) if summed else None)


def sum_channels(sums: npt.NDArray[np.uint64]) -> npt.NDArray[np.float64]:
    """Of sums (parts, ..., PERIOD) by columns those by channels, (..., 3)."""
    total = sums.sum(axis=0).astype(np.float64)
    by_channel: npt.NDArray[np.float64] = total.reshape(*total.shape[:-1], -1, 3).sum(axis=-2)
    return by_channel
