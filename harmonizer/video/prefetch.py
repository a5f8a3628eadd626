"""Stages that overlap in time: an iterator is read in a thread of its own, a few items ahead."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Event, Semaphore, Thread
from typing import TypeVar

T = TypeVar("T")

# Items that wait, besides the two that the threads work on; more would not make a video faster. A 1080p frame and its
# mask take 8 MB, in 16 bits twice that.
DEPTH = 1


@dataclass(frozen=True)
class _End:
    """The last thing in a queue: the iterable is exhausted, or failed."""

    error: BaseException | None = None


def read_ahead(items: Iterable[T], stack: ExitStack, depth: int = DEPTH) -> Iterator[T]:
    """The same items, read by a thread up to `depth` items in advance. Closing `stack` ends the thread.

    An error of `items` is raised here, after the items before it. Several of these may feed one another with one
    stack, which ends the last thread of the chain first; each thread finishes the item that it is working on.
    """
    return stack.enter_context(closing(_prefetch(items, depth)))


def _prefetch(items: Iterable[T], depth: int) -> Generator[T]:
    queue: SimpleQueue[T | _End] = SimpleQueue()
    slots, stopped = Semaphore(depth), Event()

    def read() -> None:
        try:
            for item in items:
                slots.acquire()
                if stopped.is_set():
                    return
                queue.put(item)
            queue.put(_End())
        except BaseException as error:
            queue.put(_End(error))

    thread = Thread(target=read, name="prefetch", daemon=True)
    thread.start()
    try:
        while not isinstance(item := queue.get(), _End):
            slots.release()
            yield item
        if item.error:
            raise item.error
    finally:
        stopped.set()
        slots.release()
        thread.join()
