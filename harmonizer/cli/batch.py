"""The command that harmonizes many pictures."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from harmonizer.batch.names import Engine, Progress

if TYPE_CHECKING:
    from harmonizer.batch.run import Counts

EXIT_SOME_FAILED = 1


def batch(
    inputs: Annotated[
        str | None,
        typer.Argument(
            metavar="INPUTS", help="A folder, or a manifest: .csv, .jsonl or .parquet. Or a URL.", show_default=False
        ),
    ] = None,
    outputs: Annotated[
        str | None, typer.Option("--output", "-o", metavar="OUTPUTS", help="The folder to write to. Or a URL.")
    ] = None,
    background: Annotated[
        str | None, typer.Option(help="What cut-outs without a background of their own are pasted onto.")
    ] = None,
    set: Annotated[
        list[str] | None, typer.Option(metavar="NAME=THETA", help="Another theta for a filter, in [-1, 1].")
    ] = None,
    theta: Annotated[
        Path | None, typer.Option(metavar="EDIT", help="An edit whose theta all pictures get, without the network.")
    ] = None,
    edit: Annotated[bool, typer.Option("--edit", help="Also write the edit beside each picture.")] = False,
    lut: Annotated[bool, typer.Option("--lut", help="Also write the filters beside each picture, as .cube.")] = False,
    report: Annotated[
        str | None, typer.Option(help="Where the report goes, .parquet or .csv.", show_default="OUTPUTS/report.parquet")
    ] = None,
    summary: Annotated[
        str | None, typer.Option(metavar="REPORT", help="Print what a report says, and do nothing else.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes, or actors of Ray, each with its cores.")] = 1,
    engine: Annotated[Engine, typer.Option(help="What does the work.")] = Engine.local,
    address: Annotated[str | None, typer.Option(help="Of a Ray cluster, or auto.", show_default="start one")] = None,
    progress: Annotated[Progress, typer.Option(help="A bar, or a line of JSON a second, on stderr.")] = Progress.bar,
    weights: Annotated[Path | None, typer.Option(help="A checkpoint folder instead of the one shipped.")] = None,
) -> None:
    """Harmonize many pictures: a folder or a manifest in, pictures and a report out. Needs the extra `batch`.

    In a folder, x.jpg belongs to x_mask.png, or is a cut-out that is pasted
    onto x_background.jpg or --background. A manifest has the columns image and
    mask or background, and may have output, theta and edit. A run that was
    stopped goes on where it was. Pictures that cannot be done are in the
    report; the exit code is then 1.
    """
    from harmonizer.errors import BatchError, HarmonizerError

    # Arrow's own allocator takes a gigabyte of addresses at once, which a limit of memory may not allow.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    try:
        from harmonizer.batch import report as reports
        from harmonizer.batch import run, storage
        from harmonizer.batch.worker import Settings
    except ImportError as error:
        raise HarmonizerError(f"this needs {error.name}; pip install 'whitebox-harmonizer[batch]'") from error
    if summary is not None:
        typer.echo(reports.summarize(reports.read(summary)))
        return
    if inputs is None or outputs is None:
        raise BatchError("name INPUTS, and with -o the folder of the outputs; or --summary REPORT")
    from harmonizer import edits
    from harmonizer.cli.batch_progress import Shown

    settings = Settings(
        weights=None if weights is None else str(weights),
        theta=tuple(edits.parse_settings(set or []).items()),
        edit=None if theta is None else edits.dumps(edits.read(theta)),
        write_edit=edit,
        write_lut=lut,
    )
    place = report or storage.join(outputs, "report.parquet")
    job = run.Batch(inputs, outputs, place, settings, background, engine, workers, address)
    signal.signal(signal.SIGTERM, _stop)
    with Shown(progress, run.count(job)) as shown:
        try:
            counts = run.run(job, shown.update)
        except KeyboardInterrupt as stop:
            raise KeyboardInterrupt("stopped; the same command goes on from here") from stop
    _tell(counts, place)
    if counts.failed:
        raise typer.Exit(EXIT_SOME_FAILED)


def _stop(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _tell(counts: Counts, place: str) -> None:
    before = f", {counts.skipped} were done before" * (counts.skipped > 0)
    failed = f", {counts.failed} failed" * (counts.failed > 0)
    typer.echo(f"{counts.done} pictures done{before}{failed}; {place} says what became of each")
