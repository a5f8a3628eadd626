"""Prints what k filters ask of one core at the least, and what it allows: python -m fps.roofline WIDTH HEIGHT."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from baselines import Frame, Names, Theta

import whitebox_filters as wf
from fps.cases import FULL, Limits, Work, arguments, mask, photo, sets
from fps.clock import clock
from whitebox_filters.backends import passes as planned
from whitebox_filters.backends.cpu import kernels
from whitebox_filters.backends.cpu.frames import open_frame
from whitebox_filters.backends.cpu.kernels import BLOCK, LEVELS_8
from whitebox_filters.backends.cpu.means import fit_lines
from whitebox_filters.backends.cpu.prepass import run_prepass
from whitebox_filters.backends.cpu.stages import Stages
from whitebox_filters.backends.fuse import filter_coefficients
from whitebox_filters.native.kernel import Function
from whitebox_filters.native.signature import INDEX, Array, Loop, Source
from whitebox_filters.native.workers import Workers

REPEATS = 2000  # of a block in the first cache
CHAIN = 16  # multiply-adds on each value
ROUNDS = 9
LINE = 7  # operations of a channel: two multiply-adds, one is chosen, and clamped twice
SINGLE = np.dtype(np.float32)
# What computes, in LLVM's language; a comparison and its choice become one instruction, hence only the choice counts.
COMPUTES = re.compile(
    r"= (?:\w+ )*?(fmul|fadd|fsub|fdiv|fneg|select|call|add|sub|and|or|xor|shl|[al]shr|[sf]\w+to\w+) "
)
VECTOR = re.compile(r"<(\d+) x (?:float|i32|i1)>")
LOADED = re.compile(r"load <(\d+) x float>")


def limits(frame: Frame) -> Limits:
    """Measure the core; levels are added up of a frame, all else is done on data in the first cache."""
    block = np.full(3 * BLOCK, 0.5, np.float32)
    operations = _rate(2 * CHAIN * block.size, "multiply_add", block=block)
    stored, found = np.zeros(3 * BLOCK, np.uint8), np.arange(3 * BLOCK, dtype=np.int32) % LEVELS_8
    table = np.arange(LEVELS_8, dtype=np.uint8)
    look_ups = _rate(found.size, "look_up", table=table, places=found, stored=stored)
    with Workers(0) as alone:
        seconds = _best(lambda: run_prepass(alone, open_frame(frame), None, summed=True))
    return Limits(operations, look_ups, frame.size / seconds)


def work(names: Names, size: tuple[int, int]) -> Work:
    """What k filters ask for, and take.

    Of each run of filters that keep the channels apart no more than a table is asked for, of one that begins the
    cascade and leaves straight lines no more than these.
    """
    cascade, theta = wf.Cascade(names), arguments(names)
    frame, opacity = photo(size), mask(FULL, size)
    out, ready = np.empty_like(frame), cascade.compile("numba")
    passes = planned.passes(cascade, eight_bits=True, by_sums=True)
    separate = {name: wf.get(name).channels != "mixed" for name in names}
    adding, filtering = [each for each in passes if not each.filters], [each for each in passes if each.filters]
    runs = [
        [(is_table, list(names)) for is_table, names in groupby(each.filters, separate.__getitem__)]
        for each in filtering
    ]
    lines = sum(each[0][0] for each in runs) if begins_straight(cascade, theta, frame) else 0
    tables = sum(is_table for each in runs for is_table, _ in each) - lines
    return Work(
        bytes=sum(each.moved for each in passes) + 1,
        look_ups=3 * tables,
        sums=3 * len(adding),
        operations=3 * LINE * lines
        + sum(operations(name) for each in filtering for name in each.filters if not separate[name]),
        seconds=_best(lambda: ready(frame, theta, opacity, out=out)),
    )


def begins_straight(cascade: wf.Cascade, theta: Theta, frame: Frame) -> bool:
    """Whether the filters before the first that mixes channels make two straight lines of the levels of a frame."""
    statistics, stages = cascade.statistics(frame, theta), Stages(frame.dtype)
    for filter, argument, statistic in list(zip(cascade.filters, theta, statistics, strict=True)):
        if filter.channels == "mixed":
            break
        stages.append(filter, filter_coefficients(filter, np.float64(argument), statistic))
    return fit_lines(stages.curves()) is not None


def operations(name: str) -> float:
    """Of float32 a pixel, in what LLVM has made of a filter."""
    text, _ = kernels.filter_block(wf.get(name).pixel, SINGLE).compile()
    body = text[text.index("\ndefine") :].split("\n}")[0]  # the function itself; its wrapper for C comes after
    lanes = [int(found[1]) for line in body.splitlines() if COMPUTES.search(line) and (found := VECTOR.search(line))]
    pixels = sum(map(int, LOADED.findall(body))) / 3
    return sum(lanes) / pixels


def multiply_add() -> Loop:
    """Changes a block by multiply-adds."""

    def run(block, repeats):  # type: ignore[no-untyped-def]
        for _ in range(repeats):
            for i in range(3 * BLOCK):
                value = block[i]
                for _ in range(CHAIN):
                    value = value * np.float32(0.5) + np.float32(0.25)
                block[i] = value

    return run


def look_up() -> Loop:
    """Fills a block from a table."""

    def run(table, places, stored, repeats):  # type: ignore[no-untyped-def]
        for _ in range(repeats):
            for i in range(3 * BLOCK):
                stored[i] = table[places[i]]

    return run


def _rate(done: int, name: str, **arrays: np.ndarray[Any, Any]) -> float:
    """How often a second a loop does what it does `done` times in one go through its block."""
    source = Source("fps.roofline", name, folders=((Path(__file__).parent, ()),))
    kernel = Function(source, {each: Array(array.dtype) for each, array in arrays.items()} | {"repeats": INDEX})
    return done * REPEATS / _best(lambda: kernel(**arrays, repeats=REPEATS))


def _best(run: Callable[[], object]) -> float:
    """Seconds at best: a limit is not reached on average."""
    run()
    return min(clock(run) for _ in range(ROUNDS))


def main() -> None:
    """Measure on one core."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    size = int(sys.argv[1]), int(sys.argv[2])
    found = {count: asdict(work(names, size)) for count, names in sets().items()}
    print(json.dumps({"limits": asdict(limits(photo(size))), "work": found}))


if __name__ == "__main__":
    main()
