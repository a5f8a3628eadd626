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

from harmonizer import locks

NAME = re.compile(r"\.harmonizer-(?P<id>[0-9a-f]{32})(-\d+)?\.part")

_looked_at: set[Path] = set()


class Parts:
    """The parts of outputs that belong together."""

    def __init__(self) -> None:
        self._id = uuid.uuid4().hex
        self._held: dict[Path, int | None] = {}
        self._count = 0

    def create(self, folder: Path) -> Path:
        """A new, empty file in the folder. Raises OSError."""
        if folder not in _looked_at:  # once in a process: a folder may hold a million files
            _looked_at.add(folder)
            remove_left(folder)
        if folder not in self._held:
            path = folder / f".harmonizer-{self._id}.part"
            self._held[folder] = locks.create(path)
            return path
        self._count += 1  # not held each, or a run of many outputs would run out of descriptors
        path = folder / f".harmonizer-{self._id}-{self._count}.part"
        path.touch(exist_ok=False)
        return path

    def close(self) -> None:
        """Let go of what is held. The parts have to be gone by then, those that were made first last."""
        for descriptor in self._held.values():
            if descriptor is not None:
                os.close(descriptor)
        self._held.clear()


def remove_left(folder: Path) -> None:
    """Remove the parts of runs that are no more; those of a run that goes on stay. What cannot be removed stays too."""
    runs: dict[str, list[str]] = {}
    with suppress(OSError):
        for name in os.listdir(folder):  # noqa: PTH208  # no Path for each of a million names
            if found := NAME.fullmatch(name):
                runs.setdefault(found["id"], []).append(name)
    for run, names in runs.items():
        first = folder / f".harmonizer-{run}.part"
        with locks.take_left(first) as is_left:
            if is_left or not os.path.lexists(first):
                for name in sorted(names, reverse=True):  # the first one last: '.' comes after '-'
                    with suppress(OSError):
                        (folder / name).unlink()
