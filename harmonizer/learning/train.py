"""The training loop."""

from __future__ import annotations

import copy
import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from harmonizer import atomic
from harmonizer.errors import CheckpointError
from harmonizer.learning import distributed
from harmonizer.learning.auxiliary import AuxiliaryHead, foreground_statistics
from harmonizer.learning.composites.batches import Batch, Slots, batches
from harmonizer.learning.composites.distortion import Distortion
from harmonizer.learning.composites.draws import seed_of
from harmonizer.learning.composites.sources.sources import Sources
from harmonizer.learning.losses import LAST, MU, image_loss, total_loss
from harmonizer.learning.network.network import Network
from harmonizer.learning.old_names import rename_tensors
from harmonizer.learning.recipes import Recipe
from whitebox_filters import Cascade

CLOCK_INTERVAL = 20
"""Several processes agree on the time only every so many steps, since the host waits for the device each time."""


@dataclass
class State:
    """Everything that a checkpoint holds, so that `train` continues from it as if the run had not stopped."""

    network: Network
    averaged: Network
    head: AuxiliaryHead | None
    optimizer: torch.optim.Optimizer
    step: int = 0
    best: float = float("inf")  # the lowest validation score so far

    def load_weights(self, trained: Network) -> None:
        """Copy the weights of a network of the same config."""
        for network in (self.network, self.averaged):
            network.load_state_dict(trained.state_dict())

    def save(self, path: Path) -> None:
        """Write it whole or not at all, so that a killed run leaves the last whole checkpoint. Raises OutputError."""
        data = io.BytesIO()  # torch raises no OSError for a full disk
        torch.save(
            {
                "network": self.network.state_dict(),
                "averaged": self.averaged.state_dict(),
                "head": {} if self.head is None else self.head.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "step": self.step,
                "best": self.best,
            },
            data,
        )
        atomic.write_file(path, data.getvalue())

    def load(self, path: Path) -> None:
        """Read what `save` wrote, in this version or an earlier one. Raises CheckpointError for another recipe's."""
        try:
            values: dict[str, Any] = torch.load(path, weights_only=True, map_location="cpu")
            self.network.load_state_dict(rename_tensors(values["network"]))
            self.averaged.load_state_dict(rename_tensors(values["averaged"]))
            if self.head is not None:
                self.head.load_state_dict(values["head"])
            self.optimizer.load_state_dict(values["optimizer"])
            self.step, self.best = values["step"], values["best"]
        except Exception as error:
            raise CheckpointError(f"{path} does not fit this run ({error}); resume with its own recipe") from error


