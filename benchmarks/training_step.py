"""Times the stages of a training step by the default recipe, on one core, and prints a Markdown table.

Processor time of the thread that does the work, not wall time, so that other load on the machine hardly counts.
Run it from the repository root: python benchmarks/training_step.py PHOTOS
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch

from harmonizer.learning import data, rehearsal, train
from harmonizer.learning.model import Network
from harmonizer.learning.photos import Photos, read_photos
from harmonizer.learning.recipes import DEFAULT, SHARD, Recipe
from harmonizer.learning.rehearsal import Lesson
from whitebox_filters import Cascade

STEPS = 3  # measured, after one that warms up
SHARDS = 4
REST = "losses and the rest"
# Title, frozen, learned from again, bfloat16.
SETTINGS = (
    ("default", True, False, False),
    ("again", True, True, False),
    ("all trained", False, False, False),
    ("the same, bfloat16", False, False, True),
)


def measure(recipe: Recipe, photos: Photos, *, again: bool) -> dict[str, list[float]]:
    """Processor seconds of each stage for each of STEPS steps; `again`: on one batch that was described before."""
    state = train.start(recipe, pretrained=False)
    spent: dict[str, float] = {}
    rows: dict[str, list[float]] = {}
    running: list[str] = []
    lesson: Lesson | None = None

    def clocked(function: Callable[..., Any], stage: str) -> Callable[..., Any]:
        def wrapper(*arguments: Any, **options: Any) -> Any:
            if running:  # making a batch runs the filters as well: that counts as making the batch
                return function(*arguments, **options)
            running.append(stage)
            start = time.thread_time()
            try:
                return function(*arguments, **options)
            finally:
                spent[stage] = spent.get(stage, 0.0) + time.thread_time() - start
                running.clear()

        return wrapper

    with (
        patch.object(data, "shard", clocked(data.shard, "make the batch")),
        patch.object(Network, "describe", clocked(Network.describe, "describe")),
        patch.object(Network, "predict", clocked(Network.predict, "predict")),
        patch.object(Cascade, "trace", clocked(Cascade.trace, "filters, forward")),
        patch.object(torch.Tensor, "backward", clocked(torch.Tensor.backward, "backward")),
        patch.object(torch.optim.Adam, "step", clocked(torch.optim.Adam.step, "Adam")),
        patch.object(train, "_average", clocked(train._average, "average the weights")),
    ):
        for step in range(STEPS + 1):
            spent.clear()
            start = time.thread_time()
            if lesson is None or not again:
                shards = [data.shard(photos, state.network.cascade, recipe, step, index) for index in range(SHARDS)]
                batch = data.join(shards)
                lesson = rehearsal._describe(state.network, batch) if recipe.frozen else Lesson(batch, None)
            train._step(recipe, state, lesson)
            state.step += 1
            whole = time.thread_time() - start
            if step:
                for stage, seconds in (spent | {REST: whole - sum(spent.values()), "whole step": whole}).items():
                    rows.setdefault(stage, []).append(seconds)
    return rows


def main() -> None:
    torch.set_num_threads(1)
    photos = read_photos(Path(sys.argv[1]), held_out=True)
    columns: list[str] = []
    stages: dict[str, list[float]] = {}
    for index, (title, frozen, again, bfloat16) in enumerate(SETTINGS):
        columns.append(title)
        recipe = replace(DEFAULT, frozen=float(frozen), bfloat16=bfloat16)
        for stage, seconds in measure(recipe, photos, again=again).items():
            stages.setdefault(stage, [0.0] * len(SETTINGS))[index] = 1000 * statistics.median(seconds)
    pictures = SHARD * SHARDS
    stages["images a second"] = [1000 * pictures / milliseconds for milliseconds in stages["whole step"]]
    print(f"| ms of one core | {' | '.join(columns)} |\n|---|{'---:|' * len(columns)}")
    for stage, times in stages.items():
        print(f"| {stage} | {' | '.join(f'{value:.0f}' for value in times)} |")


if __name__ == "__main__":
    main()
