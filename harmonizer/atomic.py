"""Files that appear whole or not at all: each is written beside its place under another name, then renamed."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from harmonizer.errors import OutputError
from harmonizer.files.parts import Parts

ADVICE = {
    errno.ENOSPC: "make room, or choose another place",
    errno.EDQUOT: "make room, or choose another place",
    errno.EROFS: "choose another place",
    errno.EACCES: "choose another place",
    errno.EPERM: "choose another place",
}
"""By the system's number of an error; a name is at fault otherwise."""


def target(place: Path) -> Path:
    """The file that is written to when `place` is: what a symbolic link leads to."""
    return Path(os.path.realpath(place))


def check_place(place: Path) -> None:
    """Raise OutputError unless a file can be written there.

    The system takes the name, its folder exists and may be written to, and it is no folder itself.
    """
    try:
        status = _status(place)
    except (OSError, ValueError) as error:
        raise _refused(place, error) from error
    path = target(place)
    if not path.parent.is_dir():
        raise OutputError(f"{place} cannot be written: there is no folder {path.parent}; create it first")
    if status and stat.S_ISDIR(status.st_mode):
        raise OutputError(f"{place} is a folder; name a file in it")
    if not os.access(path if status else path.parent, os.W_OK):
        raise OutputError(f"{place} cannot be written: its permissions forbid it; choose another place")


def write_file(path: Path, data: bytes) -> None:
    """Write a whole file. Raises OutputError."""
    write_files({path: data})


def write_files(files: Mapping[Path, bytes]) -> None:
    """Write whole files that appear together, the first last. Raises OutputError."""
    with FileGroup() as group:
        for path, data in files.items():
            part = group.reserve(path)
            try:
                part.write_bytes(data)
            except OSError as error:
                raise _refused(path, error) from error


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Where to write what is to become `path` on leaving the context without an error. Raises OutputError."""
    try:
        with FileGroup() as group:
            yield group.reserve(path)
    except OSError as error:
        raise _refused(path, error) from error


class FileGroup:
    """Files that appear together, the first last: all on leaving the context without an error, else none.

    What is there keeps its mode. A symbolic link stays one, and the file that it leads to is written. Pipes, devices
    and files with several names (hard links) are written to, as they cannot be replaced.
    """

    def __init__(self) -> None:
        self._places: dict[Path, Path] = {}
        self._parts = Parts()

    def reserve(self, place: Path) -> Path:
        """Where to write what is to become `place`.

        Raises OutputError if no file can be written at `place`, or if it is reserved already.
        """
        check_place(place)
        path = target(place)
        if path in {target(reserved) for reserved in self._places.values()}:
            raise OutputError(f"two outputs are one file, {place}; give each a name of its own")
        folder = Path(tempfile.gettempdir()) if _is_written_to(place) else path.parent
        try:
            part = self._parts.create(folder)
        except OSError as error:
            raise _refused(place, error) from error
        self._places[part] = place
        return part

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        places = list(self._places.items())[::-1]  # the first parts are held, which protects the others
        try:
            if error is None:
                for part, place in places:
                    _move(part, place)
        finally:
            for part, _ in places:
                part.unlink(missing_ok=True)
            self._parts.close()


def _move(part: Path, place: Path) -> None:
    try:
        if _is_written_to(place):
            with part.open("rb") as source, place.open("wb") as sink:
                shutil.copyfileobj(source, sink)
            return
        if status := _status(place):
            part.chmod(stat.S_IMODE(status.st_mode))
        part.replace(target(place))
    except OSError as error:
        raise _refused(place, error) from error


def _is_written_to(place: Path) -> bool:
    """Whether the bytes go into what is there, since another file in its place would not be the same.

    It is a pipe or a device, has several names, is named by its open descriptor (/dev/stdout), or lies in a folder that
    takes no new file.
    """
    status = _status(place)
    if status is None:
        return False
    special = not stat.S_ISREG(status.st_mode) or str(place).startswith(("/dev/", "/proc/"))
    return special or status.st_nlink > 1 or not os.access(target(place).parent, os.W_OK | os.X_OK)


def _status(place: Path) -> os.stat_result | None:
    """What is there, behind links; None for nothing yet. Raises OSError for a name that the system refuses."""
    try:
        return place.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _refused(place: Path, error: OSError | ValueError) -> OutputError:
    name = str(place)
    shown = name if len(name) <= 200 else f"{name[:100]}...{name[-50:]}"
    advice = ADVICE.get(getattr(error, "errno", None) or 0, "choose another name")
    return OutputError(f"{shown} cannot be written: {getattr(error, 'strerror', None) or error}; {advice}")
