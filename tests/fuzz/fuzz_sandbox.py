"""Runs a reader on hostile input in folders of its own, and says what it did that it must not do."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from whitebox_filters.native import cache

SECONDS = 120.0  # after which an input counts as a hang; a campaign on a machine of its own takes less
LOOKS = 64  # inputs between two looks at the folders where no write was seen
MOMENT = 0.005  # seconds; within fewer nobody takes so much memory, and to ask the system takes long
MEBIBYTES = 1024  # by which one small input may raise the most memory that the process ever took
FORBIDDEN = frozenset({"socket.connect", "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn"})
CHANGES = frozenset({"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.symlink", "os.link", "os.truncate"})
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT

Read = Callable[[bytes, "Sandbox"], None]


class FaultError(AssertionError):
    """An input made a reader do what it must not do."""


class HangError(BaseException):
    """An input took too long. No `except Exception` catches it."""


class Sandbox:
    """Folders for input, output and temporary files, which a reader may use and no others."""

    def __init__(self, root: Path) -> None:
        """Make the folders below `root`."""
        self.root = root
        self.inputs, self.outputs, self.temporary = (root / name for name in ("inputs", "outputs", "temporary"))
        for folder in (self.inputs, self.outputs, self.temporary):
            folder.mkdir(parents=True, exist_ok=True)
        self._own = str(self.inputs / "fuzzed")  # where a target puts the input itself
        self._allowed = tuple(f"{path}" for path in (root, cache.cache_folder(), os.devnull) if path)
        self.seconds = SECONDS
        self._before: set[str] | None = None
        self._runs = 0
        self._is_touched = False
        self._faults: list[str] = []
        self._peak = _peak()
        sys.addaudithook(self._audit)
        self._is_watching = False

    def run(self, read: Read, data: bytes, errors: tuple[type[Exception], ...]) -> bool:
        """Whether the reader took the input; False if it raised one of `errors`. Raises FaultError and HangError."""
        if self._before is None:
            self._before = self._names(self.inputs)
        before, start = self._before, time.perf_counter()
        with self._watched():
            try:
                read(data, self)
                is_taken = True
            except errors as error:
                is_taken = False
                if not str(error):
                    self._faults.append(f"its error says nothing: {error!r}")
        if time.perf_counter() - start > MOMENT:
            peak = _peak()
            if peak > self._peak + MEBIBYTES and len(data) < 1 << 20:
                self._faults.append(f"{len(data)} bytes took {peak - self._peak} MiB")
            self._peak = peak
        # Most inputs are refused before anything is written; the system is asked for names now and then all the same.
        self._runs += 1
        if not self._is_touched and self._runs % LOOKS and not self._faults:
            return is_taken
        left = self._names(self.outputs)
        if not is_taken and left:
            self._faults.append(f"it failed and left {sorted(left)}")
        if partial := [name for name in left if name.startswith(".") or name.endswith(".part")]:
            self._faults.append(f"partial files: {partial}")
        if temporary := self._names(self.temporary):
            self._faults.append(f"temporary files: {sorted(temporary)}")
        if added := self._names(self.inputs) ^ before:
            self._faults.append(f"beside the inputs: {sorted(added)}")
        for folder in (self.outputs, self.temporary) if left or temporary else ():
            shutil.rmtree(folder)
            folder.mkdir()
        if self._faults:
            raise FaultError("; ".join(self._faults))
        return is_taken

    @contextmanager
    def _watched(self) -> Iterator[None]:
        self._faults, self._is_touched = [], False
        before, tempfile.tempdir = tempfile.tempdir, str(self.temporary)
        has_alarm = hasattr(signal, "SIGALRM")
        if has_alarm:
            if signal.getsignal(signal.SIGALRM) is not _hang:
                signal.signal(signal.SIGALRM, _hang)
            signal.setitimer(signal.ITIMER_REAL, self.seconds)
        self._is_watching = True
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield
        finally:
            self._is_watching = False
            if has_alarm:
                signal.setitimer(signal.ITIMER_REAL, 0)
            tempfile.tempdir = before

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        """A hook of the interpreter: it cannot be removed, so it looks at the files of this process for good."""
        if not self._is_watching:
            return
        if event == "open":
            path, mode, flags = arguments
            if (mode is None and not flags & WRITING) or (mode is not None and not set(mode) & set("wax+")):
                return
        elif event in CHANGES:
            path = arguments[1] if event == "os.rename" else arguments[0]
            if event in ("os.mkdir", "os.remove", "os.rmdir") and arguments[-1] != -1:
                return  # named from an open folder, as shutil.rmtree does
        else:
            if event in FORBIDDEN:
                self._faults.append(f"{event} {arguments!r:.200}")
            return
        if isinstance(path, int):
            return
        name = os.path.abspath(os.fsdecode(path))  # noqa: PTH100 # a hook is called often
        if not name.startswith(self._own):
            self._is_touched = True
        if not name.startswith(self._allowed) and "__pycache__" not in name:
            self._faults.append(f"{event} outside of its folders: {name}")

    @staticmethod
    def _names(folder: Path) -> set[str]:
        return set(os.listdir(folder))  # noqa: PTH208 # names alone are wanted, and quickly


def _hang(signal: int, frame: FrameType | None) -> None:
    raise HangError("it took too long")


def _peak() -> int:
    """The most memory that this process ever took, in MiB; 0 where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
