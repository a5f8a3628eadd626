"""Threads that overlap, stop and fail as a plain loop would."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack

import pytest

from harmonizer.video.prefetch import read_ahead


@pytest.fixture(autouse=True)
def _no_thread_stays():
    before = threading.active_count()
    yield
    assert threading.active_count() == before


def test_order():
    with ExitStack() as stack:
        assert list(read_ahead(read_ahead(range(100), stack), stack)) == list(range(100))


def test_reads_only_so_far_ahead():
    read = []

    def numbers():
        for number in range(50):
            read.append(number)
            yield number

    with ExitStack() as stack:
        items = read_ahead(read_ahead(numbers(), stack, depth=2), stack, depth=3)
        for seen in items:
            time.sleep(0.002)
            # In flight: two queues, one item in the hands of each of two threads, and the one seen here.
            assert len(read) <= seen + 1 + 2 + 3 + 2


def test_stages_overlap():
    first, second = threading.Event(), threading.Event()

    def early():
        yield 0
        first.set()
        assert second.wait(5)  # hangs in a plain loop: the reader comes to it only with the next item
        yield 1

    with ExitStack() as stack:
        for _ in read_ahead(early(), stack):
            assert first.wait(5)
            second.set()


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_error_of_any_stage_is_raised_once_after_what_came_before(failing):
    def stage(number, items):
        for item in items:
            if number == failing and item == 5:
                raise ZeroDivisionError(f"stage {number}")
            yield item

    seen = []

    def read_all():
        with ExitStack() as stack:
            items = iter(range(1000))
            for number in range(3):
                items = read_ahead(stage(number, items), stack)
            seen.extend(items)

    with pytest.raises(ZeroDivisionError, match=f"stage {failing}"):
        read_all()
    assert seen == list(range(5))


def test_reader_that_stops_ends_the_threads():
    read = []

    def endless():
        while True:
            read.append(0)
            yield 0

    with ExitStack() as stack:
        next(read_ahead(read_ahead(endless(), stack), stack))
    done = len(read)
    time.sleep(0.02)
    assert len(read) == done
