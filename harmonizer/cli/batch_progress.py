"""How far a batch is: a bar for people, lines of JSON for machines, both on stderr."""

from __future__ import annotations

import json
import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from harmonizer.batch import names

if TYPE_CHECKING:
    from harmonizer.batch.run import Counts

SECONDS = 1.0  # between lines of JSON


class Shown:
    """Progress of `total` pictures, within `with`."""

    def __init__(self, kind: names.Progress, total: int) -> None:
        self._kind, self._total = kind, total
        self._start = self._last = time.monotonic()
        self._counts: Counts | None = None
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=kind is not names.Progress.bar,
        )
        self._task = self._bar.add_task("pictures", total=total, rate="")

    def update(self, counts: Counts) -> None:
        """Show how far the batch is."""
        self._counts = counts
        finished = counts.done + counts.failed + counts.skipped
        if self._kind is names.Progress.bar:
            rate = f"{self._rate(counts):.1f} a second" + f", {counts.failed} failed" * (counts.failed > 0)
            self._bar.update(self._task, completed=finished, rate=rate)
        elif self._kind is names.Progress.json and time.monotonic() - self._last >= SECONDS:
            self._print(counts)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()
        if self._kind is names.Progress.json and self._counts is not None:
            self._print(self._counts)

    def _rate(self, counts: Counts) -> float:
        """Pictures a second, without those that were done before."""
        return (counts.done + counts.failed) / max(1e-3, time.monotonic() - self._start)

    def _print(self, counts: Counts) -> None:
        self._last = time.monotonic()
        rate = self._rate(counts)
        left = self._total - counts.done - counts.failed - counts.skipped
        line = vars(counts) | {
            "total": self._total,
            "per_second": round(rate, 3),
            "seconds_left": round(left / rate) if rate > 0 else None,
        }
        sys.stderr.write(json.dumps(line) + "\n")
        sys.stderr.flush()
