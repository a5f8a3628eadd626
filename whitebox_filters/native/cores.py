"""How many cores there are, how rows are split among them, and a thread for each."""

from __future__ import annotations

import functools
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

MIN_PIXELS = 16_384  # of a range; fewer are done before another thread has woken


def count() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def split_rows(costs: npt.NDArray[np.int64], most: int) -> npt.NDArray[np.int64]:
    """Split rows of these costs, in pixels, into ranges that cost about the same: their first rows, and the last's end.

    There are at most `most` ranges, and none costs much less than MIN_PIXELS. Rows before the first and after the last
    that cost anything are left out.
    """
    done = np.cumsum(costs)
    ranges = int(min(most, max(1, done[-1] // MIN_PIXELS)))
    rows: npt.NDArray[np.int64] = np.searchsorted(done, np.arange(ranges + 1) * done[-1] // ranges, side="left") + 1
    rows[0] = np.searchsorted(done, 0, side="right")
    return rows


@functools.cache
def pool() -> ThreadPoolExecutor:
    """A thread for each core but the caller's; a process that was forked makes its own."""
    return ThreadPoolExecutor(max(1, count() - 1), thread_name_prefix="whitebox_filters")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=pool.cache_clear)
