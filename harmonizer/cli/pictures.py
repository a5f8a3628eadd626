"""The commands that harmonize: arguments in, pictures and a table out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harmonizer.pictures.coding.formats import Format
from harmonizer.video.raw import PixelFormat

if TYPE_CHECKING:
    from harmonizer.pictures.picture import Pixels
    from harmonizer.render import Result


Output = Annotated[
    Path,
    typer.Option("--output", "-o", help="The picture to write: .jpg, .png, .webp, .tif, .avif, .exr; or - for stdout."),
]
Second = Annotated[
    Path | None, typer.Argument(metavar="MASK", help="Its mask: grey, white on the foreground.", show_default=False)
]
Mask = Annotated[Path | None, typer.Option("--mask", help="The mask by name, where it may look like a background.")]
Background = Annotated[Path | None, typer.Option("--background", help="What COMPOSITE, a cut-out, is pasted onto.")]
Set = Annotated[
    list[str] | None, typer.Option(metavar="NAME=THETA", help="Another theta for a filter, in [-1, 1]. Again for each.")
]
Edit = Annotated[Path | None, typer.Option(help="Also write the edit there, as JSON, for `harmonizer apply`.")]
Lut = Annotated[Path | None, typer.Option(help="Also write the filters as a 3-D LUT, .cube, for other programs.")]
Delta = Annotated[Path | None, typer.Option(help="Also write 0.5 + (after - before) / 2, in 16 bits if .png or .tif.")]
MaskOut = Annotated[Path | None, typer.Option("--mask-out", help="Also write the mask that was used.")]
Compare = Annotated[Path | None, typer.Option(help="Also write before and after side by side.")]
StdoutFormat = Annotated[
    Format | None, typer.Option("--format", help="Of the picture that -o - writes.", show_default="png")
]
Weights = Annotated[Path | None, typer.Option(help="A checkpoint folder instead of the one shipped.")]


def run(
    composite: Annotated[
        Path, typer.Argument(metavar="COMPOSITE", help="The composite; or a foreground with an alpha channel.")
    ],
    output: Output,
    second: Second = None,
    mask: Mask = None,
    background: Background = None,
    set: Set = None,
    edit: Edit = None,
    lut: Lut = None,
    delta: Delta = None,
    mask_out: MaskOut = None,
    compare: Compare = None,
    format: StdoutFormat = None,
    weights: Weights = None,
) -> None:
    """Harmonize the foreground of a composite and print what was done to it.

    Takes a composite and its MASK. With --background, COMPOSITE is a cut-out
    that is pasted first: its alpha channel, or MASK, says what of it. Without
    it, where COMPOSITE is a cut-out and MASK a picture in colour, that is the
    background. All are of one size; one may be -, standard input.
    """
    from harmonizer import edits, jobs
    from harmonizer.cli.theta_table import print_theta
    from harmonizer.pictures import files
    from harmonizer.pipeline import Harmonizer

    outputs = files.Outputs(output, format and f".{format}", compare, edit, lut, delta, mask_out)
    changes = edits.parse_settings(set or [])

    def job(image: Pixels, alpha: Pixels) -> tuple[Result, edits.Edit]:
        # Not earlier: a mistake in the names of files is an error at once.
        return jobs.harmonize(Harmonizer.load(weights), image, alpha, changes)

    theta = files.run(files.Inputs(composite, second, mask, background), outputs, job)
    print_theta(theta, to_stderr=str(output) == "-")


def apply(
    edit_file: Annotated[Path, typer.Argument(metavar="EDIT", help="What --edit wrote, as it is or changed.")],
    image: Annotated[Path, typer.Argument(metavar="COMPOSITE", help="As for `harmonizer run`.")],
    output: Output,
    second: Second = None,
    mask: Mask = None,
    background: Background = None,
    set: Set = None,
    edit: Edit = None,
    lut: Lut = None,
    delta: Delta = None,
    mask_out: MaskOut = None,
    compare: Compare = None,
    format: StdoutFormat = None,
) -> None:
    """Render an edit, without the network: bit for bit what `harmonizer run` gave, or what was changed since."""
    from harmonizer import edits, jobs
    from harmonizer.cli.theta_table import print_theta
    from harmonizer.pictures import files

    outputs = files.Outputs(output, format and f".{format}", compare, edit, lut, delta, mask_out)
    changes, saved = edits.parse_settings(set or []), edits.read(edit_file)
    inputs = files.Inputs(image, second, mask, background)
    theta = files.run(inputs, outputs, lambda pixels, alpha: jobs.apply(saved, pixels, alpha, changes))
    print_theta(theta, to_stderr=str(output) == "-")


def pipe(
    size: Annotated[str, typer.Option(metavar="WIDTHxHEIGHT", help="Of the frames.")],
    mask: Annotated[
        Path | None, typer.Argument(metavar="MASK", help="The mask of all frames; none if they have alpha.")
    ] = None,
    pix_fmt: Annotated[PixelFormat, typer.Option("--pix-fmt", help="Of the frames, in and out.")] = PixelFormat.rgb24,
    weights: Weights = None,
) -> None:
    """Harmonize raw frames from standard input to standard output, each by itself, as FFmpeg pipes them.

    ffmpeg -i IN -f rawvideo -pix_fmt rgb24 - | harmonizer pipe MASK --size
    1920x1080 | ffmpeg -f rawvideo -pix_fmt rgb24 -s 1920x1080 -i - OUT
    """
    from harmonizer.pipeline import Harmonizer
    from harmonizer.video import raw

    shape = raw.parse_size(size)
    source, sink = raw.standard_streams()
    raw.harmonize_stream(Harmonizer.load(weights), source, sink, shape, pix_fmt, mask)
