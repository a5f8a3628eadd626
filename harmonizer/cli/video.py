"""The command `harmonizer video`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harmonizer.cli.streams import report
from harmonizer.errors import HarmonizerError
from harmonizer.video import CodecName

if TYPE_CHECKING:
    from rich.progress import Progress


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
    set: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=THETA",
            help="Fix theta of a filter, in [-1, 1], for the whole video. Repeat it for each filter.",
        ),
    ] = None,
    theta_out: Annotated[Path | None, typer.Option(help="Also write theta of every frame, as JSON lines.")] = None,
    theta_in: Annotated[Path | None, typer.Option(help="Take theta from such a file, without the network.")] = None,
    lut: Annotated[
        Path | None,
        typer.Option(help="Also write the filters as a 3-D LUT, .cube; with shot changes, one for each shot."),
    ] = None,
    delta: Annotated[Path | None, typer.Option(help="Also write 0.5 + (after - before) / 2, a silent video.")] = None,
    mask_out: Annotated[
        Path | None, typer.Option("--mask-out", help="Also write the mask that was used, a silent video.")
    ] = None,
    weights: Annotated[Path | None, typer.Option(help="A checkpoint folder instead of the one shipped.")] = None,
) -> None:
    """Harmonize the foreground of a video; needs the extra `video`.

    Frame times, sound, subtitles, chapters, colour coding and bit depth stay
    where the output can hold them; one line names what it cannot. All files
    appear together when they are complete, or none does.
    """
    from harmonizer.edits import parse_settings

    try:
        from harmonizer.video import grading, luts, pipeline
        from harmonizer.video.outputs import Outputs
    except ImportError as error:
        raise HarmonizerError(f"this needs {error.name}; pip install 'whitebox-harmonizer[video]'") from error
    if alpha is not None and not 0 < alpha <= 1:
        raise HarmonizerError(f"--alpha lies in (0, 1], where 1 does not smooth; got {alpha}")
    if theta_in and (weights or alpha is not None):
        raise HarmonizerError("--theta-in decides instead of the network; leave --alpha and --weights out")
    outputs = Outputs(output, codec, quality, theta_out, lut, delta, mask_out)
    outputs.check(composite, mask, background, theta_in)
    changes = parse_settings(set or [])
    with _watched(output.name) as show_progress:
        chosen = grading.from_timeline(theta_in) if theta_in else grading.from_network(weights, alpha)
        if changes:
            chosen = grading.with_fixed_theta(chosen, changes)
        start = time.perf_counter()
        done, shots = pipeline.harmonize_video(
            composite, outputs, chosen, mask=mask, background=background, report=show_progress
        )
    seconds = time.perf_counter() - start
    report(f"{output}: {done} frames in {seconds:.1f} s, {done / seconds:.1f} a second")
    if lut and shots > 1:
        report(f"{luts.shot_path(lut, 1)} to {luts.shot_path(lut, shots).name}: a LUT for each of {shots} shots")


@contextmanager
def _watched(name: str) -> Iterator[Callable[[int, int | None], None]]:
    """Show the progress that is reported; KeyboardInterrupt tells how far it came."""
    with _progress() as progress:
        task = progress.add_task(name, total=None)
        try:
            yield lambda count, total: progress.update(task, completed=count, total=total)
        except KeyboardInterrupt:
            done = int(progress.tasks[task].completed)
            raise KeyboardInterrupt(f"stopped by Ctrl-C after {done} frames; nothing was written") from None


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
