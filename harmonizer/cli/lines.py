"""Lines on stderr."""

from __future__ import annotations

import typer


def print_line(kind: str, message: object) -> None:
    """Print one line, however many the message has: `kind: message`."""
    typer.echo(f"{kind}: {' '.join(str(message).split())}", err=True)
