"""The commands that measure: learners on composites, and this machine."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harmonizer.engines import EngineName

if TYPE_CHECKING:
    from rich.table import Table


class Size(StrEnum):
    """At how many pixels pictures are evaluated."""

    small = "256"
    full = "full"


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
    from harmonizer import atomic
    from harmonizer.evaluation import evaluate as evaluation
    from harmonizer.evaluation.learners import open_learner
    from harmonizer.evaluation.samples import read_samples, resize

    if json:
        atomic.check_place(json)  # before the work, not after
    learners = {name: open_learner(name, weights) for name in learner or ["cascade"]}
    samples = read_samples(data, layout)
    if size is Size.small:
        samples = (resize(sample, 256) for sample in samples)
    evaluations = list(evaluation.evaluate(learners, samples))
    if json:
        evaluation.write_report(json, evaluations, layout=layout, size=size.value)
    _print(evaluation.table(evaluations))


def bench(
    size: Annotated[str, typer.Option(metavar="WIDTHxHEIGHT", help="Of the frames.")] = "1920x1080",
    frames: Annotated[int, typer.Option(min=1, help="How many are timed with each mask.")] = 100,
    weights: Annotated[Path | None, typer.Option(help="A checkpoint folder instead of the one shipped.")] = None,
    engine: Annotated[EngineName, typer.Option(help="What runs the network.")] = EngineName.onnxruntime,
) -> None:
    """Time this machine: frames of 8 bits through network and filters, and where the milliseconds go."""
    from harmonizer.evaluation import bench as benchmark
    from harmonizer.pipeline import Harmonizer
    from harmonizer.video.raw import parse_size

    shape = parse_size(size)
    harmonizer = Harmonizer.load(weights, engine)
    times = {
        name: benchmark.time_frames(harmonizer, benchmark.picture(shape), mask, frames)
        for name, mask in benchmark.masks(shape).items()
    }
    _print(benchmark.table(times))


def _print(table: Table) -> None:
    from rich.console import Console

    Console().print(table)
