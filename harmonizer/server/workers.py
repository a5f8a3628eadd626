"""The threads that work on requests: how many at once, how many wait, and which are turned away."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from harmonizer.server.problems import RequestError
from harmonizer.server.settings import Limits

T = TypeVar("T")


class AbandonedError(Exception):
    """Nobody waits for this work any more."""


class Task:
    """Whether anybody still waits for a piece of work, which asks between its stages."""

    def __init__(self) -> None:
        self._abandoned = threading.Event()

    def abandon(self) -> None:
        """Let the work end at its next stage."""
        self._abandoned.set()

    def check(self) -> None:
        """Raise AbandonedError if nobody waits any more."""
        if self._abandoned.is_set():
            raise AbandonedError


class Workers:
    """A pool of `limits.parallel` threads, and places for as many requests as work and wait."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._pool = ThreadPoolExecutor(limits.parallel, thread_name_prefix="harmonize")
        self._lock = threading.Lock()
        self.admitted = 0  # requests that upload, wait or are worked on
        self.busy = 0  # threads at work
        self.closing = False

    @contextmanager
    def admit(self) -> Iterator[None]:
        """A place for a request, from its first byte to its answer.

        Raises RequestError 429 if all are taken, 503 when the service ends.
        """
        if self.closing:
            raise RequestError(503, "the service is shutting down", advice="Try again; another process may answer.")
        if self.admitted >= self._limits.parallel + self._limits.queue:
            raise RequestError(
                429,
                "too many requests wait",
                given=f"request {self.admitted + 1} at once",
                accepted=f"{self._limits.parallel} at work and {self._limits.queue} that wait",
                advice="Try again after the seconds in Retry-After.",
            )
        self.admitted += 1
        try:
            yield
        finally:
            self.admitted -= 1

    async def run(self, work: Callable[[Task], T]) -> T:
        """Do the work in a thread, in its turn. If the caller is cancelled, work that waits is dropped at once.

        Work that runs goes on to its next stage, and keeps its thread until then.
        """
        task = Task()

        def run() -> T:
            task.check()
            with self._lock:
                self.busy += 1
            try:
                return work(task)
            finally:
                with self._lock:
                    self.busy -= 1

        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, run)
        except asyncio.CancelledError:
            task.abandon()
            raise

    def close(self) -> None:
        """Finish what runs, and take nothing more."""
        self.closing = True
        self._pool.shutdown(wait=True, cancel_futures=False)
