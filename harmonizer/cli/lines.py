"""Lines on stderr."""

from __future__ import annotations

import os

import typer

STDOUT, STDERR = 1, 2


def print_line(kind: str, message: object) -> None:
    """Print one line, however many the message has: `kind: message`. If it cannot be printed, the work goes on."""
    try:
        typer.echo(f"{kind}: {' '.join(str(message).split())}", err=True)
    except OSError:  # a full disk
        abandon(STDERR)


def abandon(descriptor: int) -> None:
    """Send what is still to be printed on a stream to the null device, or the interpreter fails at its end."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, descriptor)
    os.close(null)
