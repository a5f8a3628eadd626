"""Files that appear whole or not at all: each is written beside its place under another name, then renamed."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from harmonizer.errors import OutputError


def check_place(path: Path) -> None:
    """Raise OutputError unless a file can be written there: its folder exists, and it is no folder itself."""
    if not path.parent.is_dir():
        raise OutputError(f"{path} cannot be written: there is no folder {path.parent}; create it first")
    if path.is_dir():
        raise OutputError(f"{path} is a folder; name a file in it")


def write_file(path: Path, data: bytes) -> None:
    """Write a whole file. Raises OutputError."""
    with replacing(path) as part:
        part.write_bytes(data)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Where to write what is to become `path` on leaving the context without an error. Raises OutputError."""
    try:
        with FileGroup() as group:
            yield group.reserve(path)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}") from error


class FileGroup:
    """Files that appear together: all on leaving the context without an error, else none."""

    def __init__(self) -> None:
        self._places: dict[Path, Path] = {}

    def reserve(self, place: Path) -> Path:
        """Where to write what is to become `place`.

        Raises OutputError if no file can be written at `place`, or if it is reserved already.
        """
        check_place(place)
        if place.resolve() in {reserved.resolve() for reserved in self._places.values()}:
            raise OutputError(f"two outputs are one file, {place}; give each a name of its own")
        part = place.with_name(f".{uuid.uuid4().hex}.part")
        self._places[part] = place
        return part

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                for part, place in self._places.items():
                    _rename(part, place)
        finally:
            for part in self._places:
                part.unlink(missing_ok=True)


def _rename(part: Path, place: Path) -> None:
    try:
        part.replace(place)
    except OSError as error:
        raise OutputError(f"{place} cannot be written: {error.strerror}") from error
