"""The reports of a running training: a progress bar, JSON lines, and TensorBoard."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from harmonizer import atomic
from harmonizer.errors import OutputError
from harmonizer.learning.recipes import Recipe
from harmonizer.learning.validate import Validation

WINDOW = 50  # steps; a line of the log holds their mean


class Recorder:
    """Writes `log.jsonl` and TensorBoard's files into the folder of a run, and draws the bar on stderr.

    When a run resumes at a step, lines of later steps are removed, since those steps run again. All methods raise
    OutputError.
    """

    def __init__(self, folder: Path, recipe: Recipe, filters: tuple[str, ...], step: int) -> None:
        self.folder = folder
        self.log = folder / "log.jsonl"
        self.recipe = recipe
        self.filters = filters
        self.sums: dict[str, Tensor] = {}
        self.count = 0
        self.clock = time.perf_counter()
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[speed]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self.task = self.progress.add_task("steps", total=recipe.steps, completed=step, speed="")
        lines = [line for line in self._lines() if json.loads(line)["step"] <= step] if step else []
        atomic.write_file(self.log, "".join(lines).encode())
        self.purged = step or None

    def __enter__(self) -> Recorder:
        self.excepthook, threading.excepthook = threading.excepthook, self._tell_thread
        try:
            with self._explained():  # TensorBoard's thread writes at once, and may fail at once
                self.tensorboard = SummaryWriter(self.folder / "tensorboard", purge_step=self.purged)
        except OutputError:
            threading.excepthook = self.excepthook
            raise
        self.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.stop()
        try:
            with self._explained():
                self.tensorboard.close()
        except OutputError:
            if error is None:
                raise
        finally:
            threading.excepthook = self.excepthook

    def step(self, step: int, losses: dict[str, Tensor]) -> None:
        """Add the plain losses of a step; every WINDOW steps, and after the last, write their means.

        In between they stay on the device, which is not waited for.
        """
        for name, value in losses.items():
            self.sums[name] = self.sums[name] + value if name in self.sums else value
        self.count += 1
        self.progress.advance(self.task)
        if step % WINDOW and step != self.recipe.steps:
            return
        now = time.perf_counter()
        means = {name: float(value) / self.count for name, value in self.sums.items()}
        means["images_per_second"] = self.count * self.recipe.batch_size / (now - self.clock)
        self.progress.update(self.task, speed=f"{means['images_per_second']:.1f} images/s")
        with self._explained():
            self._write(step, "loss", means)
        self.sums, self.count, self.clock = {}, 0, now

    def validated(self, step: int, validation: Validation) -> None:
        """Write the scores, a histogram of each filter's theta, and the example pictures."""
        with self._explained():
            self._write(step, "validation", validation.scores | {"score": validation.score})
            for name, values in zip(self.filters, validation.theta.T, strict=True):
                self.tensorboard.add_histogram(f"theta/{name}", values, step)
            self.tensorboard.add_image("composite, harmonized, real", validation.examples, step)
            self.tensorboard.flush()
        self.clock = time.perf_counter()  # the time of a validation does not count

    def _write(self, step: int, group: str, values: dict[str, float]) -> None:
        with self.log.open("a", encoding="utf-8") as log:
            log.write(json.dumps({"step": step} | {name: round(value, 5) for name, value in values.items()}) + "\n")
        for name, value in values.items():
            self.tensorboard.add_scalar(f"{group}/{name}", value, step)

    def _tell_thread(self, arguments: threading.ExceptHookArgs) -> None:
        """Print no traceback of TensorBoard's thread, whose error is raised again by the next call here."""
        if type(arguments.thread).__module__.partition(".")[0] != "tensorboard":
            self.excepthook(arguments)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OutputError(
                f"{self.folder} cannot be written to: {error.strerror or error}; --resume goes on from "
                "the last checkpoint"
            ) from error

    def _lines(self) -> list[str]:
        """The whole lines of the log; a killed run may have left part of one."""
        if not self.log.is_file():
            return []
        return [line for line in self.log.read_text(encoding="utf-8").splitlines(keepends=True) if line.endswith("\n")]
