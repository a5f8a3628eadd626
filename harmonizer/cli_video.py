"""The command `harmonizer video`."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harmonizer.errors import HarmonizerError
from harmonizer.video import CodecName

if TYPE_CHECKING:
    from rich.progress import Progress

INTERRUPTED = 130  # as shells report what Ctrl-C ended


def video(
    composite: Annotated[
        Path, typer.Argument(metavar="COMPOSITE", help="The composite; with --background, the foreground.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The video to write: .mp4, .mov, .mkv or .webm.")],
    mask: Annotated[
        Path | None,
        typer.Argument(
            metavar="MASK",
            help="A video, a folder of pictures, or one picture for all frames; else COMPOSITE's alpha.",
        ),
    ] = None,
    background: Annotated[Path | None, typer.Option(help="A video or picture to paste COMPOSITE onto first.")] = None,
    codec: Annotated[CodecName, typer.Option(help="What to encode with.")] = CodecName.h264,
    quality: Annotated[
        int | None, typer.Option(help="Constant quality on the codec's own scale, 0 is best.", show_default="by codec")
    ] = None,
    alpha: Annotated[
        float | None,
        typer.Option(
            help="Smooth theta by an average over time with this weight on the current frame; 1 does not smooth.",
            show_default="the One Euro filter",
        ),
    ] = None,
    theta_out: Annotated[Path | None, typer.Option(help="Also write theta of every frame, as JSON lines.")] = None,
    theta_in: Annotated[Path | None, typer.Option(help="Take theta from such a file, without the network.")] = None,
    weights: Annotated[Path | None, typer.Option(help="A checkpoint folder instead of the one shipped.")] = None,
) -> None:
    """Harmonize the foreground of a video; needs the extra `video`.

    Frame times, sound, colour coding and bit depth stay as they are.
    """
    try:
        from harmonizer.video import pipeline, timeline, writer
    except ImportError as error:
        raise HarmonizerError(f"this needs {error.name}; install it with pip install 'harmonizer[video]'") from error
    from harmonizer.pipeline import Harmonizer
    from harmonizer.video.smoothing import Smoother, ema, one_euro

    writer.check_output(output)
    if alpha is not None and not 0 < alpha <= 1:
        raise HarmonizerError(f"--alpha lies in (0, 1], where 1 does not smooth; got {alpha}")
    record = None
    if theta_in:
        if theta_out or weights or alpha is not None:
            raise HarmonizerError("--theta-in decides alone; leave --theta-out, --alpha and --weights out")
        edited = timeline.read_timeline(theta_in)
        cascade, decide = edited.cascade, edited.recall
    else:
        harmonizer = Harmonizer.load(weights)
        smooth: Smoother = one_euro if alpha is None else partial(ema, alpha=alpha)
        cascade = harmonizer.cascade
        decide = partial(pipeline.predict, predictor=harmonizer.predictor, smooth=smooth)
        if theta_out:
            record = timeline.TimelineWriter(
                theta_out, cascade, "One Euro" if alpha is None else f"EMA, alpha {alpha:g} on the current frame"
            )
    start = time.perf_counter()
    with _progress() as progress:
        task = progress.add_task(output.name, total=None)
        try:
            done = pipeline.harmonize_video(
                composite,
                output,
                cascade=cascade,
                decide=decide,
                mask=mask,
                background=background,
                codec=codec,
                quality=quality,
                timeline=record,
                report=lambda count, total: progress.update(task, completed=count, total=total),
            )
        except KeyboardInterrupt:
            progress.stop()
            done = int(progress.tasks[task].completed)
            typer.echo(f"error: stopped by Ctrl-C after {done} frames; {output} was not written", err=True)
            raise typer.Exit(INTERRUPTED) from None
    seconds = time.perf_counter() - start
    typer.echo(f"{output}: {done} frames in {seconds:.1f} s, {done / seconds:.1f} a second")


def _progress() -> Progress:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.finished_speed or task.speed or 0:.1f} fps")

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Rate(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
