"""Files that are written beside others, to take their places, and what of them a killed run left.

Their names are `.harmonizer-ID.part`. A run holds the first part that it makes in a folder. The parts of one that was
killed are held by nobody; the next run that writes to the folder removes them.
"""

from __future__ import annotations

import os
import re
import uuid
from contextlib import suppress
from pathlib import Path

from harmonizer.files import locks

NAME = r"\.harmonizer-(?P<run>[0-9a-f]{32})(-\d+)?\.part"

_looked_at: set[Path] = set()


class Parts:
    """The parts of outputs that belong together."""

    def __init__(self) -> None:
        self._first: dict[Path, tuple[str, int | None]] = {}  # by folder: the name of the run there, what is held
        self._count = 0

    def create(self, folder: Path) -> Path:
        """A new, empty file in the folder. Raises OSError."""
        if folder not in _looked_at:  # once in a process: a folder may hold a million files
            _looked_at.add(folder)
            remove_left(folder)
        if folder not in self._first:
            self._first[folder] = _create_first(folder)
            return _first_of(folder, self._first[folder][0])
        self._count += 1  # not held each, or a run of many outputs would run out of descriptors
        path = folder / f".harmonizer-{self._first[folder][0]}-{self._count}.part"
        path.touch(exist_ok=False)
        return path

    def close(self) -> None:
        """Let go of what is held. The parts have to be gone by then, those that were made first last."""
        for _, descriptor in self._first.values():
            if descriptor is not None:
                os.close(descriptor)
        self._first.clear()


def _create_first(folder: Path) -> tuple[str, int | None]:
    """Make and hold the first part of a run. Each attempt has a name of its own; whoever met the last removes that."""
    while True:
        run = uuid.uuid4().hex
        with suppress(locks.HeldError):
            return run, locks.create(_first_of(folder, run))


def _first_of(folder: Path, run: str) -> Path:
    return folder / f".harmonizer-{run}.part"


def remove_left(folder: Path) -> None:
    """Remove the parts of runs that are no more; those of a run that goes on stay. What cannot be removed stays too."""
    runs: dict[str, list[str]] = {}
    with suppress(OSError):
        for name in os.listdir(folder):  # noqa: PTH208  # no Path for each of a million names
            if found := re.fullmatch(NAME, name):
                runs.setdefault(found["run"], []).append(name)
    for run, names in runs.items():
        first = _first_of(folder, run)
        with locks.take_left(first) as is_left:
            if is_left or not os.path.lexists(first):
                for name in sorted(names, reverse=True):  # the first one last: '.' comes after '-'
                    with suppress(OSError):
                        (folder / name).unlink()
