"""The command line as a whole: all commands, their warnings and their errors."""

from __future__ import annotations

import logging
import sys
import warnings
from typing import Annotated

import typer

from harmonizer.cli import batch, evaluation, interrupts, learning, memory, pictures, serve, streams, study, video
from harmonizer.cli.lines import STDOUT, abandon, print_line

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Make a composite look as if it had been taken in one shot.",
)


def _print_version(value: bool) -> None:
    if value:
        from importlib.metadata import version

        typer.echo(f"harmonizer {version('whitebox-harmonizer')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


COMMANDS = (
    pictures.run,
    pictures.apply,
    pictures.pipe,
    evaluation.evaluate,
    learning.train,
    learning.ablate,
    learning.export,
    learning.convert,
    video.video,
    evaluation.bench,
    serve.serve,
    study.studio,
    batch.batch,
)
"""In the order in which `--help` lists them."""

for _command in COMMANDS:
    app.command()(_command)
app.add_typer(study.study, name="study")


def main() -> None:
    """Run the command line; an error that the user can mend becomes one line on stderr and exit code 2.

    So does Ctrl-C, with exit code 130.
    """
    streams.prepare()
    # What tifffile finds wrong in a damaged file is in the error, once.
    logging.getLogger("tifffile").setLevel(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = lambda message, *_, **__: print_line("warning", message)
        try:
            app()
        except BaseException as error:
            if isinstance(error, SystemExit) and not error.code:
                raise
            if stop := interrupts.find_interrupt(error):
                interrupts.exit_interrupted(stop)
            if memory.find_lack(error):
                memory.exit_lacking()
            from harmonizer.errors import HarmonizerError
            from whitebox_filters import FilterError

            if not isinstance(error, HarmonizerError | FilterError | OSError):
                raise
            if isinstance(error, OSError):
                abandon(STDOUT)  # standard output may be what failed
            print_line("error", error)
            sys.exit(2)
