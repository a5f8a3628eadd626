"""Lines on stderr."""

from __future__ import annotations

import os

import typer


def print_line(kind: str, message: object) -> None:
    """Print one line, however many the message has: `kind: message`. If it cannot be printed, the work goes on."""
    try:
        typer.echo(f"{kind}: {' '.join(str(message).split())}", err=True)
    except OSError:  # a full disk; what waits in the buffer must not fail again at the end
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 2)
        os.close(null)
