"""A training run from a folder of photographs to a checkpoint directory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from harmonizer import atomic
from harmonizer.errors import CheckpointError, OutputError, RecipeError
from harmonizer.files import locks
from harmonizer.learning import distributed
from harmonizer.learning.composites.sources.photos import read_rows
from harmonizer.learning.composites.sources.sources import Sources, read_sources
from harmonizer.learning.network.checkpoint import grow, load, save
from harmonizer.learning.recipes import RECIPES, Recipe, from_json, read_priors, to_json
from harmonizer.learning.record import Recorder
from harmonizer.learning.train import State, is_milestone, start, train
from harmonizer.learning.validate import validate


def goes_on_by_itself(out: Path) -> bool:
    """Whether torchrun started the run in `out` again, and a checkpoint is there to go on from."""
    return distributed.was_restarted() and (out / "last.pt").exists()


def plan(
    out: Path,
    recipe: str | None,
    encoder: str | None,
    steps: int | None,
    seed: int | None,
    weights: Path | None = None,
    priors: Path | None = None,
    *,
    resume: bool,
) -> Recipe:
    """The recipe of a name, or of a JSON file, with the changes that the other arguments ask for.

    `weights`, a checkpoint folder to start from, decides the network; its input size becomes the recipe's last size,
    and dropout is the recipe's. `priors` is a file for `recipes.read_priors`. With `resume` it is the recipe of the run
    in `out`.
    Raises RecipeError, CheckpointError.
    """
    if resume:
        if any(option is not None for option in (recipe, encoder, steps, seed, weights, priors)):
            raise RecipeError(f"the run in {out} continues by its own recipe; give nothing else with --resume")
        return _read_recipe_of_run(out)
    plan = _read_recipe(recipe or "default")
    if weights is not None:
        if encoder is not None:
            raise RecipeError(f"the encoder is that of the weights in {weights}; give --from or --encoder, not both")
        plan = _continue_from(weights, plan)
    elif encoder is not None:
        plan = replace(plan, network=replace(plan.network, encoder=encoder))
    return replace(
        plan,
        steps=plan.steps if steps is None else steps,
        seed=plan.seed if seed is None else seed,
        priors=plan.priors if priors is None else read_priors(priors),
    )


def run(
    recipe: Recipe, data: Path, out: Path, weights: Path | None = None, *, resume: bool, minutes: float | None = None
) -> None:
    """Train on `data`, from the checkpoint in `weights` if there is one, and write the files of the run into `out`.

    At the start: `recipe.json`. All along: `log.jsonl` and `tensorboard/`. At every milestone: `config.json` and
    `model.safetensors` (the averaged weights), the best of them by validation in `best/`, and `last.pt`, from which
    `resume` continues by the same recipe. After so many `minutes`, counted from the first step, the run stops with all
    of these written.
    Raises ImageFileError, CheckpointError, RecipeError, OutputError.
    """
    with distributed.process_group() as device:
        read_rows(data)  # an error about the data comes before the work
        state = start(recipe, pretrained=recipe.pretrained and not resume, device=device)
        _check_folder(out, resume=resume)
        if resume:
            state.load(out / "last.pt")
        elif weights is not None:
            state.load_weights(grow(load(weights), recipe.network))
        training, held_out = (_read_sources(data, recipe, device, held_out=side) for side in (False, True))
        if distributed.rank() > 0:
            train(recipe, training, state, None, lambda *_: None, workers=_workers(), minutes=minutes)
            return
        for folder in (out, out / "best"):
            _make_folder(folder)
        with _alone(out), Recorder(out, recipe, state.network.cascade.names, state.step) as recorder:
            _check_folder(out, resume=resume)  # another process may have been quicker
            atomic.write_file(out / "recipe.json", to_json(recipe).encode())

            def report(state: State, losses: dict[str, Tensor]) -> None:
                recorder.step(state.step, losses)
                if is_milestone(recipe, state.step):
                    validation = validate(state.averaged, held_out)
                    recorder.validated(state.step, validation)
                    save(state.averaged, out)
                    if validation.score < state.best:
                        state.best = validation.score
                        save(state.averaged, out / "best")

            train(recipe, training, state, out / "last.pt", report, workers=_workers(), minutes=minutes)
            save(state.averaged, out)


def _read_recipe(name: str) -> Recipe:
    try:
        return RECIPES[name] if name in RECIPES else from_json(Path(name).read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it holds no text"
        raise RecipeError(
            f"{name!r} is neither a recipe ({', '.join(RECIPES)}) nor a readable JSON file ({reason})"
        ) from error


def _read_recipe_of_run(out: Path) -> Recipe:
    try:
        return from_json((out / "recipe.json").read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise CheckpointError(f"{out} holds no run to resume ({error}); start one without --resume") from error


def _continue_from(weights: Path, recipe: Recipe) -> Recipe:
    """The recipe with the network of a checkpoint, which grows by the last stage and the filters of the recipe."""
    config, network = load(weights).config, recipe.network
    grows = network.last_stage and config.pooling == network.pooling and config.histograms
    names = tuple(config.filters)
    config = replace(
        config,
        filters=network.filters if tuple(network.filters[: len(names)]) == names else names,
        last_stage=config.last_stage or grows,
        dropout=network.dropout,
        input_size=recipe.sizes[-1][1],
    )
    return replace(recipe, network=config, pretrained=False)


def _read_sources(data: Path, recipe: Recipe, device: torch.device, *, held_out: bool) -> Sources:
    channels, similarity = recipe.network.channels, recipe.similarity
    return read_sources(data, device, held_out=held_out, channels=channels, similarity=similarity)


def _check_folder(out: Path, *, resume: bool) -> None:
    """Raise OutputError for a new run where there is one, CheckpointError to resume where there is none."""
    is_there = (out / "last.pt").exists()
    if is_there and not resume:
        raise OutputError(f"{out} holds a run already; continue it with --resume, or choose another folder")
    if resume and not is_there:
        raise CheckpointError(f"{out} has no checkpoint: the run ended before its first; start it without --resume")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} cannot be made: {error.strerror}; choose another folder") from error


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    """Nobody else writes to the run meanwhile. Raises OutputError."""
    with ExitStack() as stack:
        try:
            stack.enter_context(locks.holding(out / "lock"))
        except locks.HeldError:
            raise OutputError(
                f"another process trains into {out}; wait for its end, or choose another folder"
            ) from None
        except OSError as error:
            raise OutputError(f"{out} cannot be written to: {error.strerror}; choose another folder") from error
        yield


def _workers() -> int:
    """One thread for each core but one, which drives the training; at most four, on machines with many cores."""
    local = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    return max(1, min(4, (os.cpu_count() or 1) // local - 1))
