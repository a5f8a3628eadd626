"""How threads share the rows of a picture, compiled as `kernels`: neither a lock nor the interpreter is in between.

A job is a row of int64, see `team`. Parts of it are taken one after the other by whoever is free. None is used twice,
so that who comes late finds nothing to do. A board is one int64 that a team looks at: the address of the newest job, 0
before the first, CLOSED after the last.
"""

from __future__ import annotations

from numba import types

from whitebox_filters.backends.exports import INDEX, Text, export, jit
from whitebox_filters.backends.intrinsics import add_shared, call_rows, read_shared, rest, words_at, write_shared
from whitebox_filters.backends.team import ARGUMENTS, CLOSED, CUTS, FINISHED, FUNCTION, NEXT, PARTS

WORDS = types.CPointer(INDEX)


def lead() -> Text:
    """(board, job): hang out a job, work at it, and return when it is done."""

    def lead_job(board, job):  # type: ignore[no-untyped-def]
        write_shared(words_at(board), 0, job)
        work(words_at(job))
        while read_shared(words_at(job), FINISHED) < words_at(job)[PARTS]:
            rest()

    return export(lead_job, INDEX, INDEX)


def follow() -> Text:
    """(board, patience): work at what is hung out until the board is closed, or nothing new comes for so many looks."""

    def follow_board(board, patience):  # type: ignore[no-untyped-def]
        last, looks = 0, 0
        while looks < patience:
            job = read_shared(words_at(board), 0)
            if job == CLOSED:
                return
            if job == last:
                rest()
                looks += 1
            else:
                work(words_at(job))
                last, looks = job, 0

    return export(follow_board, INDEX, INDEX)


def _take_parts(job):  # type: ignore[no-untyped-def]
    """Work until no part is left to take."""
    part = add_shared(job, NEXT, 1)
    while part < job[PARTS]:
        call_rows(job[FUNCTION], words_at(job[ARGUMENTS]), job[CUTS + part], job[CUTS + part + 1], part)
        add_shared(job, FINISHED, 1)
        part = add_shared(job, NEXT, 1)


work = jit(_take_parts)
