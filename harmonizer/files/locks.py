"""Files that one process holds at a time; whatever ends the process, even SIGKILL, lets them go."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


class HeldError(Exception):
    """Another process holds the file."""


@contextmanager
def holding(path: Path) -> Iterator[None]:
    """Hold a file, which is made for that and removed at the end. Where the system has no such locks, do nothing.

    Raises HeldError, and OSError if it cannot be made.
    """
    if fcntl is None:
        yield
        return
    while (descriptor := _take(path, os.O_CREAT)) is None:
        pass
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def create(path: Path) -> int | None:
    """Make a new file and hold it until the descriptor is closed; None where the system has no such locks.

    Raises HeldError if `take_left` was quicker to hold it, and OSError.
    """
    if fcntl is None:
        path.touch(exist_ok=False)
        return None
    descriptor = _take(path, os.O_CREAT | os.O_EXCL)
    if descriptor is None:  # it is removed already
        raise HeldError
    return descriptor


@contextmanager
def take_left(path: Path) -> Iterator[bool]:
    """Hold a file that is there; False if that cannot be, which means that another process may be using it."""
    if fcntl is None:
        yield False
        return
    try:
        descriptor = _take(path, os.O_NOFOLLOW | os.O_NONBLOCK, must_lock=True)
    except (HeldError, OSError):
        descriptor = None
    try:
        yield descriptor is not None
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _take(path: Path, flags: int, *, must_lock: bool = False) -> int | None:
    """Open and hold a file; None if another one has its name by then. Raises HeldError and OSError."""
    descriptor = os.open(path, os.O_RDWR | flags, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise HeldError from None
    except OSError:  # some network file systems have no locks
        if must_lock:
            os.close(descriptor)
            raise
    try:
        if os.path.samestat(path.stat(), os.fstat(descriptor)):
            return descriptor
    except FileNotFoundError:
        pass
    os.close(descriptor)
    return None
