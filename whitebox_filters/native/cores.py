"""How rows of a picture are shared out among the cores, and the threads of those."""

from __future__ import annotations

import functools
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

LEAST = 16_384  # pixels; fewer are done before another thread has woken


def count() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cut(costs: npt.NDArray[np.int64], most: int) -> npt.NDArray[np.int64]:
    """The first rows of at most so many ranges that cost alike, none of them less than LEAST, and the end of the last.

    Rows before the first and after the last of any cost are left out.
    """
    done = np.cumsum(costs)
    parts = int(min(most, max(1, done[-1] // LEAST)))
    cuts: npt.NDArray[np.int64] = np.searchsorted(done, np.arange(parts + 1) * done[-1] // parts, side="left") + 1
    cuts[0] = np.searchsorted(done, 0, side="right")
    return cuts


@functools.cache
def pool() -> ThreadPoolExecutor:
    """A thread for each core but the caller's; a process that was forked makes its own."""
    return ThreadPoolExecutor(max(1, count() - 1), thread_name_prefix="whitebox_filters")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=pool.cache_clear)
