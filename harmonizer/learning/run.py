"""A training run from a folder of photographs to a checkpoint directory."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from harmonizer.errors import CheckpointError, OutputError, RecipeError
from harmonizer.learning import model, processes
from harmonizer.learning.composites.batches import Sources
from harmonizer.learning.composites.likeness import compare, mean_colour, things
from harmonizer.learning.composites.photos import read_photos, read_rows
from harmonizer.learning.composites.scenes import read_scenes
from harmonizer.learning.model import Network
from harmonizer.learning.recipes import RECIPES, Recipe, from_json, to_json
from harmonizer.learning.record import Recorder
from harmonizer.learning.train import State, is_milestone, start, train
from harmonizer.learning.validate import validate


def plan(
    out: Path,
    recipe: str | None,
    encoder: str | None,
    steps: int | None,
    seed: int | None,
    weights: Path | None = None,
    *,
    resume: bool,
) -> Recipe:
    """The recipe of a name, or in a JSON file, with what is given changed; with `resume` that of the run in `out`.

    `weights`, a checkpoint folder to begin with, decides what network it is; the size of its pictures becomes the
    recipe's last, and dropout is the recipe's.
    Raises RecipeError, CheckpointError.
    """
    if resume:
        if any(given is not None for given in (recipe, encoder, steps, seed, weights)):
            raise RecipeError(f"the run in {out} goes on by its own recipe; give nothing else with --resume")
        return _resumed(out)
    name = recipe or "default"
    try:
        chosen = RECIPES[name] if name in RECIPES else from_json(Path(name).read_text())
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it holds no text"
        raise RecipeError(
            f"{name!r} is neither a recipe ({', '.join(RECIPES)}) nor a readable JSON file ({reason})"
        ) from error
    if weights is not None:
        if encoder is not None:
            raise RecipeError(f"the encoder is that of the weights in {weights}; give --from or --encoder, not both")
        config = model.load(weights).config
        # What the network is, they decide; how it is trained, and whether it grows by a context, the recipe.
        own = chosen.model
        context = config.context or (own.context and config.pooling == own.pooling and config.tones)
        config = replace(config, context=context, dropout=own.dropout, input_size=chosen.sizes[-1][1])
        chosen = replace(chosen, model=config, pretrained=False)
    elif encoder is not None:
        chosen = replace(chosen, model=replace(chosen.model, encoder=encoder))
    return replace(
        chosen,
        steps=chosen.steps if steps is None else steps,
        seed=chosen.seed if seed is None else seed,
    )


def run(
    recipe: Recipe, data: Path, out: Path, weights: Path | None = None, *, resume: bool, minutes: float | None = None
) -> None:
    """Train on `data`, from the checkpoint in `weights` if one is given, and leave in `out` all that the run wrote.

    At every milestone: `config.json` and `model.safetensors` (the averaged weights), the best of them by validation
    in `best/`, `last.pt` to go on from; all along `log.jsonl` and `tensorboard/`; first of all `recipe.json`. With
    `resume`, go on from `last.pt` by that recipe. After so many `minutes`, counted from the first step, the run stops
    with all of these written, for `resume` to go on.
    Raises ImageFileError, CheckpointError, RecipeError, OutputError.
    """
    with processes.joined() as device:
        read_rows(data)  # what cannot be read is said before the work, not after
        state = start(recipe, pretrained=recipe.pretrained and not resume, device=device)
        if resume:
            state.load(out / "last.pt")
        elif (out / "last.pt").exists():
            raise OutputError(f"{out} holds a run already; go on with it by --resume, or choose another folder")
        elif weights is not None:
            state.begin_with(model.grow(model.load(weights), recipe.model))
        training, held_out = (read_sources(data, recipe, device, held_out=side) for side in (False, True))
        if processes.rank() > 0:
            train(recipe, training, state, None, lambda *_: None, workers=_workers(), minutes=minutes)
            return
        out.mkdir(parents=True, exist_ok=True)
        (out / "recipe.json").write_text(to_json(recipe))
        with Recorder(out, recipe, state.network.cascade.names, state.step) as recorder:

            def report(state: State, losses: dict[str, Tensor]) -> None:
                recorder.step(state.step, losses)
                if is_milestone(recipe, state.step):
                    validation = validate(state.averaged, held_out)
                    recorder.validated(state.step, validation)
                    _keep(state.averaged, out)
                    if validation.score < state.best:
                        state.best = validation.score
                        _keep(state.averaged, out / "best")

            train(recipe, training, state, out / "last.pt", report, workers=_workers(), minutes=minutes)
            _keep(state.averaged, out)


def read_sources(data: Path, recipe: Recipe, device: torch.device, *, held_out: bool) -> Sources:
    """All that composites are made of, or what of it is held out, on a device. Raises ImageFileError."""
    photos = read_photos(data, held_out=held_out, channels=recipe.model.channels).to(device)
    scenes = read_scenes(data, held_out=held_out)
    describe = things(device) if recipe.likeness == "things" else mean_colour
    return Sources(photos, compare(photos, describe), scenes.to(device) if scenes else None)


def _resumed(out: Path) -> Recipe:
    try:
        return from_json((out / "recipe.json").read_text())
    except OSError as error:
        raise CheckpointError(f"{out} holds no run to resume ({error}); start one without --resume") from error


def _keep(network: Network, folder: Path) -> None:
    """Write the network beside and rename: a killed run leaves whole files."""
    part = folder / "part"
    part.mkdir(parents=True, exist_ok=True)
    model.save(network, part)
    for file in part.iterdir():
        file.replace(folder / file.name)
    part.rmdir()


def _workers() -> int:
    """One thread for each core but one, which drives the training; at most four, on machines with many."""
    local = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    return max(1, min(4, (os.cpu_count() or 1) // local - 1))
