"""Runs of filters that keep the channels apart, as one table.

Within a cascade it is looked up and interpolated; at its end, for 8 bits, it holds what is stored. A power costs 2 ns a
pixel, a look-up 1 ns however many filters it stands for, and to make the table takes up to 200 microseconds. It
is used only where it is good enough: an interpolated one is compared with the filters between each two nodes, a stored
one must not step far from one node to the next.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from whitebox_filters.backends import compiled
from whitebox_filters.backends.blocks import BLOCK, ENDS
from whitebox_filters.images import LEVELS
from whitebox_filters.native.kernel import Function
from whitebox_filters.spec import Filter

SIZES = (1020, 4080)
"""Intervals; multiples of 255, since curves of filters bend at the first and last level of 8 bits."""

TOLERANCE = 0.1
"""In levels of the picture, halfway between nodes: an interval with a bend in it is off by up to twice as much."""

END_TOLERANCE = 0.4
"""In levels of 8 bits, from each node to the next, so that with half of it and the rounding less than one is lost."""

SINGLE = np.dtype(np.float32)
EIGHT_BITS = np.dtype(np.uint8)


class Stage(NamedTuple):
    """A compiled filter with its coefficients, or a table for several."""

    kernel: Function
    coefficients: npt.NDArray[Any]
    filter: Filter | None = None
    separate: bool = False
    alike: bool = False  # to all channels


def pack(stages: Sequence[Stage], real: npt.DTypeLike) -> dict[str, Any]:
    """Stages as the arguments of kernels that run them."""
    return {
        "stages": np.array([each.kernel.address for each in stages], np.int64),
        "coefficients": np.concatenate([each.coefficients for each in stages] or [np.zeros(0, real)]),
        "offsets": np.cumsum([0] + [len(each.coefficients) for each in stages], dtype=np.int64),
        "count": len(stages),
    }


def shorten(stages: Sequence[Stage], dtype: np.dtype[Any]) -> list[Stage]:
    """The same stages with tables for runs, for a picture of `dtype`; one of floats is never approximated."""
    if dtype not in LEVELS:
        return list(stages)
    shortened: list[Stage] = []
    run: list[Stage] = []
    for stage in [*stages, None]:
        if stage is not None and stage.separate:
            run.append(stage)
            continue
        shortened += _as_table(run, TOLERANCE / LEVELS[dtype]) if _is_costly(run) else run
        run = []
        if stage is not None:
            shortened.append(stage)
    return shortened


def end_table(run: Sequence[Stage], dtype: np.dtype[Any]) -> npt.NDArray[np.uint8] | None:
    """The stored values that stand for the separate stages that end a cascade; None if these themselves are better.

    There are for a picture of 8 bits, and where the nearest node is as good: (3, ENDS + 1), or (1, ENDS + 1) if the
    run does the same to all channels, since the cache holds one table better than three.
    """
    if dtype != EIGHT_BITS or not _is_costly(run):
        return None
    channels = 1 if all(stage.alike for stage in run) else 3
    stored, change = np.empty((channels, ENDS + 1), np.uint8), np.empty(1, SINGLE)
    compiled.tabulate()(channels=channels, stored=stored, change=change, **pack(run, SINGLE))
    return None if change[0] > END_TOLERANCE / LEVELS[dtype] else stored


def _is_costly(run: Sequence[Stage]) -> bool:
    """Whether a run takes longer than a look-up: several filters, or one with a function call in its formula."""
    calls = {name for stage in run if stage.filter for name in ("power",) if name in stage.filter.pixel.__globals__}
    return len(run) > 2 or bool(calls)


def _as_table(run: list[Stage], tolerance: float) -> list[Stage]:
    """The run as one stage if a table of any size is good enough, else as it is."""
    for size in SIZES:
        values = _evaluate(run, 2 * size)
        nodes, between = values[:, ::2], values[:, 1::2]
        if np.abs((nodes[:, :-1] + nodes[:, 1:]) / 2 - between).max() <= tolerance:
            table = np.concatenate([nodes, nodes[:, -1:]], axis=1)  # at white the next node is read too
            return [Stage(compiled.look_up(size), np.ascontiguousarray(table).ravel())]
    return run


def _evaluate(run: Sequence[Stage], size: int) -> npt.NDArray[Any]:
    """The channels after the run at the nodes, (3, size + 1)."""
    blocks = _levels(size).copy()
    for stage in run:
        for block in blocks:
            stage.kernel(block=block, coefficients=stage.coefficients)
    return blocks.transpose(1, 0, 2).reshape(3, -1)[:, : size + 1]


@functools.cache
def _levels(size: int) -> npt.NDArray[Any]:
    """The nodes, in as many blocks (n, 3, BLOCK) as they take; the rest of the last is white."""
    count = -(-(size + 1) // BLOCK)
    levels = np.ones(count * BLOCK, SINGLE)
    levels[: size + 1] = np.arange(size + 1) / size
    return np.ascontiguousarray(np.repeat(levels.reshape(count, 1, BLOCK), 3, axis=1))
