"""All cores at the passes of one call.

Waking a thread takes as long as adding up a frame. So the other threads are woken once, at the beginning of a call, and
then look for the next pass without falling asleep; the call never waits for a thread that has not come. Each pass is
split into many ranges of rows, the same on any machine, and a thread that is free takes the next one.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from whitebox_filters.native import cores, queue
from whitebox_filters.native.kernel import RowKernel

MAX_RANGES = 256  # of a pass
PATIENCE = 200_000
"""Looks at the queue, some milliseconds, before a thread gives up; a call takes far less between two passes."""


class Workers:
    """The threads of one call, within `with`; the caller's is one of them."""

    def __init__(self, pixels: int) -> None:
        """For passes over at most about so many pixels."""
        words = np.zeros(2, np.int64)
        self._queue = _address(words)
        self._keep_alive: list[Any] = [words]  # what a late thread may still read
        self._background: int | None = None
        self._others = min(cores.count() - 1, pixels // cores.MIN_PIXELS)
        self._futures: list[Future[None]] = []

    def __enter__(self) -> Workers:
        self._futures = [cores.pool().submit(_work, self._queue, self._keep_alive) for _ in range(self._others)]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        try:
            if self._background is not None:
                queue.finish_job(job=self._background)
        finally:
            queue.set_word(queue=self._queue, place=queue.CURRENT, word=queue.CLOSED)
            for future in self._futures:
                future.cancel()

    def run(self, kernel: RowKernel, rows: Sequence[int], **arguments: Any) -> None:
        """Call a kernel for all ranges between two of `rows`, and return when they are finished.

        Raises TypeError and ValueError if the arguments are not as the kernel declares.
        """
        queue.run_job(queue=self._queue, job=self._make_job(kernel, rows, arguments))

    def run_in_background(self, kernel: RowKernel, rows: Sequence[int], **arguments: Any) -> None:
        """The same, by threads that have nothing else to do, and at the latest at the end of `with`; once a call."""
        assert self._background is None
        self._background = self._make_job(kernel, rows, arguments)
        queue.set_word(queue=self._queue, place=queue.BACKGROUND, word=self._background)

    def _make_job(self, kernel: RowKernel, rows: Sequence[int], arguments: dict[str, Any]) -> int:
        """The address of a new job, whose words lie as `queue` says."""
        words = kernel.words(arguments)
        job = np.array([kernel.address, queue.ROWS + len(rows), len(rows) - 1, 0, 0, *rows, *words], np.int64)
        self._keep_alive += job, arguments
        return _address(job)


def _address(words: npt.NDArray[np.int64]) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(words.data))


def _work(address: int, _keep_alive: list[Any]) -> None:
    queue.work(queue=address, patience=PATIENCE)
