"""Batches that a frozen encoder has described once are learned from several times."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from harmonizer.learning.data import Batch, batches
from harmonizer.learning.model import Network
from harmonizer.learning.photos import Photos
from harmonizer.learning.recipes import SHARD, Recipe


@dataclass(frozen=True)
class Lesson:
    """What one step learns from; the description is there if the encoder is frozen and need not run again."""

    batch: Batch
    description: tuple[Tensor, Tensor, Tensor] | None


def source(recipe: Recipe, step: int) -> int:
    """The step whose batch is learned from at `step`.

    While the encoder is frozen, steps come in rounds: `memory` new batches, then the same in another order, until
    each was seen `passes` times.
    """
    if not recipe.is_frozen(step):
        return step
    turn, place = divmod(step, recipe.memory * recipe.passes)
    begin = step - place
    repetition, place = divmod(place, recipe.memory)
    if repetition == 0:
        return step
    return begin + int(np.random.default_rng((recipe.seed, turn, repetition)).permutation(recipe.memory)[place])


def lessons(
    network: Network, photos: Photos, recipe: Recipe, begin: int, shards: range, workers: int = 1
) -> Iterator[Lesson]:
    """A lesson for each step from `begin` to the recipe's last.

    What is remembered of a batch is its description and every second pixel each way, which have the same colours: the
    filters and the loss need no more.
    """
    device = next(network.parameters()).device
    sources = [source(recipe, step) for step in range(begin, recipe.steps)]
    last = {made: place for place, made in enumerate(sources)}
    fresh = batches(photos, network.cascade, recipe, list(dict.fromkeys(sources)), shards, workers)
    remembered: dict[int, Lesson] = {}
    for place, made in enumerate(sources):
        lesson = remembered.get(made)
        if lesson is None:
            batch = next(fresh).to(device)
            lesson = _describe(network, batch) if recipe.is_frozen(made) else Lesson(batch, None)
        remembered[made] = lesson
        yield lesson
        if last[made] == place:
            del remembered[made]


@torch.no_grad()
def _describe(network: Network, batch: Batch) -> Lesson:
    for module in network.describing:
        module.eval()
    # By shards, whose features stay in the cache of a core.
    shards = zip(*(torch.split(each, SHARD) for each in batch.inputs), strict=True)
    parts = [network.describe(*shard) for shard in shards]
    features, moments, tones = (torch.cat(each) for each in zip(*parts, strict=True))
    return Lesson(batch.thin(), (features, moments, tones))
