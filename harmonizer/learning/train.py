"""The training loop."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from harmonizer.errors import CheckpointError
from harmonizer.learning import processes
from harmonizer.learning.data import Batch
from harmonizer.learning.losses import image_loss, total_loss
from harmonizer.learning.model import Network
from harmonizer.learning.photos import Photos
from harmonizer.learning.recipes import SHARD
from harmonizer.learning.recipes import Recipe as Recipe
from harmonizer.learning.rehearsal import Lesson, lessons
from whitebox_filters import Cascade


@dataclass
class State:
    """What a checkpoint must hold for `resume` to go on as if nothing had happened."""

    network: Network
    averaged: Network
    optimizer: torch.optim.Optimizer
    step: int = 0
    best: float = float("inf")  # the validation score of the weights that are kept as the best

    def begin_with(self, trained: Network) -> None:
        """Take the weights of a network of the same configuration."""
        for network in (self.network, self.averaged):
            network.load_state_dict(trained.state_dict())

    def save(self, path: Path) -> None:
        """Write beside and rename, so that a killed run leaves the last whole checkpoint."""
        part = path.with_suffix(".part")
        torch.save(
            {
                "network": self.network.state_dict(),
                "averaged": self.averaged.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "step": self.step,
                "best": self.best,
            },
            part,
        )
        part.replace(path)

    def load(self, path: Path) -> None:
        """Raises CheckpointError if the file is not a checkpoint of this recipe."""
        try:
            saved: dict[str, Any] = torch.load(path, weights_only=True, map_location="cpu")
            self.network.load_state_dict(saved["network"])
            self.averaged.load_state_dict(saved["averaged"])
            self.optimizer.load_state_dict(saved["optimizer"])
            self.step, self.best = saved["step"], saved["best"]
        except Exception as error:
            raise CheckpointError(f"{path} does not fit this run ({error}); resume with its own recipe") from error


def start(recipe: Recipe, *, pretrained: bool, device: torch.device | None = None) -> State:
    """A fresh state from the recipe's seed, its encoder with ImageNet weights if `pretrained`."""
    torch.manual_seed(recipe.seed)
    network = Network(recipe.model, pretrained=pretrained).to(device).to(memory_format=torch.channels_last)
    averaged = copy.deepcopy(network).requires_grad_(False).eval()
    network.encoder = processes.synchronize_norms(network.encoder)
    encoder = list(network.encoder.parameters())
    head = [p for name, p in network.named_parameters() if not name.startswith("encoder.")]
    optimizer = torch.optim.Adam(
        [{"params": encoder, "rate": recipe.encoder_rate}, {"params": head, "rate": recipe.head_rate}]
    )
    return State(network, averaged, optimizer)


def train(
    recipe: Recipe,
    photos: Photos,
    state: State,
    checkpoint: Path | None,
    report: Callable[[State, dict[str, float]], None],
    *,
    workers: int = 1,
) -> None:
    """Run `state` to the recipe's last step; `report` gets the plain losses of every step.

    Everything that is drawn at a step depends on the recipe and the step alone, so a run that goes on from a
    checkpoint ends as one that was never interrupted; None writes none. `workers` threads make the batches ahead.
    """
    shards = processes.share(recipe.batch_size // SHARD)
    for lesson in lessons(state.network, photos, recipe, state.step, shards, workers):
        torch.manual_seed(hash((recipe.seed, state.step, processes.rank())))  # for dropout, if there is any
        losses = _step(recipe, state, lesson)
        state.step += 1
        # After the report, which may find the weights to be the best so far.
        report(state, losses)
        if checkpoint is not None and processes.rank() == 0 and is_milestone(recipe, state.step):
            state.save(checkpoint)


def is_milestone(recipe: Recipe, step: int) -> bool:
    """Whether a checkpoint is due after so many steps: every 500, at least ten times a run, and at the end."""
    return step % max(1, min(500, recipe.steps // 10)) == 0 or step == recipe.steps


def _step(recipe: Recipe, state: State, lesson: Lesson) -> dict[str, float]:
    for group in state.optimizer.param_groups:
        group["lr"] = group["rate"] * recipe.rate(state.step)
    _set_mode(state.network, frozen=recipe.is_frozen(state.step), frozen_norm=recipe.frozen_norm)
    batch = lesson.batch
    with torch.autocast(batch.composite.device.type, torch.bfloat16, enabled=recipe.bfloat16):
        opinions = state.network.opinions(*(lesson.description or state.network.describe(*batch.inputs)))
    judged = [_judge(state.network.cascade, batch, theta.float()) for theta in opinions]
    loss = torch.stack([total_loss(synthetic, final, recipe.loss) for synthetic, final in judged]).sum()
    state.optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    processes.average_gradients(state.network)
    torch.nn.utils.clip_grad_norm_(state.network.parameters(), 5.0)
    state.optimizer.step()
    _average(state, recipe.average)
    return _plain(*judged[0], _untouched(batch))


def _judge(cascade: Cascade, batch: Batch, theta: Tensor) -> tuple[list[Tensor], Tensor]:
    """The plain losses of theta: of each step of the composites with targets for it, and of the last of the others."""
    # The filters blend by the mask of the paste, whatever mask the network was shown.
    trace = cascade.trace(batch.composite, theta, batch.mask)
    stepwise = len(batch.targets[0])
    synthetic = [
        image_loss(step[:stepwise], target, batch.mask[:stepwise])
        for step, target in zip(trace, batch.targets, strict=True)
    ]
    return synthetic, image_loss(trace[-1][stepwise:], batch.real[stepwise:], batch.mask[stepwise:])


def _set_mode(network: Network, *, frozen: bool, frozen_norm: bool) -> None:
    network.train()
    for module in network.describing:
        module.train(not frozen).requires_grad_(not frozen)
    if frozen_norm:
        for module in network.encoder.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.eval()


def _plain(synthetic: list[Tensor], final: Tensor, untouched: Tensor) -> dict[str, float]:
    """The losses as numbers, averaged over pictures and processes."""
    values = torch.stack([each.detach().mean() for each in (*synthetic, final, untouched)])
    processes.average([values])
    names = [*(f"L{index}" for index in range(1, len(synthetic) + 1)), "final", "unharmonized"]
    return dict(zip(names, values.tolist(), strict=True))


def _untouched(batch: Batch) -> Tensor:
    """The loss that doing nothing would have on the same composites, to read `final` against."""
    stepwise = len(batch.targets[0])
    return image_loss(batch.composite[stepwise:], batch.real[stepwise:], batch.mask[stepwise:])


@torch.no_grad()
def _average(state: State, rate: float) -> None:
    rate = min(rate, (1 + state.step) / (10 + state.step))
    own: dict[str, Tensor] = state.network.state_dict()
    for name, value in state.averaged.state_dict().items():
        if value.is_floating_point():
            value.lerp_(own[name], 1 - rate)
        else:
            value.copy_(own[name])
