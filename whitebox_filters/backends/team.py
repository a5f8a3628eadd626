"""All cores at the passes of one call, without the interpreter between them.

To wake a thread takes as long as to add up a frame. Hence other threads are woken once, at the beginning of a call, and
then look for the next pass without falling asleep; the call never waits for one that has not come. Each pass is cut
into many parts, the same on any machine, so that whoever is free takes the next one.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from types import TracebackType

import numpy as np
import numpy.typing as npt

from whitebox_filters.backends import compiled, cores

# The words of a job: the address of an `exports.export_rows`, that of its arguments, in how many parts the rows are
# cut, the next part to be taken, how many are finished, and then the first row of each part and the end of the last.
FUNCTION, ARGUMENTS, PARTS, NEXT, FINISHED, CUTS = range(6)
CLOSED = -1
MOST = 256  # parts of a pass
PATIENCE = 200_000
"""Looks at the board in vain, some milliseconds, before a thread gives up; a call takes far less between passes."""


class Team:
    """Threads that are at hand within `with`; the caller's is one of them."""

    def __init__(self, size: int) -> None:
        """For passes that cost at most about so many pixels."""
        self._board = np.zeros(1, np.int64)
        self._jobs: list[npt.NDArray[np.int64]] = []  # kept, for a thread may still look at them
        self._others = min(cores.count() - 1, size // cores.LEAST)
        self._waiting: list[Future[None]] = []

    def __enter__(self) -> Team:
        follow, kept = compiled.follow(), (self._board, self._jobs)
        self._waiting = [
            cores.pool().submit(lambda board, _: follow(board.ctypes.data, PATIENCE), *kept)
            for _ in range(self._others)
        ]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self._board[0] = CLOSED
        for other in self._waiting:
            other.cancel()

    def run(self, function: int, arguments: Sequence[float], cuts: npt.NDArray[np.int64]) -> None:
        """Call a pass over rows, by its address, for all parts between `cuts`; arguments are int, or float for reals."""
        row = np.array([_bits(each) if isinstance(each, float) else each for each in arguments], np.int64)
        job = np.concatenate([[function, row.ctypes.data, len(cuts) - 1, 0, 0], cuts])
        self._jobs += [row, job]
        compiled.lead()(self._board.ctypes.data, job.ctypes.data)


def _bits(real: float) -> int:
    return int(np.float64(real).view(np.int64))