def start(recipe: Recipe, *, pretrained: bool, device: torch.device | None = None) -> State:
    """A new state from the recipe's seed, its encoder with ImageNet weights if `pretrained`."""
    torch.manual_seed(recipe.seed)
    network = Network(recipe.network, pretrained=pretrained).to(device).to(memory_format=torch.channels_last)
    averaged = copy.deepcopy(network).requires_grad_(False).eval()
    head = AuxiliaryHead(network.pooling.features).to(device) if recipe.auxiliary_weight else None
    network.pooling.encoder = distributed.synchronize_norms(network.pooling.encoder)
    network.freeze(recipe.frozen)
    encoder = list(network.pooling.encoder.parameters())
    in_encoder = {id(parameter) for parameter in encoder}
    others = [parameter for parameter in network.parameters() if id(parameter) not in in_encoder]
    groups: list[dict[str, Any]] = [
        {"params": encoder, "rate": recipe.encoder_learning_rate},
        {"params": others + ([] if head is None else list(head.parameters())), "rate": recipe.head_learning_rate},
    ]
    # Fused, one pass over all weights: on a GPU it takes longer to launch many small kernels than to run them.
    return State(network, averaged, head, torch.optim.AdamW(groups, weight_decay=recipe.weight_decay, fused=True))


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

    The random numbers of a step depend on the recipe and the step alone, so a run that continues from a checkpoint
    ends like one that was never interrupted. `checkpoint` is the file to write, None for none. `workers` threads make
    the next batches ahead. Several processes check the time every CLOCK_INTERVAL steps and at milestones.
    """
    slots = Slots.of(recipe.batch_size, recipe.eq8_share, distributed.rank(), distributed.count())
    sizes = {step: recipe.size_at(step) for step in range(state.step, recipe.steps)}
    end = float("inf") if minutes is None else time.monotonic() + 60 * minutes
    cascade = state.network.cascade
    # If the loss uses the last target alone, no picture in between is needed, and the whole cascade can be compiled.
    all_targets = recipe.loss != LAST
    compile_cascade = recipe.compile and not all_targets
    criterion = Criterion(cascade, cascade.compile("torch") if compile_cascade else None)
    distortion = Distortion.of(cascade, all_targets=all_targets, compiled=compile_cascade, priors=recipe.priors)
    if recipe.compile and recipe.frozen == "none":
        state.network.features = torch.compile(state.network.features)  # type: ignore[method-assign]
    elif recipe.compile:
        state.network.compile_frozen()
    for batch in batches(sources, distortion, sizes, recipe.mixture, recipe.seed, slots, workers):
        torch.manual_seed(seed_of(recipe.seed, state.step, distributed.rank()))  # for dropout and patches
        losses = _step(recipe, state, criterion, batch)
        state.step += 1
        # Save after the report, which may set the best score.
        report(state, losses)
        milestone = is_milestone(recipe, state.step)
        late = minutes is not None and _is_late(end, state.step, milestone=milestone)
        if checkpoint is not None and distributed.rank() == 0 and (late or milestone):
            state.save(checkpoint)
        if late:
            return


@dataclass(frozen=True)
class Criterion:
    """The plain losses of theta: after each filter for Eq. 8 composites, after the last for the others."""

    cascade: Cascade
    compiled: Callable[..., Tensor] | None  # the whole cascade, if only the last target is needed

    def __call__(self, batch: Batch, theta: Tensor) -> tuple[list[Tensor], Tensor]:
        """The losses of the Eq. 8 composites, (N,) for each step, and those of the others, (M,)."""
        # The filters blend by the mask that pasted the foreground, whatever mask the network got.
        if self.compiled is not None:
            trace = [self.compiled(batch.composite, theta, batch.mask)]
        else:
            trace = self.cascade.trace(batch.composite, theta, batch.mask)[-len(batch.targets) :]
        eq8_count = len(batch.targets[0])
        eq8_losses = [
            image_loss(step[:eq8_count], target, batch.mask[:eq8_count])
            for step, target in zip(trace, batch.targets, strict=True)
        ]
        return eq8_losses, image_loss(trace[-1][eq8_count:], batch.real[eq8_count:], batch.mask[eq8_count:])


def is_milestone(recipe: Recipe, step: int) -> bool:
    """Whether a checkpoint is due after so many steps: every 500, at least ten times a run, and at the end."""
    return step % max(1, min(500, recipe.steps // 10)) == 0 or step == recipe.steps


def _is_late(end: float, step: int, *, milestone: bool) -> bool:
    """Whether the time is over. Several processes have to agree, so they check it less often."""
    if distributed.count() > 1 and step % CLOCK_INTERVAL and not milestone:
        return False
    return distributed.broadcast(time.monotonic() > end)


def _step(recipe: Recipe, state: State, criterion: Criterion, batch: Batch) -> dict[str, Tensor]:
    network = state.network
    for group in state.optimizer.param_groups:
        group["lr"] = group["rate"] * recipe.learning_rate_factor(state.step)
    _set_mode(network, frozen_norm=recipe.frozen_norm)
    network.patch_share = recipe.patch_share_at(state.step)
    with torch.autocast(batch.composite.device.type, torch.bfloat16, enabled=recipe.bfloat16):
        features, histograms = network.features(*batch.inputs)
        thetas = network.regress(features, histograms)
        statistics = None if state.head is None else state.head(features)
    small = batch.thin(recipe.loss_stride)
    losses = [criterion(small, theta.float()) for theta in thetas]
    loss = torch.stack([total_loss(eq8_losses, final, recipe.loss) for eq8_losses, final in losses]).sum()
    if statistics is not None:
        difference = statistics.float() - foreground_statistics(small.real, small.mask)
        loss = loss + recipe.auxiliary_weight * MU * (difference**2).mean()
    state.optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    parameters = [p for group in state.optimizer.param_groups for p in group["params"] if p.grad is not None]
    distributed.average(p.grad for p in parameters)
    torch.nn.utils.clip_grad_norm_(parameters, 5.0)
    state.optimizer.step()
    _update_average(state, recipe.weight_average)
    return _plain_losses(*losses[0], _unharmonized_loss(small))


def _set_mode(network: Network, *, frozen_norm: bool) -> None:
    network.train()
    if frozen_norm:
        for module in network.pooling.encoder.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.eval()


def _plain_losses(eq8_losses: list[Tensor], final: Tensor, unharmonized: Tensor) -> dict[str, Tensor]:
    """The losses, averaged over pictures and processes; they stay on the device, which is not waited for."""
    values = torch.stack([each.detach().mean() for each in (*eq8_losses, final, unharmonized)])
    distributed.average([values])
    steps = [f"L{index}" for index in range(1, len(eq8_losses) + 1)] if len(eq8_losses) > 1 else ["eq8"]
    names = [*steps, "final", "unharmonized"]
    return dict(zip(names, values.unbind(), strict=True))


def _unharmonized_loss(batch: Batch) -> Tensor:
    """The loss of doing nothing on the same composites, to compare `final` with."""
    eq8_count = len(batch.targets[0])
    return image_loss(batch.composite[eq8_count:], batch.real[eq8_count:], batch.mask[eq8_count:])


@torch.no_grad()
def _update_average(state: State, decay: float) -> None:
    """Move the averaged weights towards the network's; the decay rises over the steps up to `decay`."""
    decay = min(decay, (1 + state.step) / (10 + state.step))
    averaged: dict[str, Tensor] = state.averaged.state_dict()
    current: dict[str, Tensor] = state.network.state_dict()
    names = [name for name, value in averaged.items() if value.is_floating_point()]
    torch._foreach_lerp_([averaged[name] for name in names], [current[name] for name in names], 1 - decay)
    for name, value in averaged.items():
        if not value.is_floating_point():
            value.copy_(current[name])
