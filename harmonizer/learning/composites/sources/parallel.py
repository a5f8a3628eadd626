"""Work on many pictures, spread over the cores."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

T = TypeVar("T")
R = TypeVar("R")


def map_in_threads(function: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """The results of `function` for all items, in their order, with a thread for each core.

    Pillow, scikit-image and torch release the interpreter's lock. Within a thread torch uses one core: threads that
    share an operation wait for each other at its end, which takes most of the time where other processes run. So the
    results do not depend on the number of cores either.
    """
    with ThreadPoolExecutor(os.cpu_count(), initializer=torch.set_num_threads, initargs=(1,)) as pool:
        return list(pool.map(function, items))
