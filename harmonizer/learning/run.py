"""A training run from a folder of photographs to a checkpoint directory, logged as JSON lines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from harmonizer.learning import model, synthesis
from harmonizer.learning.data import Photos, draw, read_photos
from harmonizer.learning.train import Recipe, State, start, train


def recipe(encoder: str, steps: int, seed: int) -> Recipe:
    """How the shipped checkpoint was trained (there: tf_efficientnet_lite0, 2400 steps, seed 1).

    First the regressor on a frozen encoder at 112 px, then all at the size that is shipped: a network loses much
    on pictures of another size than it was last trained on.
    """
    config = model.ModelConfig(encoder=encoder, regions=True, input_size=160)
    return Recipe(model=config, steps=steps, sizes=((0.7, 112), (1.0, config.input_size)), frozen=0.7, seed=seed)


def run(recipe: Recipe, data: Path, out: Path, *, resume: bool, pretrained: bool = True) -> None:
    """Train on `data` and leave `config.json`, `model.safetensors`, `last.pt` and `log.jsonl` in `out`.

    The averaged weights are written after every validation. With `resume`, go on from `out/last.pt`.
    Raises ImageFileError, CheckpointError.
    """
    photos, held_out = read_photos(data, held_out=False), read_photos(data, held_out=True)
    state = start(recipe, pretrained=pretrained and not resume)
    if resume:
        state.load(out / "last.pt")
    out.mkdir(parents=True, exist_ok=True)

    def report(state: State, losses: dict[str, float]) -> None:
        line: dict[str, float] = {"step": state.step, **losses}
        if state.step % 500 == 0 or state.step == recipe.steps:
            line |= validate(state.averaged, held_out)
            model.save(state.averaged, out)
        with (out / "log.jsonl").open("a") as log:
            log.write(json.dumps({key: round(value, 5) for key, value in line.items()}) + "\n")

    train(recipe, photos, state, out / "last.pt", report)


@torch.no_grad()
def validate(network: model.Network, held_out: Photos, count: int = 96) -> dict[str, float]:
    """Foreground MSE (0-255) of fixed composites from held-out photographs, by recipe, before and after."""
    size = network.config.input_size
    generator = torch.Generator().manual_seed(1)
    indices = torch.randint(len(held_out), (2 * count,), generator=generator)
    pictures, masks = draw(held_out, indices, size, generator)
    real, mask = pictures[:count], masks[:count]
    composites = {"eq8": synthesis.distort(real, mask, network.cascade, generator)[0]}
    for name in synthesis.RECIPES:
        composites[name] = synthesis.apply_recipe(name, real, mask, pictures[count:], masks[count:], generator)
    scores: dict[str, float] = {}
    for name, composite in composites.items():
        pairs = zip(composite.chunk(4), mask.chunk(4), strict=True)
        harmonized = torch.cat([network.trace(c, m)[-1] for c, m in pairs])
        scores[f"{name}_before"] = _fmse(composite, real, mask)
        scores[f"{name}_after"] = _fmse(harmonized, real, mask)
    return scores


def _fmse(picture: torch.Tensor, real: torch.Tensor, mask: torch.Tensor) -> float:
    inside = (mask > 0.5).float()
    squared = ((picture - real) * 255) ** 2 * inside
    each: Sequence[float] = (squared.sum(dim=(1, 2, 3)) / (3 * inside.sum(dim=(1, 2, 3)) + 1)).tolist()
    return float(np.mean(each))
