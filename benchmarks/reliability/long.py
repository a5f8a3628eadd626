"""Runs of thousands of frames, pictures and requests in one process, which is watched."""

from __future__ import annotations

import asyncio
import os
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

from harmonizer import Harmonizer
from reliability import make, service_load
from reliability.commands import environment, harmonizer
from reliability.growth import Sample, Typical, Watch, fit, keep, look
from reliability.rows import RESULTS, Row
from reliability.service_process import running

SKIP = 100  # pieces of work before memory is looked at
PARALLEL, QUEUE = 2, 2


def service(command: str, seconds: float = 3600.0) -> Row:
    """The service, with as many clients as it admits, for an hour."""
    load, questions = service_load.Load(), service_load.make_questions()
    with running("serve", "--port", "0", "--parallel", str(PARALLEL), "--queue", str(QUEUE)) as (process, url):
        end = time.monotonic() + seconds
        with Watch(process.pid, lambda: load.done) as watch:
            asyncio.run(service_load.ask_all(url, questions, PARALLEL + QUEUE, end, load))
        ended = process.poll()
    faults = load.wrong + ([f"it ended with {ended}"] if ended is not None else [])
    statuses = ", ".join(f"{count:,} x {status}" for status, count in sorted(load.statuses.items()))
    note = f"answers {statuses}, and {load.gone:,} clients that went away"
    fault = f"the service for {seconds / 60:.0f} minutes, {PARALLEL + QUEUE} clients"
    return judge(fault, command, watch.samples, load.done, faults, note)


def frames(command: str, count: int = 10_000, size: tuple[int, int] = (96, 128)) -> Row:
    """`harmonizer video` on a long clip."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        composite, mask = make.clip(folder, count, size)
        out, theta = folder / "out.mp4", folder / "theta.jsonl"
        line = harmonizer("video", composite, mask, "-o", out, "--theta-out", theta)
        with (folder / "errors").open("w+") as errors:
            process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=errors, env=environment())
            with Watch(process.pid, lambda: _count_lines(folder)) as watch:
                code = process.wait()
        found = make.count_frames(out) if code == 0 else 0
    faults = [f"exit code {code}, {found} frames"] if (code, found) != (0, count) else []
    return judge(f"a video of {count:,} frames of {size[1]} x {size[0]}", command, watch.samples, found, faults)


def pictures(command: str, count: int = 5000) -> Row:
    """The Python API on many pictures of many sizes, in this process."""
    harmonizer, chance = Harmonizer.load(), np.random.default_rng(0)
    samples: list[Sample] = []
    for number in range(count):
        height, width = chance.integers(40, 400, 2)
        image = chance.integers(0, 256, (height, width, 3), dtype=np.uint8)
        mask = np.zeros((height, width), np.uint8)
        mask[height // 4 : height // 2, width // 4 : width // 2] = 255
        harmonizer.harmonize(image, mask)
        samples.append(look(os.getpid(), number + 1))
    return judge(
        f"{count:,} pictures of 40 to 400 pixels a side by the Python API, in one process", command, samples, count, []
    )


def batch(command: str, count: int = 5000) -> Row:
    """`harmonizer batch` with one worker."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make.pairs(folder / "in", count, (48, 64))
        line = harmonizer("batch", folder / "in", "-o", folder / "out", "--progress", "none")
        process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment())
        out = folder / "out"
        with Watch(process.pid, lambda: sum(1 for _ in out.glob("*.png"))) as watch:
            code = process.wait()
        found = len(list(out.glob("*.png")))
    faults = [f"exit code {code}, {found} pictures"] if (code, found) != (0, count) else []
    return judge(f"a batch of {count:,} pictures of 64 x 48 with one worker", command, watch.samples, found, faults)


def _count_lines(folder: Path) -> int:
    """Lines of a timeline while it is written, about."""
    return next(
        (path.read_bytes().count(b"\n") for path in folder.glob(".*.part") if path.open("rb").read(1) == b"{"), 0
    )


def judge(fault: str, command: str, samples: list[Sample], done: int, faults: list[str], more: str = "") -> Row:
    """The row of a run that did so many pieces of work, from what was seen of its process."""
    growth, open_files, threads = (
        fit(samples, SKIP),
        Typical.of(samples, SKIP, "files"),
        Typical.of(samples, SKIP, "threads"),
    )
    keep(samples, RESULTS / f"long_{command.split()[-1]}.csv")
    found = [*faults, *(["memory grows"] if growth.is_growth else [])]
    found += [
        f"more {name}" for name, each in (("open files", open_files), ("threads", threads)) if each.last > each.first
    ]
    note = f"memory after the first {SKIP} {growth.text}, open files {open_files.text}, threads {threads.text}"
    return Row(fault, command, done, len(found), f"{note}; {more}" if more else note, tuple(found[:20]))
