"""The threads of a compiled cascade beside a plain pool: on a quiet machine, and beside two busy processes.

The threads of one call look for its next pass without falling asleep (`native/workers.py`). The plain pool submits each
pass to a ThreadPoolExecutor and waits for it. From the repository root, on an otherwise idle machine:

    python benchmarks/threads.py

Writes benchmarks/results/threads.md.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Future, wait
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from report import describe_machine, grid, median_and_range

import whitebox_filters as wf
from whitebox_filters.backends.cpu import plan as cpu_plan
from whitebox_filters.native import cores, queue, workers
from whitebox_filters.native.kernel import RowKernel

RESULTS = Path(__file__).parent / "results" / "threads.md"
POOLS = ("workers", "plain")
THETA = (0.1, 0.1, -0.1, 0.2, 0.1, -0.1)
CASES = ("1080p, full mask", "1080p, a quarter", "256 x 256, full mask")
REPEATS, BUSY = 7, 2
SPIN = "while True: pass"


class PlainPool(workers.Workers):
    """The same passes, each submitted to a pool and waited for."""

    def __enter__(self) -> PlainPool:
        self._submitted: list[Future[None]] = []
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        wait(self._submitted)

    def run(self, kernel: RowKernel, rows: Sequence[int], **arguments: Any) -> None:
        """Call a kernel over rows on all cores, and wait."""
        job = self._make_job(kernel, rows, arguments)
        others = [cores.pool().submit(queue.finish_job, job=job) for _ in range(self._others)]
        queue.finish_job(job=job)
        wait(others)

    def run_in_background(self, kernel: RowKernel, rows: Sequence[int], **arguments: Any) -> None:
        """Have a pass done meanwhile."""
        job = self._make_job(kernel, rows, arguments)
        self._submitted.append(cores.pool().submit(queue.finish_job, job=job))


def measure() -> list[float]:
    """Median milliseconds of a call of the six filters on uint8, a case each."""
    plan, random = wf.Cascade().compile("numba"), np.random.default_rng(0)
    frame = random.integers(0, 256, (1080, 1920, 3), dtype=np.uint8)
    full, quarter = np.full((1080, 1920), 255, np.uint8), np.zeros((1080, 1920), np.uint8)
    quarter[270:810, 480:1440] = 255
    cases = ((frame, full, 40), (frame, quarter, 40), (frame[:256, :256].copy(), full[:256, :256].copy(), 300))
    return [_median(plan, *case) for case in cases]


def _median(plan: Any, image: Any, mask: Any, calls: int) -> float:
    plan(image, THETA, mask)
    times = []
    for _ in range(calls):
        start = time.perf_counter()
        plan(image, THETA, mask)
        times.append(time.perf_counter() - start)
    return 1e3 * float(np.median(times))


def compare() -> dict[str, np.ndarray[Any, Any]]:
    """Milliseconds (REPEATS, cases) of both pools, in processes of their own, by turns."""
    rows: dict[str, list[list[float]]] = {pool: [] for pool in POOLS}
    for _ in range(REPEATS):
        for pool in POOLS:
            command = [sys.executable, __file__, "--pool", pool]
            words = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
            rows[pool].append([float(word) for word in words])
    return {pool: np.array(times) for pool, times in rows.items()}


def table(times: dict[str, np.ndarray[Any, Any]]) -> str:
    """A row for each case: median and range of both, and their ratio."""
    rows = []
    for index, case in enumerate(CASES):
        own, plain = (times[pool][:, index] for pool in POOLS)
        cells = [median_and_range(each.tolist()) for each in (own, plain)]
        rows.append([case, *cells, f"{np.median(plain) / np.median(own):.2f}"])
    return grid(["ms a call", "threads of ours", "plain pool", "plain / ours"], rows)


def decide(quiet: dict[str, np.ndarray[Any, Any]], busy: dict[str, np.ndarray[Any, Any]]) -> str:
    """Which to keep: what is quicker on the geometric mean of all cases, quiet and busy."""
    ratios = [np.median(each["plain"], axis=0) / np.median(each["workers"], axis=0) for each in (quiet, busy)]
    mean = float(np.exp(np.mean(np.log(ratios))))
    parts = [f"{np.exp(np.mean(np.log(each))):.2f}" for each in ratios]
    better = "Keep the threads of ours" if mean > 1 else "Take the plain pool"
    return f"{better}: a plain pool takes {parts[0]} times as long on a quiet machine and {parts[1]} on a busy one."


PAGE = """\
# Threads of the compiled cascade

**Decision.** {decision}

The six filters on uint8 with a mask, median of many calls in a process, median and range of {repeats} processes by
turns. Ratios of the decision are geometric means over the cases.

## Quiet

{quiet}

## Beside {processes} processes that never rest

{busy}

{machine} `python benchmarks/threads.py`
"""


def main() -> None:
    """Measure both pools and write the page; with --pool, time one and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pool", choices=POOLS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.pool:
        if options.pool == "plain":
            cpu_plan.Workers = PlainPool  # type: ignore[attr-defined]
        print(*(f"{value:.4f}" for value in measure()))
        return
    quiet = compare()
    spinning = [subprocess.Popen([sys.executable, "-c", SPIN]) for _ in range(BUSY)]
    try:
        busy = compare()
    finally:
        for process in spinning:
            process.kill()
    text = PAGE.format(
        decision=decide(quiet, busy),
        quiet=table(quiet),
        busy=table(busy),
        repeats=REPEATS,
        processes=BUSY,
        machine=describe_machine(),
    )
    RESULTS.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
