"""How gradients meet in two processes: our one message, DistributedDataParallel's buckets, and no exchange at all.

From the repository root: python benchmarks/all_reduce.py. Two processes of one core each, Gloo on one machine; steps of
each way take turns. Writes benchmarks/results/all_reduce.md. Needs the extra `train`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import cast

import numpy as np
import torch
import torch.distributed as dist
from report import describe_machine, digits, grid, median_and_quartiles
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from harmonizer.learning import distributed
from harmonizer.learning.losses import MU, image_loss
from harmonizer.learning.network.network import Network
from harmonizer.learning.recipes import CONTINUE, PAPER, Recipe

RESULTS = Path(__file__).parent / "results" / "all_reduce.md"
PROCESSES = 2
ROUNDS = 25
WARM_UP = 3
SIZE = 224
CASES = {"the network that ships, its encoder frozen": (CONTINUE, 12), "the paper's, all of it learns": (PAPER, 4)}
"""Recipes, and the pictures of a step and process."""

Exchange = Callable[[Iterable[Tensor | None]], None]


class Predictor(nn.Module):
    """DistributedDataParallel hooks into `forward` alone, which gives all thetas here."""

    def __init__(self, recipe: Recipe) -> None:
        super().__init__()
        self.network = Network(recipe.network)
        self.network.freeze(recipe.frozen)

    def forward(self, composite: Tensor, mask: Tensor) -> list[Tensor]:
        """See `Network.predictions`."""
        return self.network.predictions(composite, mask)


@dataclass
class Way:
    """A network that learns by one way of exchanging gradients."""

    predict: nn.Module
    exchange: Exchange
    optimizer: torch.optim.Optimizer

    @classmethod
    def of(cls, recipe: Recipe, name: str) -> Way:
        """One of WAYS."""
        torch.manual_seed(0)
        predictor = Predictor(recipe).train()
        predictor.network.patch_share = recipe.patch_share_at(0)
        learning = [parameter for parameter in predictor.parameters() if parameter.requires_grad]
        optimizer = torch.optim.Adam(learning, lr=1e-4, fused=True)
        return WAYS[name](predictor, optimizer)

    def step(self, batch: list[Tensor]) -> float:
        """Seconds of one step."""
        composite, mask, real = batch
        dist.barrier()
        start = time.perf_counter()
        thetas = self.predict(composite, mask)
        cascade = cast(Predictor, getattr(self.predict, "module", self.predict)).network.cascade
        small, target, alpha = (each[:, :3, ::2, ::2].contiguous() for each in (composite, real, mask))
        losses = [image_loss(cascade.trace(small, theta, alpha)[-1], target, alpha) for theta in thetas]
        self.optimizer.zero_grad(set_to_none=True)
        (MU * torch.stack(losses).mean()).backward()  # type: ignore[no-untyped-call]
        self.exchange([parameter.grad for parameter in self.predict.parameters()])
        self.optimizer.step()
        return time.perf_counter() - start


def nothing(gradients: Iterable[Tensor | None]) -> None:
    """Exchange nothing: the bound."""


def buckets(megabytes: float) -> Callable[[Predictor, torch.optim.Optimizer], Way]:
    """DistributedDataParallel, which sends each bucket of gradients while the rest of backward goes on."""

    def make(predictor: Predictor, optimizer: torch.optim.Optimizer) -> Way:
        wrapped = DistributedDataParallel(predictor, bucket_cap_mb=megabytes, forward_sync_buffers=False)
        return Way(wrapped, nothing, optimizer)

    return make


NONE, OURS, DDP, SMALL = "no exchange", "one message", "DDP, buckets of 25 MB", "DDP, buckets of 1 MB"
WAYS: dict[str, Callable[[Predictor, torch.optim.Optimizer], Way]] = {
    NONE: lambda predictor, optimizer: Way(predictor, nothing, optimizer),
    OURS: lambda predictor, optimizer: Way(predictor, distributed.average, optimizer),
    DDP: buckets(25),
    SMALL: buckets(1),
}


def make_batch(recipe: Recipe, count: int, size: int) -> list[Tensor]:
    """Composites, masks and targets of noise, others in each process."""
    generator = torch.Generator().manual_seed(distributed.rank())
    return [torch.rand(count, each, size, size, generator=generator) for each in (recipe.network.channels, 1, 3)]


def measure(recipe: Recipe, count: int) -> dict[str, list[float]]:
    """Milliseconds of each way, by round."""
    batch = make_batch(recipe, count, SIZE)
    ways = {name: Way.of(recipe, name) for name in WAYS}
    found: dict[str, list[float]] = {name: [] for name in WAYS}
    order = np.random.default_rng(0)
    for number in range(WARM_UP + ROUNDS):
        for name in order.permutation(list(WAYS)).tolist():
            seconds = ways[name].step(batch)
            if number >= WARM_UP:
                found[name].append(1000 * seconds)
    return found


def agreement(recipe: Recipe, count: int) -> float:
    """The largest difference between the gradients of one message and of DDP, as a share of the largest gradient."""
    batch = make_batch(recipe, count, 64)
    gradients = []
    for name in (OURS, SMALL):
        way = Way.of(recipe, name)
        torch.manual_seed(1)  # dropout and patches
        way.step(batch)
        gradients.append(torch.cat([p.grad.flatten() for p in way.predict.parameters() if p.grad is not None]))
    return float((gradients[0] - gradients[1]).abs().max() / gradients[0].abs().max())


def main() -> None:
    """Start the processes; the first of them writes the page."""
    if "RANK" not in os.environ:
        launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(PROCESSES), __file__]
        subprocess.run([sys.executable, *launch], check=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
        return
    with distributed.process_group():
        found = {title: measure(*case) for title, case in CASES.items()}
        differences = {title: agreement(*case) for title, case in CASES.items()}
        if distributed.rank() == 0:
            text = page(found, differences)
            RESULTS.write_text(text, encoding="utf-8")
            print(text)


def page(found: dict[str, dict[str, list[float]]], differences: dict[str, float]) -> str:
    """The results page."""
    rows = []
    for title, ways in found.items():
        for name, times in ways.items():
            ratio = [one / none for one, none in zip(times, ways[NONE], strict=True)]
            rows.append([title, name, median_and_quartiles(times), f"{median(ratio):.3f}"])
    shipped, paper = (
        {name: median(one / none for one, none in zip(times, ways[NONE], strict=True)) for name, times in ways.items()}
        for ways in found.values()
    )
    sizes = [
        sum(p.numel() for p in Predictor(recipe).parameters() if p.requires_grad) * 4 / 1e6
        for recipe, _ in CASES.values()
    ]
    best = min(shipped[DDP], shipped[SMALL])
    verdict = "is enough" if shipped[OURS] <= best + 0.02 else "loses to buckets that overlap with backward"
    return "\n".join([
        "# How gradients meet",
        "",
        f"**Decision.** One message after backward {verdict}: a step takes {shipped[OURS]:.3f} times one without any "
        f"exchange, with DistributedDataParallel {best:.3f} at best. Where all of EfficientNet-B0 learns it is "
        f"{paper[OURS]:.3f} and {min(paper[DDP], paper[SMALL]):.3f}.",
        "",
        "Forward, backward, exchange and Adam, milliseconds; the median and the quartiles, and the median of the "
        f"ratios to the step without exchange of the same round. {ROUNDS} rounds, the ways in random order in each.",
        "",
        grid(["", "exchange", "a step", "times no exchange"], rows, 2),
        "",
        f"Gradients are {digits(sizes[0])} and {digits(sizes[1])} MB a process and step. Both ways give the same: the "
        f"largest difference is {max(differences.values()):.1e} of the largest gradient. Accelerate wraps "
        "DistributedDataParallel, so its figures are those of DDP. On a network of 10 Gbit/s between two machines the "
        f"message takes at least {sizes[0] * 8 / 10:.0f} and {sizes[1] * 8 / 10:.0f} ms, of which buckets could hide "
        "all but the last; on GPUs NCCL takes the place of Gloo. Neither was measured.",
        "",
        f"{PROCESSES} processes with a thread each, Gloo, {', '.join(str(count) for _, count in CASES.values())} "
        f"pictures of {SIZE} x {SIZE} a process. torch {torch.__version__}. {describe_machine()} "
        "`python benchmarks/all_reduce.py`.",
        "",
    ])  # fmt: skip


if __name__ == "__main__":
    main()
