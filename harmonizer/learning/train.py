"""The training loop."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from harmonizer.errors import CheckpointError
from harmonizer.learning import processes
from harmonizer.learning.composites.batches import Batch, Places, Sources, batches
from harmonizer.learning.composites.distortion import Distortion
from harmonizer.learning.composites.draws import seed_of
from harmonizer.learning.foreground import StatisticsHead, describe_foreground
from harmonizer.learning.losses import LAST, MU, image_loss, total_loss
from harmonizer.learning.model import Network
from harmonizer.learning.recipes import Recipe as Recipe
from whitebox_filters import Cascade


@dataclass
class State:
    """What a checkpoint must hold for `resume` to go on as if nothing had happened."""

    network: Network
    averaged: Network
    head: StatisticsHead | None
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
                "head": {} if self.head is None else self.head.state_dict(),
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
            if self.head is not None:
                self.head.load_state_dict(saved["head"])
            self.optimizer.load_state_dict(saved["optimizer"])
            self.step, self.best = saved["step"], saved["best"]
        except Exception as error:
            raise CheckpointError(f"{path} does not fit this run ({error}); resume with its own recipe") from error


def start(recipe: Recipe, *, pretrained: bool, device: torch.device | None = None) -> State:
    """A fresh state from the recipe's seed, its encoder with ImageNet weights if `pretrained`."""
    torch.manual_seed(recipe.seed)
    network = Network(recipe.model, pretrained=pretrained).to(device).to(memory_format=torch.channels_last)
    averaged = copy.deepcopy(network).requires_grad_(False).eval()
    head = StatisticsHead(network.pooled).to(device) if recipe.statistics else None
    network.encoder = processes.synchronize_norms(network.encoder)
    network.freeze(recipe.frozen)
    encoder = list(network.encoder.parameters())
    others = [p for name, p in network.named_parameters() if not name.startswith("encoder.")]
    groups: list[dict[str, Any]] = [
        {"params": encoder, "rate": recipe.encoder_rate},
        {"params": others + ([] if head is None else list(head.parameters())), "rate": recipe.head_rate},
    ]
    # Fused, one pass over all weights: on a GPU the single kernels would take longer to launch than to run.
    return State(network, averaged, head, torch.optim.Adam(groups, fused=True))


def train(
    recipe: Recipe,
    sources: Sources,
    state: State,
    checkpoint: Path | None,
    report: Callable[[State, dict[str, Tensor]], None],
    *,
    workers: int = 1,
    minutes: float | None = None,
) -> None:
    """Run `state` to the recipe's last step, or for so many minutes; `report` gets the plain losses of every step.

    Everything that is drawn at a step depends on the recipe and the step alone, so a run that goes on from a
    checkpoint ends as one that was never interrupted; None writes none. `workers` threads make the batches ahead.
    """
    places = Places.of(recipe.batch_size, recipe.stepwise, processes.rank(), processes.count())
    sizes = {step: recipe.size(step) for step in range(state.step, recipe.steps)}
    end = float("inf") if minutes is None else time.monotonic() + 60 * minutes
    cascade = state.network.cascade
    # With the last target alone no picture in between is looked at, and the whole cascade can be compiled.
    every = recipe.loss != LAST
    judge = Judge(cascade, cascade.compile("torch") if recipe.compile and not every else None)
    distortion = Distortion.of(cascade, every=every, compiled=recipe.compile and not every)
    if recipe.compile and recipe.frozen == "none":
        state.network.features = torch.compile(state.network.features)  # type: ignore[method-assign]
    elif recipe.compile:
        state.network.compile_frozen()
    for batch in batches(sources, distortion, sizes, recipe.mixture, recipe.seed, places, workers):
        torch.manual_seed(seed_of(recipe.seed, state.step, processes.rank()))  # for dropout and patches
        losses = _step(recipe, state, judge, batch)
        state.step += 1
        # After the report, which may find the weights to be the best so far.
        report(state, losses)
        late = minutes is not None and processes.agree(time.monotonic() > end)
        if checkpoint is not None and processes.rank() == 0 and (late or is_milestone(recipe, state.step)):
            state.save(checkpoint)
        if late:
            return


