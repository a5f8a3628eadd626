"""How often a cascade must go through a picture, and what for: shared by the compiled backends, and shown to people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from whitebox_filters.spec import Filter

if TYPE_CHECKING:
    from whitebox_filters.cascade import Cascade

PIXEL = 3  # values


@dataclass(frozen=True)
class Pass:
    """Once through the picture."""

    purpose: str  # "count levels", "add up levels", "measure means" or "filter pixels"
    filters: tuple[str, ...]  # what is computed of each pixel on the way
    moved: int  # values read and written a pixel, in units of the picture's type
    gives: tuple[str, ...] = ()  # the filters that wait for what is measured


def passes(cascade: Cascade, *, eight_bits: bool, adding: bool = False) -> list[Pass]:
    """The passes over a picture with a mask, in order.

    A histogram of 8 bits tells every mean of the frame as long as only filters come before that treat each channel
    alone; one that is `adding` up levels goes through them for each mean anew, and is still faster. Behind the first
    other one, and inside a mask, each statistic takes a pass of its own, which computes the filters before it anew.
    """
    filters, counted = cascade.filters, eight_bits and cascade.region == "frame"
    head = head_length(filters)
    waiting = [index for index, filter in enumerate(filters) if filter.statistic is not None]
    names = tuple(filter.name for filter in filters)
    found = []
    early = [index for index in waiting if counted and index <= head]
    if adding:
        found += [Pass("add up levels", (), PIXEL, (names[index],)) for index in early]
    elif early:
        found.append(Pass("count levels", (), PIXEL, tuple(names[index] for index in early)))
    found += [Pass("measure means", names[:i], PIXEL, (names[i],)) for i in waiting if i not in early]
    return [*found, Pass("filter pixels", names, 2 * PIXEL)]


def describe(cascade: Cascade, backend: str, *, adding: bool = False) -> str:
    """The passes for 8 bits and for more, a line each, with the bytes that each moves a pixel."""
    lines = [f"{len(cascade)} filters on {backend}"]
    for title, size in (("8 bits", 1), ("16 bits", 2), ("float32", 4)):
        found = passes(cascade, eight_bits=size == 1, adding=adding)
        total = sum(each.moved for each in found) * size
        lines.append(f"  {title}: {len(found)} passes, {total} bytes a pixel, and 1 for a mask of 8 bits")
        for each in found:
            through = " > ".join(each.filters) or "no filter"
            goal = f" for {', '.join(each.gives)}" if each.gives else ""
            lines.append(f"    {each.purpose}{goal} ({each.moved * size} bytes a pixel): {through}")
    return "\n".join(lines)


class Nature(NamedTuple):
    """How a filter treats the channels of a pixel."""

    separate: bool  # it computes each channel from itself alone
    alike: bool  # and all channels in the same way


def nature(filter: Filter) -> Nature:
    """What the filter declares."""
    return Nature(filter.channels != "mixed", filter.channels == "same")


def head_length(filters: Sequence[Filter]) -> int:
    """How many filters there are before the first that mixes channels."""
    alone = [nature(filter).separate for filter in filters]
    return alone.index(False) if False in alone else len(alone)
