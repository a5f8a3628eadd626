"""Files by name: local paths, and URLs of whatever fsspec reaches (s3://, gs://, memory://)."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from harmonizer import atomic
from harmonizer.errors import BatchError, ImageFileError, OutputError
from harmonizer.files import locks

# Object stores show a new object when all of it is there; elsewhere a file is written beside and moved.
WHOLE_AT_ONCE = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oss", "memory"})


def is_url(name: str) -> bool:
    """Whether the name is a URL, and no path."""
    return "://" in name


def join(base: str, name: str) -> str:
    """`name` below the folder `base`; a URL or an absolute path stays as it is."""
    if is_url(name) or (not is_url(base) and Path(name).is_absolute()):
        return name
    return f"{base.rstrip('/')}/{name.lstrip('/')}" if is_url(base) else str(Path(base, name))


def parent(name: str) -> str:
    """The folder of a file."""
    return name.rpartition("/")[0] if is_url(name) else str(Path(name).parent)


def is_same(one: str, other: str) -> bool:
    """Whether two names are of one file."""
    if is_url(one) or is_url(other):
        return one == other
    return os.path.realpath(one) == os.path.realpath(other)


def read(name: str) -> bytes:
    """The bytes of a file. Raises ImageFileError."""
    try:
        if is_url(name):
            system, place = _open(name)
            data: bytes = system.cat_file(place)
            return data
        path = Path(name)
        if path.is_char_device() or path.is_block_device():  # it may have no end
            raise ImageFileError(f"{name} is a device; name a file")
        return path.read_bytes()
    except FileNotFoundError:
        raise ImageFileError(f"there is no file {name}; check the name and the folder") from None
    except OSError as error:
        raise ImageFileError(f"{name} cannot be read: {error.strerror or error}") from error


def write(name: str, data: bytes) -> None:
    """Write a file, whole or not at all, and its folder. Raises OutputError."""
    try:
        if not is_url(name):
            Path(parent(name)).mkdir(parents=True, exist_ok=True)
            atomic.write_file(Path(name), data)
            return
        system, path = _open(name)
        if name.partition("://")[0] in WHOLE_AT_ONCE:
            system.pipe_file(path, data)
            return
        system.makedirs(parent(path), exist_ok=True)
        part = f"{parent(path)}/.{uuid.uuid4().hex}.part"
        system.pipe_file(part, data)
        system.mv(part, path)
    except OSError as error:
        raise OutputError(f"{name} cannot be written: {error.strerror or error}") from error


def size(name: str) -> int | None:
    """Bytes of a file, None if there is none."""
    try:
        if is_url(name):
            system, path = _open(name)
            return int(system.size(path))
        return Path(name).stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        return None


def remove(name: str) -> None:
    """Remove a file, if it is there."""
    try:
        if is_url(name):
            system, path = _open(name)
            system.rm_file(path)
        else:
            Path(name).unlink()
    except FileNotFoundError:
        pass


def remove_folder(folder: str) -> None:
    """Remove an empty folder, if it is there; object stores have none."""
    with contextlib.suppress(OSError):
        if is_url(folder):
            system, path = _open(folder)
            system.rmdir(path)
        else:
            Path(folder).rmdir()


@contextlib.contextmanager
def lock(name: str) -> Iterator[None]:
    """Hold a local file that one process at a time can hold; whatever ends the process lets it go. Of URLs, nothing.

    Raises BatchError if another process holds it, and OutputError.
    """
    with contextlib.ExitStack() as stack:
        if not is_url(name):
            try:
                Path(parent(name)).mkdir(parents=True, exist_ok=True)
                stack.enter_context(locks.holding(Path(name)))
            except locks.HeldError:
                report = name.removesuffix(".lock")
                raise BatchError(f"another run writes {report}; wait for its end, or name another --report") from None
            except OSError as error:
                raise OutputError(f"{name} cannot be written: {error.strerror}; choose another place") from error
        yield


def files(folder: str) -> Iterator[str]:
    """The names of all files below a folder, relative to it, in order; none if there is no folder.

    Names that begin with a dot are left out, and folders of that kind too.
    """
    if is_url(folder):
        system, path = _open(folder)
        root = path.rstrip("/") + "/"
        for found in sorted(system.find(path)):
            relative = found.removeprefix(root)
            if not any(part.startswith(".") for part in relative.split("/")):
                yield relative
        return
    for where, folders, names in os.walk(folder):
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        for name in sorted(names):
            if not name.startswith("."):
                yield Path(where, name).relative_to(folder).as_posix()


def is_folder(name: str) -> bool:
    """Whether a folder is there."""
    if is_url(name):
        system, path = _open(name)
        return bool(system.isdir(path))
    return Path(name).is_dir()


def open_text(name: str) -> IO[str]:
    """A text file in UTF-8, with or without a byte-order mark, to read line by line. Raises ImageFileError."""
    try:
        if is_url(name):
            system, path = _open(name)
            stream: IO[str] = system.open(path, "r", encoding="utf-8-sig", newline="")
            return stream
        return Path(name).open(encoding="utf-8-sig", newline="")
    except OSError as error:
        raise ImageFileError(f"{name} cannot be read: {error.strerror or error}") from error


def open_binary(name: str) -> IO[bytes]:
    """A file to read in places. Raises ImageFileError."""
    try:
        if is_url(name):
            system, path = _open(name)
            stream: IO[bytes] = system.open(path, "rb")
            return stream
        return Path(name).open("rb")
    except OSError as error:
        raise ImageFileError(f"{name} cannot be read: {error.strerror or error}") from error


def _open(name: str) -> tuple[Any, str]:
    """The file system of a URL and the path in it."""
    import fsspec

    try:
        system, path = fsspec.core.url_to_fs(name)
    except ImportError as error:
        raise ImageFileError(f"{name} needs another package: {error}") from error
    except ValueError as error:
        raise ImageFileError(f"{name} cannot be reached: {error}") from error
    return system, path
