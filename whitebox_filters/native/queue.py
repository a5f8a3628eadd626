"""How threads share the rows of a picture, compiled as `kernels`: neither a lock nor the interpreter is in between.

A job is a row of int64, laid out in `workers`. Whichever thread is free takes the next part of it. No job is used
twice, so that a late thread finds nothing to do. A board is two int64 that all threads read: the address of the job to
be done NOW and of the one for MEANWHILE, 0 if there is none yet; CLOSED in place of the first ends the work.
"""

from __future__ import annotations

from whitebox_filters.native.exports import INDEX, Text, export, jit
from whitebox_filters.native.intrinsics import add_shared, call_rows, read_shared, rest, words_at, write_shared
from whitebox_filters.native.workers import ARGUMENTS, CLOSED, CUTS, FINISHED, FUNCTION, MEANWHILE, NEXT, NOW, PARTS

WORD_SIZE = INDEX.bitwidth // 8


def post() -> Text:
    """(board, place, word): for all to see, with all that was written before."""

    def post_word(board, place, word):  # type: ignore[no-untyped-def]
        write_shared(words_at(board), place, word)

    return export(post_word, INDEX, INDEX, INDEX)


def finish() -> Text:
    """(job): work at a job until it is done."""

    def finish_job(job):  # type: ignore[no-untyped-def]
        work(job)
        while read_shared(words_at(job), FINISHED) < words_at(job)[PARTS]:
            rest()

    return export(finish_job, INDEX)


def serve() -> Text:
    """(board, patience): work at what is hung out until the board is closed, or nothing comes for so many looks.

    A job is done before the next part of the one that has time.
    """

    def serve_board(board, patience):  # type: ignore[no-untyped-def]
        last, looks = 0, 0
        while looks < patience:
            job = read_shared(words_at(board), NOW)
            if job == CLOSED:
                return
            if job != last:
                work(job)
                last, looks = job, 0
                continue
            slow = read_shared(words_at(board), MEANWHILE)
            if slow and take(slow):
                looks = 0
            else:
                rest()
                looks += 1

    return export(serve_board, INDEX, INDEX)


def _take_part(address):  # type: ignore[no-untyped-def]
    """Do the next part of a job; whether there was one."""
    job = words_at(address)
    if read_shared(job, NEXT) >= job[PARTS]:  # who only looks takes no word from the others' caches
        return False
    part = add_shared(job, NEXT, 1)
    if part >= job[PARTS]:
        return False
    arguments = words_at(address + WORD_SIZE * job[ARGUMENTS])
    call_rows(job[FUNCTION], arguments, job[CUTS + part], job[CUTS + part + 1], part)
    add_shared(job, FINISHED, 1)
    return True


take = jit(_take_part)


def _take_parts(address):  # type: ignore[no-untyped-def]
    while take(address):
        pass


work = jit(_take_parts)
