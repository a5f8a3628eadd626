"""The commands that train networks and make checkpoints; all need the extra `train`."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer

from harmonizer.cli.lines import print_line


def train(
    photos: Annotated[Path, typer.Argument(help="A folder with index.csv (columns image, mask), or of such folders.")],
    output: Annotated[Path, typer.Argument(help="The folder of the run: recipe, log, checkpoints, weights.")],
    recipe: Annotated[
        str | None,
        typer.Option(help="default, continue, paper, or a file like the recipe.json of a run.", show_default="default"),
    ] = None,
    encoder: Annotated[str | None, typer.Option(help="Any timm model instead of the recipe's.")] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Batches to train on instead of the recipe's.")] = None,
    seed: Annotated[int | None, typer.Option(help="Decides everything that is drawn.")] = None,
    weights: Annotated[
        Path | None,
        typer.Option("--from", metavar="DIR", help="A checkpoint folder whose network is trained on, as it is there."),
    ] = None,
    priors: Annotated[
        Path | None, typer.Option(help="Eq. 9's Gaussians, as `harmonizer study priors -o` writes them.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in OUTPUT by its own recipe.")] = False,
    minutes: Annotated[
        float | None, typer.Option(min=0.01, help="Stop after so long, at a checkpoint for --resume.")
    ] = None,
) -> None:
    """Train a network on photographs with masks; needs the extra `train`.

    Start it with torchrun to train in several processes; with its --max-restarts
    the run goes on from its last checkpoint where a process dies.
    """
    learning = _import_learning("run")
    if learning.goes_on_by_itself(output):
        recipe = encoder = steps = seed = weights = priors = None  # those of the run count
        resume = True
    chosen = learning.plan(output, recipe, encoder, steps, seed, weights, priors, resume=resume)
    learning.run(chosen, photos, output, weights, resume=resume, minutes=minutes)


def ablate(
    photos: Annotated[Path, typer.Argument(help="A folder with index.csv, whose columns are image and mask.")],
    output: Annotated[Path, typer.Argument(help="A folder for runs.jsonl and table.md.")],
    encoder: Annotated[str, typer.Option(help="Any timm model.")] = "tf_efficientnet_lite0",
    pretrained: Annotated[bool, typer.Option(help="Begin with its ImageNet weights.")] = True,
    steps: Annotated[int, typer.Option(min=1, help="Batches of 16 that each variant is trained on.")] = 300,
    size: Annotated[int, typer.Option(min=32, help="Pixels a side.")] = 64,
    seeds: Annotated[int, typer.Option(min=1, help="Times that each variant is trained.")] = 3,
) -> None:
    """Train variants of the method and compare them as the paper's Table 4 does; needs the extra `train`.

    The same command goes on with a table that was interrupted.
    """
    learning = _import_learning("ablation.ablate")
    setting = learning.Setting(encoder=encoder, pretrained=pretrained, steps=steps, size=size)
    table = learning.ablate(photos, output, setting, seeds, typer.echo)
    typer.echo(f"the table is in {table}")


def export(
    checkpoint: Annotated[Path, typer.Argument(help="The folder of a run, or another with model.safetensors.")],
    output: Annotated[Path, typer.Argument(help="A folder for config.json, model.safetensors and model.onnx.")],
) -> None:
    """Turn a trained network into a checkpoint folder that runs without torch; needs the extra `train`."""
    _import_learning("export").export(checkpoint, output)


def convert(
    released: Annotated[Path, typer.Argument(help="The authors' harmonizer.pth.")],
    output: Annotated[Path, typer.Argument(help="A folder for config.json, model.safetensors and model.onnx.")],
) -> None:
    """Turn the authors' released checkpoint into one of ours; needs the extra `train`. Its licence stays theirs."""
    conversion = _import_learning("convert")
    _import_learning("export").write(conversion.convert(released), output)
    print_line("note", conversion.LICENSE_NOTE)


def _import_learning(module: str) -> ModuleType:
    from harmonizer.errors import HarmonizerError

    try:
        return import_module(f"harmonizer.learning.{module}")
    except ImportError as error:
        raise HarmonizerError(f"this needs {error.name}; pip install 'whitebox-harmonizer[train]'") from error
