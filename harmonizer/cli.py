"""The command line: arguments in, files and a table out."""

from __future__ import annotations

import logging
import sys
import warnings
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated

import typer

from harmonizer import cli_run, interrupts
from harmonizer.cli_video import video
from harmonizer.engines import EngineName

if TYPE_CHECKING:
    from rich.table import Table


class Size(StrEnum):
    """At how many pixels pictures are evaluated."""

    small = "256"
    full = "full"


app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Make a composite look as if it had been taken in one shot.",
)


def _print_version(value: bool) -> None:
    if value:
        from importlib.metadata import version

        typer.echo(f"harmonizer {version('harmonizer')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


app.command()(cli_run.run)
app.command()(cli_run.apply)
app.command()(cli_run.pipe)


@app.command()
def evaluate(
    data: Annotated[Path, typer.Option(help="The folder of composites and their real pictures.")],
    layout: Annotated[
        str,
        typer.Option(
            help="iharmony4; triples (NAME_composite, _mask, _real); of what training holds out photos (Eq. 8), "
            "transfers, scenes."
        ),
    ] = "iharmony4",
    size: Annotated[
        Size, typer.Option(help="Squash to 256 x 256 as Table 1 of the paper, or leave as they are.")
    ] = Size.full,
    learner: Annotated[
        list[str] | None,
        typer.Option(help="Again for each; cascade if none. NAME+pcm: at 256, brought to full size by a colour map."),
    ] = None,
    weights: Annotated[Path | None, typer.Option(help="A checkpoint folder instead of the one shipped.")] = None,
    json: Annotated[Path | None, typer.Option(help="Also write every picture's scores and theta there.")] = None,
) -> None:
    """Score learners on composites whose real picture is known: MSE, fMSE, PSNR, SSIM on the scale 0-255.

    Learners: cascade, multihead (the network of a checkpoint), statistics
    (no network), oracle (knows the truth; needs torch), and the baselines
    composite, reinhard and mkl.
    """
    from harmonizer import evaluate as evaluation
    from harmonizer import io
    from harmonizer.learners import open_learner
    from harmonizer.samples import read_samples, resize

    if json:
        io.check_place(json)  # before the work, not after
    learners = {name: open_learner(name, weights) for name in learner or ["cascade"]}
    samples = read_samples(data, layout)
    if size is Size.small:
        samples = (resize(sample, 256) for sample in samples)
    evaluations = list(evaluation.evaluate(learners, samples))
    if json:
        evaluation.write_report(json, evaluations, layout=layout, size=size.value)
    _print(evaluation.table(evaluations))


@app.command()
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
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in OUTPUT by its own recipe.")] = False,
    minutes: Annotated[
        float | None, typer.Option(min=0.01, help="Stop after so long, at a checkpoint for --resume.")
    ] = None,
) -> None:
    """Train a network on photographs with masks; needs the extra `train`.

    Start it with torchrun to train in several processes.
    """
    learning = _import_learning("run")
    chosen = learning.plan(output, recipe, encoder, steps, seed, weights, resume=resume)
    learning.run(chosen, photos, output, weights, resume=resume, minutes=minutes)


@app.command()
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


@app.command()
def export(
    checkpoint: Annotated[Path, typer.Argument(help="The folder of a run, or another with model.safetensors.")],
    output: Annotated[Path, typer.Argument(help="A folder for config.json, model.safetensors and model.onnx.")],
) -> None:
    """Turn a trained network into a checkpoint folder that runs without torch; needs the extra `train`."""
    _import_learning("export").export(checkpoint, output)


@app.command()
def convert(
    released: Annotated[Path, typer.Argument(help="The authors' harmonizer.pth.")],
    output: Annotated[Path, typer.Argument(help="A folder for config.json, model.safetensors and model.onnx.")],
) -> None:
    """Turn the authors' released checkpoint into one of ours; needs the extra `train`. Its licence stays theirs."""
    conversion = _import_learning("convert")
    _import_learning("export").write(conversion.convert(released), output)
    _print_line("note", conversion.LICENSE_NOTE)


app.command()(video)


@app.command()
def bench(
    size: Annotated[str, typer.Option(metavar="WIDTHxHEIGHT", help="Of the frames.")] = "1920x1080",
    frames: Annotated[int, typer.Option(min=1, help="How many are timed with each mask.")] = 100,
    weights: Annotated[Path | None, typer.Option(help="A checkpoint folder instead of the one shipped.")] = None,
    engine: Annotated[EngineName, typer.Option(help="What runs the network.")] = EngineName.onnxruntime,
) -> None:
    """Time this machine: frames of 8 bits through network and filters, and where the milliseconds go."""
    from harmonizer import bench as benchmark
    from harmonizer.pipeline import Harmonizer
    from harmonizer.pipes import parse_size

    shape = parse_size(size)
    harmonizer = Harmonizer.load(weights, engine)
    times = {
        name: benchmark.time_frames(harmonizer, benchmark.picture(shape), mask, frames)
        for name, mask in benchmark.masks(shape).items()
    }
    _print(benchmark.table(times))


def _import_learning(module: str) -> ModuleType:
    from harmonizer.errors import HarmonizerError

    try:
        return import_module(f"harmonizer.learning.{module}")
    except ImportError as error:
        raise HarmonizerError(f"this needs {error.name}; install it with pip install 'harmonizer[train]'") from error


def _print(table: Table) -> None:
    from rich.console import Console

    Console().print(table)


def _print_line(kind: str, message: object) -> None:
    typer.echo(f"{kind}: {' '.join(str(message).split())}", err=True)


def main() -> None:
    """Run the command line; an error that the user can mend becomes one line on stderr and exit code 2.

    So does Ctrl-C, with exit code 130.
    """
    # What tifffile finds wrong in a damaged file is in the error, once.
    logging.getLogger("tifffile").setLevel(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = lambda message, *_, **__: _print_line("warning", message)
        try:
            app()
        except BaseException as error:
            if stop := interrupts.behind(error):
                interrupts.leave(stop)
            from harmonizer.errors import HarmonizerError
            from whitebox_filters import FilterError

            if not isinstance(error, HarmonizerError | FilterError):
                raise
            _print_line("error", error)
            sys.exit(2)
