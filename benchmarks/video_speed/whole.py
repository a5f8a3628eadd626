"""Prints what one run of the whole pipeline takes: python -m video_speed.whole plain|ours NETWORK CLIP MASKS OUTPUT.

NETWORK is a checkpoint folder. What is loaded before the first frame is not in the time.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path

from harmonizer.evaluation.bench import peak_memory
from video_speed.cases import PLAIN, Whole


def measure(kind: str, network: Path, clip: Path, masks: Path, output: Path) -> Whole:
    """One run in this process."""
    run = open_plain(network) if kind == PLAIN else open_ours(network)
    start, before = time.perf_counter(), time.process_time()
    frames = run(clip, masks, output)
    return Whole(frames, time.perf_counter() - start, time.process_time() - before, peak_memory() or 0)


def open_ours(network: Path) -> Callable[[Path, Path, Path], int]:
    """`harmonizer video` as the command runs it."""
    from harmonizer.video import grading, pipeline
    from harmonizer.video.outputs import Outputs

    chosen = grading.from_network(network)

    def run(clip: Path, masks: Path, output: Path) -> int:
        return pipeline.harmonize_video(clip, Outputs(output), chosen, mask=masks)[0]

    return run


def open_plain(network: Path) -> Callable[[Path, Path, Path], int]:
    """Frame by frame in eager torch."""
    from harmonizer.learning.network import checkpoint
    from video_speed import plain

    return partial(plain.harmonize_video, plain=plain.Plain(checkpoint.load(network).eval()))


if __name__ == "__main__":
    print(json.dumps(asdict(measure(sys.argv[1], *map(Path, sys.argv[2:])))))
