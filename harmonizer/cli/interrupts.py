"""Ctrl-C at any moment: one line on stderr and exit code 130."""

from __future__ import annotations

import sys
from typing import NoReturn

EXIT_CODE = 130  # as shells report what Ctrl-C ended


def find_interrupt(error: BaseException | None) -> KeyboardInterrupt | None:
    """The KeyboardInterrupt that caused an error, if any: some libraries raise other errors in its place."""
    while error:
        if isinstance(error, KeyboardInterrupt):
            return error
        error = error.__cause__ or error.__context__
    return None


def exit_interrupted(stop: KeyboardInterrupt) -> NoReturn:
    """End the process with the message of `stop`, or with a general one."""
    if sys.stderr:  # None if it is closed
        sys.stderr.write(f"error: {stop if stop.args else 'stopped by Ctrl-C'}\n")
    sys.exit(EXIT_CODE)
