"""What a process holds over time, and whether it grows: memory, open files, threads. Linux only."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

PAGE = os.sysconf("SC_PAGE_SIZE")
BLOCKS = 20
"""Parts of a run whose means are fitted: neighbouring samples are not independent, means of long parts nearly are."""
TOLERANCE = 0.02
"""Of the memory, which counts as no growth: names of what is done have to be kept, and the heap breathes."""
STUDENT = 2.101  # the 97.5 % quantile of Student's t with BLOCKS - 2 degrees of freedom


@dataclass(frozen=True)
class Sample:
    """A process at one moment."""

    done: int  # pieces of work
    memory: int  # bytes that are resident
    files: int  # open descriptors
    threads: int


@dataclass(frozen=True)
class Growth:
    """A straight line through the memory of a run, in megabytes."""

    level: float  # the mean
    slope: float  # for each thousand pieces of work
    margin: float  # of the slope, at 95 %
    done: int  # pieces of work that the line is fitted to

    @property
    def is_growth(self) -> bool:
        """Whether the memory at the end is beyond doubt more than TOLERANCE above that at the beginning."""
        return (self.slope - self.margin) * self.done / 1000 > TOLERANCE * self.level

    @property
    def text(self) -> str:
        """The growth over the whole run, with its margin."""
        thousands = self.done / 1000
        return f"{self.slope * thousands:+.1f} ± {self.margin * thousands:.1f} MB on {self.level:.0f} MB"


def look(pid: int, done: int = 0) -> Sample:
    """The process as it is now. Raises OSError when it is gone."""
    folder = Path(f"/proc/{pid}")
    pages = int((folder / "statm").read_text().split()[1])
    return Sample(done, pages * PAGE, len(os.listdir(folder / "fd")), len(os.listdir(folder / "task")))  # noqa: PTH208


def fit(samples: list[Sample], skip: int) -> Growth:
    """Fit memory to the work done, without the first `skip` pieces, which fill caches.

    The slope is that of the means of BLOCKS parts of the run, by least squares.
    Raises ValueError for fewer samples than BLOCKS.
    """
    kept = [each for each in samples if each.done >= skip]
    if len(kept) < BLOCKS:
        raise ValueError(f"{len(kept)} samples after the first {skip} pieces of work; {BLOCKS} are needed")
    parts = np.array_split(np.array([(each.done / 1000, each.memory / 1e6) for each in kept]), BLOCKS)
    work, memory = np.array([part.mean(axis=0) for part in parts]).T
    centred = work - work.mean()
    slope = centred @ memory / (centred @ centred)
    rest = memory - memory.mean() - slope * centred
    error = np.sqrt(rest @ rest / (BLOCKS - 2) / (centred @ centred))
    return Growth(float(memory.mean()), float(slope), float(STUDENT * error), kept[-1].done - kept[0].done)


@dataclass
class Watch:
    """Looks at a process all the time, within `with`; `count` says how many pieces of work it has done."""

    pid: int
    count: Callable[[], int]
    interval: float = 0.5  # seconds
    samples: list[Sample] = field(default_factory=list)
    _end: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._end.wait(self.interval):
            try:
                self.samples.append(look(self.pid, self.count()))
            except OSError:
                return


@dataclass(frozen=True)
class Typical:
    """The median number of something in the first tenth of a run and in its last: what is open for a moment is not."""

    first: int
    last: int

    @classmethod
    def of(cls, samples: list[Sample], skip: int, name: str) -> Self:
        """Of `files` or `threads`, after the first `skip` pieces of work."""
        counts = [getattr(each, name) for each in samples if each.done >= skip]
        tenth = max(1, len(counts) // 10)
        return cls(int(np.median(counts[:tenth])), int(np.median(counts[-tenth:])))

    @property
    def text(self) -> str:
        """Both."""
        return f"{self.first} to {self.last}"


def keep(samples: list[Sample], path: Path, count: int = 200) -> None:
    """Write about so many of the samples as CSV."""
    path.parent.mkdir(exist_ok=True)
    rows = [f"{each.done},{each.memory},{each.files},{each.threads}" for each in samples[:: 1 + len(samples) // count]]
    path.write_text("\n".join(["done,memory,files,threads", *rows]) + "\n")


def wait(condition: Callable[[], bool], seconds: float = 120.0) -> None:
    """Return when the condition holds. Raises TimeoutError."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"nothing came within {seconds:g} seconds")
        time.sleep(0.02)
