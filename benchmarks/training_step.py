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

from harmonizer.learning import data, train
from harmonizer.learning.model import Network
from harmonizer.learning.recipes import DEFAULT, Recipe
from whitebox_filters import Cascade

STEPS = 3  # measured, after one that warms up
REST = "losses and the rest"
# (side in pixels, encoder frozen, bfloat16)
SETTINGS = ((112, True, False), (160, False, False), (160, False, True), (256, False, False))


def measure(recipe: Recipe, photos: data.Photos) -> dict[str, list[float]]:
    """Processor seconds of each stage for each of STEPS steps."""
    state = train.start(recipe, pretrained=False)
    spent: dict[str, float] = {}
    rows: dict[str, list[float]] = {}
    running: list[str] = []

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
        patch.object(Network, "forward", clocked(Network.forward, "network, forward")),
        patch.object(Cascade, "trace", clocked(Cascade.trace, "filters, forward")),
        patch.object(torch.Tensor, "backward", clocked(torch.Tensor.backward, "backward")),
        patch.object(torch.optim.Adam, "step", clocked(torch.optim.Adam.step, "Adam")),
        patch.object(train, "_average", clocked(train._average, "average the weights")),
    ):
        for step in range(STEPS + 1):
            spent.clear()
            start = time.thread_time()
            shards = [data.shard(photos, state.network.cascade, recipe, step, index) for index in range(4)]
            train._step(recipe, state, data.join(shards))
            state.step += 1
            whole = time.thread_time() - start
            if step:
                for stage, seconds in (spent | {REST: whole - sum(spent.values()), "whole step": whole}).items():
                    rows.setdefault(stage, []).append(seconds)
    return rows


def main() -> None:
    torch.set_num_threads(1)
    photos = data.read_photos(Path(sys.argv[1]), held_out=True)
    columns: list[str] = []
    stages: dict[str, list[float]] = {}
    for side, frozen, bfloat16 in SETTINGS:
        recipe = replace(DEFAULT, sizes=((1.0, side),), frozen=float(frozen), bfloat16=bfloat16)
        columns.append(f"{side} px{', frozen' * frozen}{', bfloat16' * bfloat16}")
        for stage, seconds in measure(recipe, photos).items():
            stages.setdefault(stage, []).append(1000 * statistics.median(seconds))
    print(f"| ms of one core | {' | '.join(columns)} |\n|---|{'---:|' * len(columns)}")
    for stage, times in stages.items():
        print(f"| {stage} | {' | '.join(f'{value:.0f}' for value in times)} |")


if __name__ == "__main__":
    main()
