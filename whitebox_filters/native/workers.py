"""All cores at the passes of one call, without the interpreter between them.

To wake a thread takes as long as to add up a frame. Hence other threads are woken once, at the beginning of a call, and
then look for the next pass without falling asleep; the call never waits for one that has not come. Each pass is cut
into many parts, the same on any machine, so that whoever is free takes the next one.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from whitebox_filters.native import cores, functions

# The words of a job: the address of an `exports.export_rows`, which word is the first of its arguments, in how many
# parts the rows are cut, the next part to be taken, how many are finished; then the cuts, one more than parts.
FUNCTION, ARGUMENTS, PARTS, NEXT, FINISHED, CUTS = range(6)
# The words of a board, and what closes it.
NOW, MEANWHILE = range(2)
CLOSED = -1
MOST = 256  # parts of a pass
PATIENCE = 200_000
"""Looks at the board in vain, some milliseconds, before a thread gives up; a call takes far less between passes."""


class Workers:
    """Threads that are at hand within `with`; the caller's is one of them."""

    def __init__(self, size: int) -> None:
        """For passes that cost at most about so many pixels."""
        self._board = np.zeros(2, np.int64)
        self._kept: list[Any] = []  # for a thread may still look at it
        self._started: int | None = None
        self._others = min(cores.count() - 1, size // cores.LEAST)
        self._waiting: list[Future[None]] = []

    def __enter__(self) -> Workers:
        self._waiting = [cores.pool().submit(_follow, self._board, self._kept) for _ in range(self._others)]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        try:
            if self._started is not None:
                functions.finish()(self._started)
        finally:
            self._post(NOW, CLOSED)
            for other in self._waiting:
                other.cancel()

    def run(self, function: int, arguments: Sequence[float], cuts: Sequence[int]) -> None:
        """Call a pass over rows, by its address, for all parts between `cuts`.

        Arguments are int, addresses among them, or float.
        """
        job = self._job(function, arguments, cuts)
        self._post(NOW, job)
        functions.finish()(job)

    def start(self, function: int, arguments: Sequence[float], cuts: Sequence[int], kept: object) -> None:
        """Have the same done, once, by threads that have nothing else to do, and by the end of `with` at the latest.

        What the addresses lead to must be `kept` until then.
        """
        assert self._started is None
        self._started = self._job(function, arguments, cuts)
        self._kept.append(kept)
        self._post(MEANWHILE, self._started)

    def _job(self, function: int, arguments: Sequence[float], cuts: Sequence[int]) -> int:
        """The address of a job."""
        words = [_bits(each) if isinstance(each, float) else each for each in arguments]
        job = np.array([function, CUTS + len(cuts), len(cuts) - 1, 0, 0, *cuts, *words], np.int64)
        self._kept.append(job)
        return job.ctypes.data

    def _post(self, place: int, word: int) -> None:
        functions.post()(self._board.ctypes.data, place, word)


def _bits(real: float) -> int:
    return int(np.float64(real).view(np.int64))


def _follow(board: npt.NDArray[np.int64], _kept: list[Any]) -> None:
    functions.serve()(board.ctypes.data, PATIENCE)