@dataclass(frozen=True)
class Judge:
    """The plain losses of theta: of Eq. 8 composites that of each step, of the others that of the last."""

    cascade: Cascade
    compiled: Callable[..., Tensor] | None  # the cascade as a whole, for composites that have the last target alone

    def __call__(self, batch: Batch, theta: Tensor) -> tuple[list[Tensor], Tensor]:
        """Two lists of (N,), the losses of the first pictures by step, and of the rest."""
        # The filters blend by the mask of the paste, whatever mask the network was shown.
        if self.compiled is not None:
            trace = [self.compiled(batch.composite, theta, batch.mask)]
        else:
            trace = self.cascade.trace(batch.composite, theta, batch.mask)[-len(batch.targets) :]
        stepwise = len(batch.targets[0])
        synthetic = [
            image_loss(step[:stepwise], target, batch.mask[:stepwise])
            for step, target in zip(trace, batch.targets, strict=True)
        ]
        return synthetic, image_loss(trace[-1][stepwise:], batch.real[stepwise:], batch.mask[stepwise:])


def is_milestone(recipe: Recipe, step: int) -> bool:
    """Whether a checkpoint is due after so many steps: every 500, at least ten times a run, and at the end."""
    return step % max(1, min(500, recipe.steps // 10)) == 0 or step == recipe.steps


def _step(recipe: Recipe, state: State, judge: Judge, batch: Batch) -> dict[str, Tensor]:
    network = state.network
    for group in state.optimizer.param_groups:
        group["lr"] = group["rate"] * recipe.rate(state.step)
    _set_mode(network, frozen_norm=recipe.frozen_norm)
    network.patches = recipe.share_of_patches(state.step)
    with torch.autocast(batch.composite.device.type, torch.bfloat16, enabled=recipe.bfloat16):
        features, tones = network.features(*batch.inputs)
        thetas = network.regress(features, tones)
        described = None if state.head is None else state.head(features)
    small = batch.thin(recipe.stride)
    judged = [judge(small, theta.float()) for theta in thetas]
    loss = torch.stack([total_loss(synthetic, final, recipe.loss) for synthetic, final in judged]).sum()
    if described is not None:
        statistics = describe_foreground(small.real, small.mask)
        loss = loss + recipe.statistics * MU * ((described.float() - statistics) ** 2).mean()
    state.optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    trained = [p for group in state.optimizer.param_groups for p in group["params"] if p.grad is not None]
    processes.average(p.grad for p in trained)
    torch.nn.utils.clip_grad_norm_(trained, 5.0)
    state.optimizer.step()
    _average(state, recipe.average)
    return _plain(*judged[0], _untouched(small))


def _set_mode(network: Network, *, frozen_norm: bool) -> None:
    network.train()
    if frozen_norm:
        for module in network.encoder.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.eval()


def _plain(synthetic: list[Tensor], final: Tensor, untouched: Tensor) -> dict[str, Tensor]:
    """The losses, averaged over pictures and processes; still on the device, for which nothing waits."""
    values = torch.stack([each.detach().mean() for each in (*synthetic, final, untouched)])
    processes.average([values])
    steps = [f"L{index}" for index in range(1, len(synthetic) + 1)] if len(synthetic) > 1 else ["eq8"]
    names = [*steps, "final", "unharmonized"]
    return dict(zip(names, values.unbind(), strict=True))


def _untouched(batch: Batch) -> Tensor:
    """The loss that doing nothing would have on the same composites, to read `final` against."""
    stepwise = len(batch.targets[0])
    return image_loss(batch.composite[stepwise:], batch.real[stepwise:], batch.mask[stepwise:])


@torch.no_grad()
def _average(state: State, rate: float) -> None:
    """Move the averaged weights towards the network's, slower from step to step until `rate` is reached."""
    rate = min(rate, (1 + state.step) / (10 + state.step))
    own: dict[str, Tensor] = state.network.state_dict()
    floating = [(value, own[name]) for name, value in state.averaged.state_dict().items() if value.is_floating_point()]
    averages, values = ([pair[side] for pair in floating] for side in (0, 1))
    torch._foreach_lerp_(averages, values, 1 - rate)
    for name, value in state.averaged.state_dict().items():
        if not value.is_floating_point():
            value.copy_(own[name])
