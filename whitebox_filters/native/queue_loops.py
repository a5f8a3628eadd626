"""The loops of `queue`, which Numba compiles: no lock and no interpreter stands between the threads and their work."""

from __future__ import annotations

from whitebox_filters.native.exports import INDEX, jit
from whitebox_filters.native.intrinsics import add_shared, call_rows, pause, read_shared, words_at, write_shared
from whitebox_filters.native.queue import (
    ARGUMENTS,
    BACKGROUND,
    CLOSED,
    CURRENT,
    FINISHED,
    KERNEL,
    NEXT,
    RANGES,
    ROWS,
)
from whitebox_filters.native.signature import Loop

WORD_SIZE = INDEX.bitwidth // 8


def set_word() -> Loop:
    """See `queue.set_word`."""

    def set_word(queue, place, word):  # type: ignore[no-untyped-def]
        write_shared(words_at(queue), place, word)

    return set_word


def run_job() -> Loop:
    """See `queue.run_job`."""

    def run_job(queue, job):  # type: ignore[no-untyped-def]
        write_shared(words_at(queue), CURRENT, job)
        finish(job)

    return run_job


def finish_job() -> Loop:
    """See `queue.finish_job`."""

    def finish_job(job):  # type: ignore[no-untyped-def]
        finish(job)

    return finish_job


def work() -> Loop:
    """See `queue.work`."""

    def work(queue, patience):  # type: ignore[no-untyped-def]
        last, looks = 0, 0
        while looks < patience:
            job = read_shared(words_at(queue), CURRENT)
            if job == CLOSED:
                return
            if job != last:
                take_all_ranges(job)
                last, looks = job, 0
                continue
            background = read_shared(words_at(queue), BACKGROUND)
            if background and take_range(background):
                looks = 0
            else:
                pause()
                looks += 1

    return work


def _take_range(address):  # type: ignore[no-untyped-def]
    """Do the next range of a job; False if none is left."""
    job = words_at(address)
    if read_shared(job, NEXT) >= job[RANGES]:  # to read first leaves the word in the other cores' caches
        return False
    part = add_shared(job, NEXT, 1)
    if part >= job[RANGES]:
        return False
    arguments = words_at(address + WORD_SIZE * job[ARGUMENTS])
    call_rows(job[KERNEL], arguments, job[ROWS + part], job[ROWS + part + 1], part)
    add_shared(job, FINISHED, 1)
    return True


take_range = jit(_take_range)


def _take_all_ranges(address):  # type: ignore[no-untyped-def]
    while take_range(address):
        pass


take_all_ranges = jit(_take_all_ranges)


def _finish(address):  # type: ignore[no-untyped-def]
    take_all_ranges(address)
    while read_shared(words_at(address), FINISHED) < words_at(address)[RANGES]:
        pause()


finish = jit(_finish)
