"""The training loop."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from harmonizer.errors import CheckpointError
from harmonizer.learning.data import Batch, Photos, make_batch
from harmonizer.learning.losses import image_loss, total_loss
from harmonizer.learning.model import ModelConfig, Network


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what a run learns."""

    model: ModelConfig = field(default_factory=ModelConfig)
    steps: int = 6000
    batch_size: int = 32
    sizes: tuple[tuple[float, int], ...] = ((0.8, 128), (1.0, 256))  # (until this share of the steps, pixels)
    encoder_rate: float = 2e-4
    head_rate: float = 1e-3
    warmup: int = 200
    frozen: float = 0.0  # share of the steps, from the first on, in which the encoder stays as it was pretrained
    average: float = 0.998  # of the weights, over steps
    seed: int = 0


@dataclass
class State:
    """What a checkpoint must hold for `resume` to go on as if nothing had happened."""

    network: Network
    averaged: Network
    optimizer: torch.optim.Optimizer
    generator: torch.Generator
    step: int = 0

    def save(self, path: Path) -> None:
        """Write beside and rename, so that a killed run leaves the last whole checkpoint."""
        part = path.with_suffix(".part")
        torch.save(
            {
                "network": self.network.state_dict(),
                "averaged": self.averaged.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "generator": self.generator.get_state(),
                "step": self.step,
            },
            part,
        )
        part.replace(path)

    def load(self, path: Path) -> None:
        """Raises CheckpointError if the file is not a checkpoint of this recipe."""
        try:
            saved: dict[str, Any] = torch.load(path, weights_only=True)
            self.network.load_state_dict(saved["network"])
            self.averaged.load_state_dict(saved["averaged"])
            self.optimizer.load_state_dict(saved["optimizer"])
            self.generator.set_state(saved["generator"])
            self.step = saved["step"]
        except Exception as error:
            raise CheckpointError(f"{path} does not fit this run ({error}); resume with its own recipe") from error


def start(recipe: Recipe, *, pretrained: bool) -> State:
    """A fresh state from the recipe's seed, its encoder with ImageNet weights if `pretrained`."""
    torch.manual_seed(recipe.seed)
    network = Network(recipe.model, pretrained=pretrained).to(memory_format=torch.channels_last)
    encoder = list(network.encoder.parameters())
    head = [p for name, p in network.named_parameters() if not name.startswith("encoder.")]
    optimizer = torch.optim.Adam(
        [{"params": encoder, "rate": recipe.encoder_rate}, {"params": head, "rate": recipe.head_rate}]
    )
    averaged = copy.deepcopy(network).requires_grad_(False).eval()
    return State(network, averaged, optimizer, torch.Generator().manual_seed(recipe.seed))


def train(
    recipe: Recipe, photos: Photos, state: State, checkpoint: Path, report: Callable[[State, dict[str, float]], None]
) -> None:
    """Run `state` to the recipe's last step; `report` gets the plain losses of every 50 steps, averaged."""
    sums: dict[str, float] = {}
    began = time.perf_counter()
    while state.step < recipe.steps:
        batch = make_batch(photos, state.network.cascade, recipe.batch_size, _size(recipe, state.step), state.generator)
        for name, value in _step(recipe, state, batch).items():
            sums[name] = sums.get(name, 0.0) + value
        state.step += 1
        if state.step % 50 == 0 or state.step == recipe.steps:
            seconds = time.perf_counter() - began
            report(state, {name: value / 50 for name, value in sums.items()} | {"seconds": seconds / 50})
            sums, began = {}, time.perf_counter()
        if state.step % 500 == 0 or state.step == recipe.steps:
            state.save(checkpoint)


def describe(recipe: Recipe) -> dict[str, Any]:
    """The recipe as plain values, for config.json."""
    return asdict(recipe)


def _step(recipe: Recipe, state: State, batch: Batch) -> dict[str, float]:
    for group in state.optimizer.param_groups:
        group["lr"] = group["rate"] * _schedule(recipe, state.step)
    frozen = state.step < recipe.frozen * recipe.steps
    state.network.train()
    state.network.encoder.train(not frozen).requires_grad_(not frozen)
    trace = state.network.trace(batch.composite, batch.mask)
    stepwise = len(batch.targets[0])
    synthetic = [
        image_loss(step[:stepwise], target, batch.mask[:stepwise])
        for step, target in zip(trace, batch.targets, strict=True)
    ]
    final = image_loss(trace[-1][stepwise:], batch.real[stepwise:], batch.mask[stepwise:])
    loss = total_loss(synthetic, final)
    state.optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(state.network.parameters(), 5.0)
    state.optimizer.step()
    _average(state, recipe.average)
    return {f"L{i}": float(value.detach().mean()) for i, value in enumerate(synthetic, start=1)} | {
        "final": float(final.detach().mean()),
        "unharmonized": _untouched(batch, stepwise),
    }


def _untouched(batch: Batch, stepwise: int) -> float:
    """The loss that doing nothing would have on the same composites, to read `final` against."""
    return float(image_loss(batch.composite, batch.real, batch.mask)[stepwise:].mean())


@torch.no_grad()
def _average(state: State, rate: float) -> None:
    rate = min(rate, (1 + state.step) / (10 + state.step))
    own: dict[str, Tensor] = state.network.state_dict()
    for name, value in state.averaged.state_dict().items():
        if value.is_floating_point():
            value.lerp_(own[name], 1 - rate)
        else:
            value.copy_(own[name])


def _schedule(recipe: Recipe, step: int) -> float:
    if step < recipe.warmup:
        return (step + 1) / recipe.warmup
    share = (step - recipe.warmup) / max(1, recipe.steps - recipe.warmup)
    return 0.01 + 0.99 * (1 + math.cos(math.pi * share)) / 2


def _size(recipe: Recipe, step: int) -> int:
    return next(size for until, size in recipe.sizes if step < until * recipe.steps or until >= 1)
