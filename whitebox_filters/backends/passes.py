"""The passes that a cascade makes over a picture: the compiled backends plan by them, and people read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from whitebox_filters.spec import Filter

if TYPE_CHECKING:
    from whitebox_filters.chain import Chain

PIXEL = 3  # values


@dataclass(frozen=True)
class Pass:
    """One pass over the picture."""

    purpose: str  # "count levels", "add up levels", "measure means" or "filter pixels"
    filters: tuple[str, ...]  # the filters that are computed on the way
    moved: int  # values read and written for each pixel
    goals: tuple[str, ...] = ()  # the filters that wait for what is measured


def passes(cascade: Chain, *, eight_bits: bool, by_sums: bool = False) -> list[Pass]:
    """The passes over a picture with a mask, in order.

    In 8 bits, a histogram yields every mean of the frame as long as the filters before it do not mix channels. A
    backend that adds up levels instead, `by_sums`, makes a pass for each mean, and is still faster. Behind a filter
    that mixes channels, and inside a mask, each statistic takes a pass of its own, which computes the filters before it
    again.
    """
    filters, of_frame = cascade.filters, eight_bits and cascade.region == "frame"
    head = head_length(filters)
    measuring = [index for index, filter in enumerate(filters) if filter.statistic is not None]
    names = tuple(filter.name for filter in filters)
    early = [index for index in measuring if of_frame and index <= head]
    result = []
    if by_sums:
        result += [Pass("add up levels", (), PIXEL, (names[index],)) for index in early]
    elif early:
        result.append(Pass("count levels", (), PIXEL, tuple(names[index] for index in early)))
    result += [Pass("measure means", names[:i], PIXEL, (names[i],)) for i in measuring if i not in early]
    return [*result, Pass("filter pixels", names, 2 * PIXEL)]


def describe(cascade: Chain, backend: str, *, by_sums: bool = False) -> str:
    """The passes for 8 bits, 16 bits and float32, a line each, with the bytes that each moves for a pixel."""
    lines = [f"{len(cascade)} filters on {backend}"]
    for title, size in (("8 bits", 1), ("16 bits", 2), ("float32", 4)):
        planned = passes(cascade, eight_bits=size == 1, by_sums=by_sums)
        total = sum(each.moved for each in planned) * size
        lines.append(f"  {title}: {len(planned)} passes, {total} bytes a pixel, and 1 for a mask of 8 bits")
        for each in planned:
            through = " > ".join(each.filters) or "no filter"
            goals = f" for {', '.join(each.goals)}" if each.goals else ""
            lines.append(f"    {each.purpose}{goals} ({each.moved * size} bytes a pixel): {through}")
    return "\n".join(lines)


def head_length(filters: Sequence[Filter]) -> int:
    """How many filters come before the first that mixes channels."""
    mixed = [filter.channels == "mixed" for filter in filters]
    return mixed.index(True) if True in mixed else len(mixed)
