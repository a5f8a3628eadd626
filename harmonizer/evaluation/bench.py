"""How fast this machine is: the time of a frame in the network and the filters, stage by stage."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from harmonizer.pipeline import Harmonizer

if TYPE_CHECKING:
    from rich.table import Table

WARM_UP = 5  # frames that are not timed: the first compiles

Levels = npt.NDArray[np.uint8]


@dataclass
class Times:
    """Seconds of every timed frame: of the whole, and by stage from a second run through the same frame."""

    whole: list[float] = field(default_factory=list)
    stages: dict[str, list[float]] = field(default_factory=dict)


def picture(shape: tuple[int, int]) -> Levels:
    """A frame (H, W, 3) of smooth colours with noise, as a camera gives it."""
    random = np.random.default_rng(0)
    rows, columns = (np.linspace(0, np.pi, length, dtype=np.float32) for length in shape)
    colours = [128 + 90 * np.outer(np.sin(rows + phase), np.cos(2 * columns + phase)) for phase in (0, 1, 2)]
    noise = random.integers(-4, 5, (*shape, 3), dtype=np.int8)
    return (np.stack(colours, axis=-1) + noise).clip(0, 255).astype(np.uint8)


def masks(shape: tuple[int, int]) -> dict[str, Levels]:
    """The whole frame, and a rectangle over a quarter of it, by name."""
    height, width = shape
    quarter = np.zeros(shape, np.uint8)
    quarter[height // 4 : height // 4 + max(1, height // 2), width // 4 : width // 4 + max(1, width // 2)] = 255
    return {"full frame": np.full(shape, 255, np.uint8), "a quarter": quarter}


def time_frames(harmonizer: Harmonizer, image: Levels, mask: Levels, count: int) -> Times:
    """Time `count` frames, after some that are not timed; the result goes into a buffer, as in a video.

    Raises what `Harmonizer.harmonize` raises.
    """
    times, out = Times(), np.empty_like(image)
    predictor, render = harmonizer.predictor, harmonizer.render
    for index in range(-WARM_UP, count):
        start = time.perf_counter()
        render(image, predictor.predict(image, mask), mask, out=out)
        clock = [time.perf_counter()]
        inputs = predictor.prepare(image, mask)
        clock.append(time.perf_counter())
        theta = predictor.predict_prepared(*inputs)
        clock.append(time.perf_counter())
        statistics = harmonizer.plan.statistics(image, theta, mask)
        clock.append(time.perf_counter())
        render(image, theta, mask, statistics, out)
        clock.append(time.perf_counter())
        if index >= 0:
            times.whole.append(clock[0] - start)
            for name, seconds in zip(("thumbnail", "network", "statistics", "filters"), np.diff(clock), strict=True):
                times.stages.setdefault(name, []).append(float(seconds))
    return times


def table(times: Mapping[str, Times]) -> Table:
    """A row for each stage and the whole, median milliseconds by mask; frames a second and memory."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, caption=f"{_cores()} cores; median, and quartiles of the whole")
    table.add_column("ms a frame")
    for name in times:
        table.add_column(f"mask: {name}", justify="right")
    for stage in next(iter(times.values())).stages:
        table.add_row(stage, *(f"{np.median(each.stages[stage]) * 1e3:.2f}" for each in times.values()))
    quartiles = [np.percentile(each.whole, (25, 50, 75)) for each in times.values()]
    table.add_row(
        "whole", *(f"{middle * 1e3:.2f} ({low * 1e3:.2f} to {high * 1e3:.2f})" for low, middle, high in quartiles)
    )
    table.add_section()
    table.add_row("frames a second", *(f"{1 / middle:.1f}" for _, middle, _ in quartiles))
    memory = peak_memory()
    if memory is not None:
        table.add_row("peak memory", *[f"{memory / 1e6:.0f} MB"] * len(times))
    return table


def peak_memory() -> int | None:
    """Peak memory of this process in bytes; None on systems that do not report it (Linux does)."""
    # Not resource.getrusage: its figure includes the process that started this one.
    status = Path("/proc/self/status")
    lines = status.read_text(encoding="utf-8").splitlines() if status.is_file() else []
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), None)


def _cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
