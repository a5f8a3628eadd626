"""Ctrl-C at any moment: one line on stderr and exit code 130."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import NoReturn

EXIT_CODE = 130  # as shells report what Ctrl-C ended


def find_interrupt(error: BaseException | None) -> KeyboardInterrupt | None:
    """The KeyboardInterrupt that caused an error, if any: some libraries raise other errors in its place."""
    return next((each for each in causes(error) if isinstance(each, KeyboardInterrupt)), None)


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error, what caused it, and so on; each once, for an error that is raised again can be among its own causes."""
    seen: set[int] = set()
    while error and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def exit_interrupted(stop: KeyboardInterrupt) -> NoReturn:
    """End the process with the message of `stop`, or with a general one."""
    if sys.stderr:  # None if it is closed
        sys.stderr.write(f"error: {stop if stop.args else 'stopped by Ctrl-C'}\n")
    sys.exit(EXIT_CODE)
