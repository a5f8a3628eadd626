"""Standard output and standard error as they come: closed, full, or of an encoding that lacks characters."""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import TYPE_CHECKING

from harmonizer.cli.lines import STDERR, STDOUT, abandon, print_line

if TYPE_CHECKING:
    from rich.table import Table


def prepare() -> None:
    """Make sure that nothing printed can fail for its characters, nor end up in a file of the user's.

    A closed stream keeps its number, by the null device: else the next file that is opened would get it, and with it
    whatever a library prints. `sys.stdout` or `sys.stderr` is None then.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def report(what: Table | str, *, to_stderr: bool = False) -> None:
    """Print what a command has done. If it cannot be printed the work is done all the same: a warning at most."""
    from rich.console import Console

    stream, console = sys.stderr if to_stderr else sys.stdout, Console(stderr=to_stderr)
    if stream is None:
        return
    try:
        with console.capture() as capture:
            console.print(what, highlight=False, markup=False, soft_wrap=isinstance(what, str))
        stream.write(capture.get())  # not by the console, which ends the process where a pipe is closed
        stream.flush()
    except OSError as error:
        abandon(STDERR if to_stderr else STDOUT)
        if error.errno != errno.EPIPE:  # whoever closed a pipe has read enough
            print_line("warning", f"the work is done, but cannot be reported: {error.strerror}")
