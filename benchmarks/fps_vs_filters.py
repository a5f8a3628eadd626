"""Frames per second against the number of filters: ours on every backend beside torch, kornia and OpenCV.

From the repository root: python benchmarks/fps_vs_filters.py. Writes benchmarks/results/fps_vs_filters.md and .png.
Needs the extras `bench` and `train`, a C++ compiler, and a machine with nothing else to do.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from baselines import CONTENDERS, NUMBA, Contender, TensorFrames
from fps.cases import (
    FULL,
    LARGEST,
    QUARTER,
    SIX,
    SIZES,
    Case,
    Limits,
    Memory,
    Results,
    Size,
    Work,
    arguments,
    mask,
    photo,
    sets,
)
from fps.clock import measure
from fps.page import page
from fps.picture import draw

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "fps_vs_filters.md"
ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join([str(HERE.parent), str(HERE)])}

# For a try of the whole: nothing is learnt from its figures.
QUICK_SIZES: dict[str, Size] = {"tiny": (96, 64)}
QUICK_COUNTS = (2, SIX, 8, 16)
QUICK_LARGEST = (320, 192)

ON_TENSORS = " on tensors"

Filters = dict[tuple[str, int], Any]  # by contender and number of filters


def prepare(contenders: Sequence[Contender], results: Results) -> Filters:
    """Every contender with every number of filters; what it lacks filters for goes to what was skipped."""
    filters: Filters = {}
    for count in results.counts:
        names = sets()[count]
        for contender in contenders:
            if reason := contender.lacks(names):
                for size in results.sizes:
                    results.skipped[Case(size, FULL, count, contender.name)] = reason
            else:
                filters[contender.name, count] = contender.prepare(names, arguments(names))
    return filters


def runs_on(filters: Filters, size: str, dimensions: Size, opacity: str) -> dict[Case, Callable[[], Any]]:
    """A call for each contender and number of filters on one frame and mask."""
    frame, alpha = photo(dimensions), mask(opacity, dimensions)
    return {
        Case(size, opacity, count, name): functools.partial(run, frame, alpha) for (name, count), run in filters.items()
    }


def runs_on_tensors(filters: Filters, size: str, dimensions: Size) -> dict[Case, Callable[[], Any]]:
    """The same for the contenders on tensors, without conversion, with six filters."""
    frame, alpha = photo(dimensions), mask(FULL, dimensions)
    return {
        Case(size, FULL, count, name + ON_TENSORS): run.without_conversion(frame, alpha)
        for (name, count), run in filters.items()
        if count == SIX and isinstance(run, TensorFrames)
    }


def time_all(filters: Filters, results: Results, rounds: int) -> None:
    """Time everything, size by size."""
    pixels = {size: width * height for size, (width, height) in results.sizes.items()}

    def expected(case: Case) -> float:
        known = results.median(case._replace(size=results.main, mask=FULL))
        return 0.0 if known is None else known * pixels[case.size] / pixels[results.main]

    for size, dimensions in results.sizes.items():
        for opacity in (FULL, QUARTER) if size == results.main else (FULL,):
            print(f"{size}, {opacity}", flush=True)
            runs = runs_on(filters, size, dimensions, opacity)
            for case in list(runs):  # what did not compile for the first size will not for another
                if (main := case._replace(size=results.main, mask=FULL)) in results.skipped:
                    results.skipped[case] = results.skipped[main]
                    del runs[case]
            if (size, opacity) == (results.main, FULL):
                runs |= runs_on_tensors(filters, size, dimensions)
            seconds, skipped = measure(runs, rounds, expected)
            results.seconds |= seconds
            results.skipped |= skipped
    for case in [case for case in results.seconds if case.contender.endswith(ON_TENSORS)]:
        results.on_tensors[case.contender.removesuffix(ON_TENSORS)] = results.seconds.pop(case)


def measure_memory(contenders: Sequence[Contender], largest: Size) -> dict[str, Memory]:
    """One frame of the largest size, a process for each contender that can."""
    found = {}
    for contender in contenders:
        if not contender.lacks(sets()[SIX]):
            print(f"memory: {contender.name}", flush=True)
            output = child("-m", "fps.memory", contender.name, *map(str, largest))
            found[contender.name] = Memory(**json.loads(output))
    return found


def first_frames(size: Size, repeats: int) -> list[float]:
    """Seconds to the first frame in fresh processes, after one that compiles."""
    print("second process", flush=True)
    command = ["benchmarks/fps/first_frame.py", *map(str, size), *map(str, arguments(sets()[SIX]))]
    return [float(child(*command)) for _ in range(1 + repeats)][1:]


def child(*arguments: str) -> str:
    """What a Python process prints last; its errors are shown and end this one."""
    finished = subprocess.run(
        [sys.executable, *arguments], check=True, env=ENVIRONMENT, cwd=HERE.parent, stdout=subprocess.PIPE, text=True
    )
    return finished.stdout.splitlines()[-1]


def write(text: str, path: Path) -> None:
    """Write beside, then rename."""
    beside = path.with_suffix(".partial")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def main() -> None:
    """Measure, then write page and picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [contender.name for contender in CONTENDERS]
    parser.add_argument("--quick", action="store_true", help="a try: tiny frames, few filters")
    parser.add_argument("--sizes", nargs="+", choices=SIZES, help="the first one is that of the ratios")
    parser.add_argument("--only", nargs="+", choices=names, default=names, help="leave out all other contenders")
    parser.add_argument("--rounds", type=int, help="turns of each contender; 7, with --quick 1")
    parser.add_argument("--out", type=Path, default=RESULTS, help="the page; the picture goes beside it")
    options = parser.parse_args()
    chosen = QUICK_SIZES if options.quick else {size: SIZES[size] for size in options.sizes or SIZES}
    contenders = [contender for contender in CONTENDERS if contender.name in options.only]

    results = Results(chosen, QUICK_COUNTS if options.quick else tuple(sets()))
    results.command = shlex.join(["python", "benchmarks/fps_vs_filters.py", *sys.argv[1:]])
    time_all(prepare(contenders, results), results, options.rounds or (1 if options.quick else 7))
    if options.quick:
        results.memory = measure_memory([NUMBA] if NUMBA in contenders else [], QUICK_LARGEST)
    else:
        results.memory = measure_memory(contenders, LARGEST)
    print("roofline", flush=True)
    found = json.loads(child("-m", "fps.roofline", *map(str, chosen[results.main])))
    results.limits = Limits(**found["limits"])
    results.work = {int(count): Work(**work) for count, work in found["work"].items() if int(count) in results.counts}
    results.first_frame = first_frames(chosen[results.main], 1 if options.quick else 5)
    draw(results, options.out.with_suffix(".png"))
    write(page(results), options.out)
    print(options.out.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
