"""Times the CUDA plan in place against a copy of the frame within the device, and prints a table. Needs a GPU.

From the repository root: python benchmarks/cuda_speed.py, or make bench-gpu. Clocks around whole calls, Python's work
included; the frame, and the mask over a quarter of it, are on the device before the clock starts.
"""

from __future__ import annotations

import argparse
import functools
import statistics
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np
from cuda_kernels import COUNTS, filters_of
from numba import cuda
from report import grid, median_and_range

import whitebox_filters as wf
from whitebox_filters.backends.cuda.plan import Plan

SIZES = ("1920x1080", "3840x2160")
DTYPES = (np.uint8, np.float32)
THETA = 0.1  # of every filter: what it is changes no time
WARM_UP = 5


def milliseconds(call: Callable[[], Any], repeats: int) -> list[float]:
    """The time of each of `repeats` calls, after some that do not count."""
    times = []
    for repeat in range(WARM_UP + repeats):
        cuda.synchronize()
        start = time.perf_counter()
        call()
        cuda.synchronize()
        if repeat >= WARM_UP:
            times.append(1000 * (time.perf_counter() - start))
    return times


def rows(size: str, dtype: type[np.generic], counts: tuple[int, ...], repeats: int) -> list[list[str]]:
    """A row for the copy and one for each k: milliseconds with a full frame, and with a mask over a quarter of it."""
    width, height = map(int, size.split("x"))
    random = np.random.default_rng(0).random((height, width, 3), np.float32)
    image = (random * 255).astype(dtype) if dtype == np.uint8 else random
    frame, other = cuda.to_device(image), cuda.device_array(image.shape, dtype)
    mask = np.zeros((height, width), np.uint8)
    mask[: height // 2, : width // 2] = 255
    quarter = cuda.to_device(mask)
    copy = milliseconds(lambda: other.copy_to_device(frame), repeats)
    found = [[size, np.dtype(dtype).name, "a copy", median_and_range(copy, 3), "", ""]]
    for count in counts:
        plan, theta = Plan(wf.Cascade(filters_of(count))), [THETA] * count
        full, part = (
            milliseconds(functools.partial(plan, frame, theta, given, frame), repeats) for given in (None, quarter)
        )
        rate = 1000 / statistics.median(full)
        found.append(
            [
                size,
                np.dtype(dtype).name,
                f"k = {count}",
                median_and_range(full, 3),
                median_and_range(part, 3),
                f"{rate:,.0f}",
            ]
        )
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="+", default=SIZES, metavar="WxH")
    parser.add_argument("--counts", nargs="+", type=int, default=COUNTS, metavar="K")
    parser.add_argument("--repeats", type=int, default=50)
    options = parser.parse_args()
    if not cuda.is_available():
        raise SystemExit("no CUDA device was found: this benchmark needs an NVIDIA GPU and its driver")
    device = cuda.get_current_device()
    name = device.name.decode() if isinstance(device.name, bytes) else device.name
    print(f"{name}, numba-cuda {version('numba-cuda')}, {options.repeats} calls; milliseconds: median (range)\n")
    header = ["frame", "dtype", "", "full frame", "mask over a quarter", "frames a second, full"]
    found = [
        row
        for size in options.sizes
        for dtype in DTYPES
        for row in rows(size, dtype, tuple(options.counts), options.repeats)
    ]
    print(grid(header, found))


if __name__ == "__main__":
    main()
