"""Small file systems in memory, which fill up and can be made read-only. Root on Linux only."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FILLER = ".filler"  # hidden, so that nobody takes it for an output


class SkippedError(Exception):
    """The fault cannot be made on such a machine."""


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A tmpfs of so many MB at a new folder. Raises SkippedError if this process may not mount."""
    folder.mkdir()
    _call("mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder))
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path, left: int) -> None:
    """Leave about so many bytes of the file system free."""
    with (folder / FILLER).open("wb", buffering=0) as file:
        while (count := _free(folder) - left) > 0:
            try:
                file.write(bytes(min(count, 1 << 20)))
            except OSError:
                return


def make_read_only(folder: Path, *, on: bool = True) -> None:
    """Remount it."""
    _call("mount", "-o", "remount,ro" if on else "remount,rw", str(folder))


def _free(folder: Path) -> int:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def _call(*command: str) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", "") or str(error)
        raise SkippedError(f"{' '.join(command)} does not work here: {said.strip()}; it needs root on Linux") from error
