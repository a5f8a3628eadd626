"""Runs of filters that do not mix channels, as one table.

Within a cascade the table is interpolated; at its end, for 8 bits, the entries are the levels to store. A power costs
2 ns a pixel, a look-up 1 ns however many filters it stands for, and making a table up to 200 microseconds. A table is
used only where it is good enough: an interpolated one is compared with the filters halfway between its nodes, and an
output table must not change much from one entry to the next.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from whitebox_filters.backends.cpu import kernels
from whitebox_filters.backends.cpu.kernels import BLOCK, OUTPUT_INTERVALS
from whitebox_filters.images import LEVELS
from whitebox_filters.native.kernel import Function
from whitebox_filters.spec import Filter

SIZES = (1020, 4080)
"""Intervals that are tried: multiples of 255, since curves of filters bend at the first and last level of 8 bits."""

TOLERANCE = 0.1
"""In levels of the picture, halfway between nodes; in an interval with a bend, the error is up to twice that."""

OUTPUT_TOLERANCE = 0.4
"""In levels of 8 bits, between two entries: half of it and the rounding add up to less than a level."""

SINGLE = np.dtype(np.float32)
EIGHT_BITS = np.dtype(np.uint8)


class Stage(NamedTuple):
    """A compiled filter with its coefficients, or a table that stands for several filters."""

    kernel: Function
    coefficients: npt.NDArray[Any]
    filter: Filter | None = None  # None for a table

    @property
    def is_separate(self) -> bool:
        """Whether it is a filter that does not mix channels."""
        return self.filter is not None and self.filter.channels != "mixed"


def pack(stages: Sequence[Stage], real: npt.DTypeLike) -> dict[str, Any]:
    """Stages as the arguments of kernels that run them."""
    return {
        "stages": np.array([each.kernel.address for each in stages], np.int64),
        "coefficients": np.concatenate([each.coefficients for each in stages] or [np.zeros(0, real)]),
        "offsets": np.cumsum([0] + [len(each.coefficients) for each in stages], dtype=np.int64),
        "count": len(stages),
    }


def tabulate_runs(stages: Sequence[Stage], dtype: np.dtype[Any]) -> list[Stage]:
    """The same stages with tables for runs, for a picture of `dtype`; for floats no table is used."""
    if dtype not in LEVELS:
        return list(stages)
    result: list[Stage] = []
    run: list[Stage] = []
    for stage in [*stages, None]:
        if stage is not None and stage.is_separate:
            run.append(stage)
            continue
        result += _tabulate(run, TOLERANCE / LEVELS[dtype]) if _is_costly(run) else run
        run = []
        if stage is not None:
            result.append(stage)
    return result


def make_output_table(run: Sequence[Stage], dtype: np.dtype[Any]) -> npt.NDArray[np.uint8] | None:
    """The table of stored levels that stands for the last filters of a cascade; None if the filters are better.

    There are such tables for pictures of 8 bits, where the nearest entry is good enough: (3, OUTPUT_INTERVALS + 1), or
    (1, OUTPUT_INTERVALS + 1) if the run treats all channels alike, since one table fits better into the cache.
    """
    if dtype != EIGHT_BITS or not _is_costly(run):
        return None
    channels = 1 if all(stage.filter is not None and stage.filter.channels == "same" for stage in run) else 3
    table, change = np.empty((channels, OUTPUT_INTERVALS + 1), np.uint8), np.empty(1, SINGLE)
    kernels.fill_output_table()(channels=channels, table=table, change=change, **pack(run, SINGLE))
    return None if change[0] > OUTPUT_TOLERANCE / LEVELS[dtype] else table


def _is_costly(run: Sequence[Stage]) -> bool:
    """Whether a run takes longer than a look-up: several filters, or a formula that calls `power`."""
    return len(run) > 2 or any(stage.filter and "power" in stage.filter.pixel.__globals__ for stage in run)


def _tabulate(run: list[Stage], tolerance: float) -> list[Stage]:
    """The run as one table if one of SIZES is good enough, else as it is."""
    for size in SIZES:
        values = _evaluate(run, 2 * size)
        nodes, between = values[:, ::2], values[:, 1::2]
        if np.abs((nodes[:, :-1] + nodes[:, 1:]) / 2 - between).max() <= tolerance:
            table = np.concatenate([nodes, nodes[:, -1:]], axis=1)  # at white the next entry is read too
            return [Stage(kernels.look_up(size), np.ascontiguousarray(table).ravel())]
    return run


def _evaluate(run: Sequence[Stage], size: int) -> npt.NDArray[Any]:
    """The channels after the run, (3, size + 1), at equal steps from 0 to 1."""
    blocks = _ramp(size).copy()
    for stage in run:
        for block in blocks:
            stage.kernel(block=block, coefficients=stage.coefficients)
    return blocks.transpose(1, 0, 2).reshape(3, -1)[:, : size + 1]


@functools.cache
def _ramp(size: int) -> npt.NDArray[Any]:
    """Equal steps from 0 to 1 in as many blocks (n, 3, BLOCK) as they take; the rest of the last block is white."""
    count = -(-(size + 1) // BLOCK)
    ramp = np.ones(count * BLOCK, SINGLE)
    ramp[: size + 1] = np.arange(size + 1) / size
    return np.ascontiguousarray(np.repeat(ramp.reshape(count, 1, BLOCK), 3, axis=1))
