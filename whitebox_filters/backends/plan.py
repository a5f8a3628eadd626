"""How often a cascade must go through a picture, and what for: shared by the compiled backends, and shown to people."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from whitebox_filters.backends.fuse import filter_coefficients
from whitebox_filters.spec import Filter, Pixel

PIXEL = 3  # values

_PROBES = 24


@dataclass(frozen=True)
class Pass:
    """Once through the picture."""

    purpose: str  # "count levels", "measure means" or "filter pixels"
    filters: tuple[str, ...]  # what is computed of each pixel on the way
    moved: int  # values read and written a pixel, in units of the picture's type
    gives: tuple[str, ...] = ()  # the filters that wait for what is measured


def passes(filters: Sequence[Filter], *, counted: bool) -> list[Pass]:
    """The passes over a picture, in order; `counted` for 8 bits, of which a histogram tells every mean.

    That is so as long as only filters come before that treat each channel alone. Behind the first other one each
    statistic takes a pass of its own, which computes the filters before it anew.
    """
    head = head_length(filters) if counted else 0
    waiting = [index for index, filter in enumerate(filters) if filter.statistic is not None]
    names = tuple(filter.name for filter in filters)
    found = []
    if early := [index for index in waiting if counted and index <= head]:
        found.append(Pass("count levels", (), PIXEL, tuple(names[index] for index in early)))
    found += [Pass("measure means", names[:i], PIXEL, (names[i],)) for i in waiting if not counted or i > head]
    return [*found, Pass("filter pixels", names, 2 * PIXEL)]


def describe(filters: Sequence[Filter], backend: str) -> str:
    """The passes for 8 bits and for more, a line each, with the bytes that each moves a pixel."""
    lines = [f"{len(filters)} filters on {backend}"]
    for title, counted, size in (("8 bits", True, 1), ("16 bits", False, 2), ("float32", False, 4)):
        found = passes(filters, counted=counted)
        total = sum(each.moved for each in found) * size
        lines.append(f"  {title}: {len(found)} passes, {total} bytes a pixel, and 1 for a mask of 8 bits")
        for each in found:
            through = " > ".join(each.filters) or "no filter"
            goal = f" for {', '.join(each.gives)}" if each.gives else ""
            lines.append(f"    {each.purpose}{goal} ({each.moved * size} bytes a pixel): {through}")
    return "\n".join(lines)


def head_length(filters: Sequence[Filter]) -> int:
    """How many filters there are before the first that mixes channels."""
    alone = [is_separate(filter) for filter in filters]
    return alone.index(False) if False in alone else len(alone)


def is_separate(filter: Filter) -> bool:
    """Whether a filter computes each channel from itself alone, found by probing its pixel formula."""
    return all(_keeps_apart(filter.pixel, coefficients) for coefficients in _coefficients(filter))


def _coefficients(filter: Filter) -> list[tuple[float, ...]]:
    statistic = None if filter.statistic is None else np.asarray(0.4 if filter.statistic == "mean" else (0.5, 0.4, 0.3))
    return [filter_coefficients(filter, np.float64(theta), statistic) for theta in (-0.6, 0.35)]


@functools.lru_cache(maxsize=1024)
def _keeps_apart(formula: Pixel, coefficients: tuple[float, ...]) -> bool:
    generator = np.random.default_rng(0)
    # Some colours are vivid, for a filter may touch these alone.
    colours = generator.random((_PROBES, PIXEL)) ** generator.uniform(0.3, 3, (_PROBES, PIXEL))
    for colour in colours:
        own = formula(*colour, *coefficients)
        for channel in range(PIXEL):
            other = generator.random(PIXEL)
            other[channel] = colour[channel]
            if formula(*other, *coefficients)[channel] != own[channel]:
                return False
    return True
