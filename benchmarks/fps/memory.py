"""Prints what one frame costs in memory, in a process of its own: python -m fps.memory CONTENDER WIDTH HEIGHT."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
from baselines import CONTENDERS

from fps.cases import FULL, SIX, Memory, arguments, mask, photo, sets
from fps.clock import clock

TILES = 16  # each way: a large photograph made in one piece would itself leave a peak


def resident(entry: str) -> int:
    """Bytes of this process: VmRSS now, VmHWM at the peak."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{entry}:"):
            return int(line.split()[1]) * 1024
    raise OSError(f"/proc/self/status has no entry {entry}; memory is measured on Linux only")


def measure(name: str, width: int, height: int) -> Memory:
    """One frame of this size, width and height multiples of 16, with six filters and a full mask."""
    contender = next(contender for contender in CONTENDERS if contender.name == name)
    names = sets()[SIX]
    run = contender.prepare(names, arguments(names))
    for small in ((96, 64), (128, 80)):  # compiles; for torch.compile the second size makes it any size
        run(photo(small), mask(FULL, small))
    frame = np.tile(photo((width // TILES, height // TILES)), (TILES, TILES, 1))
    opacity = mask(FULL, (width, height))
    before = resident("VmRSS")
    run(frame, opacity)
    extra = resident("VmHWM") - before
    return Memory(max(extra, 0), frame.nbytes, opacity.nbytes, clock(lambda: run(frame, opacity)))


if __name__ == "__main__":
    print(json.dumps(asdict(measure(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))))
