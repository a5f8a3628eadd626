"""Ctrl-C, at whatever moment: one line on stderr and exit code 130."""

from __future__ import annotations

import sys
from typing import NoReturn

EXIT_CODE = 130  # as shells report what Ctrl-C ended


def find_interrupt(error: BaseException | None) -> KeyboardInterrupt | None:
    """The interruption that led to an error: libraries turn it into others, the command line's into SystemExit."""
    while error:
        if isinstance(error, KeyboardInterrupt):
            return error
        error = error.__cause__ or error.__context__
    return None


def exit_interrupted(stop: KeyboardInterrupt) -> NoReturn:
    """End the process with what `stop` says, or with the least that can be said."""
    sys.stderr.write(f"error: {stop if stop.args else 'stopped by Ctrl-C'}\n")
    sys.exit(EXIT_CODE)
