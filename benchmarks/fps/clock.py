"""Timing in rounds, so that whatever slows the machine down for a while slows all contenders."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

LIMIT = 20.0  # seconds a frame, beyond which a case is left out
PATIENCE = 60  # seconds to the end of the first call, which compiles
TURN = 0.1  # seconds to fill with calls, where a turn has room for more than one
MOST = 5  # calls in a turn
SETTLED = 0.5  # calls that take longer need no one before them to warm up

Key = TypeVar("Key", bound=Hashable)
Run = Callable[[], Any]


def clock(run: Run) -> float:
    """Seconds of one call."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


class TooSlowError(BaseException):
    """Not an Exception, which compilers catch and report as their own."""


@contextmanager
def patience(seconds: int) -> Iterator[None]:
    """Raise TooSlowError in what takes longer."""

    def stop(*_: Any) -> None:
        raise TooSlowError

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def measure(
    runs: Mapping[Key, Run], rounds: int, expected: Callable[[Key], float]
) -> tuple[dict[Key, list[float]], dict[Key, str]]:
    """Seconds of every timed call, and the reasons of what was left out.

    Each is called twice before the first round, which compiles it; `expected` guesses its seconds, 0 if it
    cannot, so that what is too slow need not be called to know. In a round each has its turn.
    """
    seconds: dict[Key, list[float]] = {}
    skipped: dict[Key, str] = {}
    typical: dict[Key, float] = {}
    for key, run in runs.items():
        guess = expected(key)
        if guess <= LIMIT:
            try:
                with patience(PATIENCE):
                    run()
            except TooSlowError:
                skipped[key] = f"not compiled after {PATIENCE} s"
                continue
            guess = clock(run)
        if guess > LIMIT:
            skipped[key] = f"a frame takes {guess:.0f} s, more than the limit of {LIMIT:.0f}"
        else:
            typical[key] = guess
    for _ in range(rounds):
        for key, each in typical.items():
            seconds.setdefault(key, []).extend(turn(runs[key], each))
    return seconds, skipped


def turn(run: Run, typical: float) -> list[float]:
    """A few timed calls, after one that brings caches and threads back from the contender before."""
    if typical < SETTLED:
        run()
    return [clock(run) for _ in range(max(1, min(MOST, int(TURN / max(typical, 1e-9)))))]
