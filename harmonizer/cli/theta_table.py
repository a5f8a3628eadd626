"""Theta as a table that a person can read."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

import whitebox_filters as wf

if TYPE_CHECKING:
    from rich.table import Table

UNCHANGED_BELOW = 0.005  # what the table prints as 0.00
BAR_HALF = 10  # characters on each side of 0


def print_theta(theta: Mapping[str, float], *, to_stderr: bool = False) -> None:
    """Print every filter with its theta in [-1, 1], a bar from 0, and its effect in a word."""
    from harmonizer.cli.streams import report

    stream = sys.stderr if to_stderr else sys.stdout
    report(_table(theta, (stream and stream.encoding) or "ascii"), to_stderr=to_stderr)


def effect(name: str, value: float) -> str:
    """What filter `name` does at that theta, in a word or two. Raises whitebox_filters.UnknownFilterError."""
    if abs(value) < UNCHANGED_BELOW:
        return "unchanged"
    below, above = wf.get(name).words
    return above if value > 0 else below


def bar(value: float, encoding: str = "utf-8") -> str:
    """A bar from 0, in the middle, towards -1 on the left or 1 on the right; in ASCII if `encoding` has no blocks."""
    block, middle = "█", "│"
    try:
        (block + middle).encode(encoding)
    except (UnicodeEncodeError, LookupError):
        block, middle = "#", "|"
    filled = block * round(abs(value) * BAR_HALF)
    left, right = (filled, "") if value < 0 else ("", filled)
    return f"{left:>{BAR_HALF}}{middle}{right:<{BAR_HALF}}"


def _table(theta: Mapping[str, float], encoding: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("filter")
    table.add_column("theta", justify="right")
    table.add_column("-1" + "0".center(2 * BAR_HALF - 3) + "+1", no_wrap=True)
    table.add_column("effect")
    for name, value in theta.items():
        table.add_row(name, f"{value:+.2f}", bar(value, encoding), effect(name, value))
    return table
