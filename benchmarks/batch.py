"""Pictures a second of `harmonizer batch`, beside what a user would write; where the time goes; what a million take.

From the repository root: python benchmarks/batch.py [--pictures 48]. JPEG in and out, a mask over a quarter, at 1080p
and 12 megapixels. Writes benchmarks/results/batch.md. Needs the extras `batch`, `ray`, `train` and
`bench`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from report import describe_machine, grid

from harmonizer import io
from harmonizer.batch import report
from harmonizer.batch.records import STAGES
from harmonizer.evaluation.bench import masks, picture
from harmonizer.pictures.picture import Picture

RESULTS = Path(__file__).parent / "results" / "batch.md"
SIZES = {"1080p": (1080, 1920), "12 megapixels": (3000, 4000)}
ENGINES = {
    "one process": ["--workers", "1"],
    "two processes": ["--workers", "2"],
    "Ray, two actors": ["--engine", "ray", "--workers", "2"],
}
PROCESSES = 2  # of the released way
LOOPED = 8  # pictures of the shell loop
MILLION = 1_000_000


@dataclass(frozen=True)
class Rate:
    """Pictures a second: of the whole command, and of its work alone, without the start of processes."""

    whole: float
    steady: float
    stages: dict[str, float]  # median milliseconds


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=60)
    count = parser.parse_args().pictures
    found: dict[str, dict[str, Rate]] = {}
    loops: dict[str, float] = {}
    pools: dict[str, tuple[float, float]] = {}
    volumes: dict[str, tuple[float, float]] = {}
    for size, shape in SIZES.items():
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            number = count if size == "1080p" else max(4, count // 2)
            make(folder / "in", shape, number)
            loops[size] = loop(folder)
            pools[size] = pool(folder, number)
            found[size] = {
                engine: measure(folder, options, number, place)
                for place, (engine, options) in enumerate(ENGINES.items())
            }
            rows = list(report.read(str(folder / "out0" / "report.parquet")))
            volumes[size] = rows[0].bytes_read / 1e6, rows[0].bytes_written / 1e6
    text = page(found, loops, pools, volumes, count)
    RESULTS.write_text(text, encoding="utf-8")
    print(text)


def make(folder: Path, shape: tuple[int, int], count: int) -> None:
    """Photographs with masks."""
    folder.mkdir()
    image, mask = picture(shape), masks(shape)["a quarter"]
    for number in range(count):
        io.write_image(folder / f"p{number:04d}.jpg", Picture(np.roll(image, 31 * number, axis=1)))
        Image.fromarray(mask).save(folder / f"p{number:04d}_mask.png")


def loop(folder: Path) -> float:
    """Pictures a second of a shell loop over `harmonizer run`."""
    names = sorted(path.stem for path in (folder / "in").glob("*.jpg"))[:LOOPED]
    script = f'for p in {" ".join(names)}; do "$0" -m harmonizer run in/$p.jpg in/${{p}}_mask.png -o $p.jpg; done'
    start = time.perf_counter()
    subprocess.run(["bash", "-ec", script, sys.executable], cwd=folder, check=True, capture_output=True)
    return len(names) / (time.perf_counter() - start)


def measure(folder: Path, options: list[str], count: int, place: int) -> Rate:
    """One batch."""
    out = folder / f"out{place}"
    command = [sys.executable, "-m", "harmonizer", "batch", str(folder / "in"), "-o", str(out), *options]
    start = time.perf_counter()
    subprocess.run([*command, "--progress", "none"], check=True, capture_output=True)
    whole = count / (time.perf_counter() - start)
    rows = list(report.read(str(out / "report.parquet")))
    stages = {stage: float(np.median([row.milliseconds[stage] for row in rows])) for stage in STAGES}
    return Rate(whole, steady(out, count), stages)


def pool(folder: Path, count: int) -> tuple[float, float]:
    """Pictures a second of the released way in a pool of processes: with its start, and steady."""
    out = folder / "released"
    command = [sys.executable, "-m", "baselines.released_pool", str(folder / "in"), str(out), str(PROCESSES)]
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, cwd=Path(__file__).parent)
    return count / (time.perf_counter() - start), steady(out, count)


def steady(out: Path, count: int) -> float:
    """Pictures a second between the first and the last output."""
    times = sorted(path.stat().st_mtime for path in out.glob("*.jpg"))
    return (count - 1) / (times[-1] - times[0])


def page(
    found: dict[str, dict[str, Rate]],
    loops: dict[str, float],
    pools: dict[str, tuple[float, float]],
    volumes: dict[str, tuple[float, float]],
    count: int,
) -> str:
    """The results page."""
    rates = [[size, "a shell loop over `harmonizer run`", f"{loops[size]:.2f}", "", "1"] for size in found]
    for size, (whole, alone) in pools.items():
        ratio = f"{alone / loops[size]:.1f}"
        rates.append([size, f"the released way, {PROCESSES} processes", f"{whole:.2f}", f"{alone:.2f}", ratio])
    for size, engines in found.items():
        for engine, rate in engines.items():
            rates.append([size, engine, f"{rate.whole:.2f}", f"{rate.steady:.2f}", f"{rate.steady / loops[size]:.1f}"])
    stages = [
        [size, *(f"{rates['one process'].stages[stage]:.1f}" for stage in STAGES)] for size, rates in found.items()
    ]
    cores = os.cpu_count() or 1
    best_name, best = max(found["12 megapixels"].items(), key=lambda each: each[1].steady)
    alone = found["12 megapixels"]["one process"].steady
    core_hours = MILLION / best.steady * cores / 3600
    read, written = volumes["12 megapixels"]
    day = MILLION / 86_400
    times = found["12 megapixels"]["one process"].stages
    slowest, predict = max(times, key=lambda stage: times[stage]), times["predict"] / sum(times.values())
    return "\n".join([
        "# Many pictures",
        "",
        f"**Decision.** Give a machine one process for each core: {best_name} do {best.steady:.2f} pictures of "
        f"12 megapixels a second on {cores} cores, {best.steady / alone:.2f} times one process, and "
        f"{best.steady / loops['12 megapixels']:.1f} times a shell loop, "
        f"{best.steady / pools['12 megapixels'][1]:.1f} times {PROCESSES} processes of the released way.",
        "",
        f"JPEG in and out, a mask over a quarter; {count} pictures of 1080p, {max(4, count // 2)} of 12 megapixels, "
        f"one run each; {LOOPED} in the loop. Steady: between the first and the last output, without the start of "
        "processes. The released way: EfficientNet-B0 at 256 pixels and the six filters one by one in eager torch, as "
        "[baselines/](../baselines/released_pool.py) has them, Pillow for files, in a pool of `multiprocessing`.",
        "",
        grid(["size", "by", "a second, with start", "steady", "times the loop"], rates, 2),
        "",
        "Where the time of one picture goes, in one process on all cores (median, milliseconds):",
        "",
        grid(["size", *STAGES], stages),
        "",
        "## A million pictures of 12 megapixels, on paper",
        "",
        f"* {best.steady:.2f} a second on {cores} cores are {best.steady / cores:.2f} a second and core: a million "
        f"take **{core_hours:.0f} core hours**. At 0.04 dollars each, say, that is {0.04 * core_hours:.0f} dollars.",
        f"* In a day it takes {core_hours / 24:.0f} cores. They read {read * day:.0f} MB a second and write "
        f"{written * day:.0f} MB a second ({read:.1f} and {written:.1f} MB a picture), which one object store and a "
        "network of 10 Gbit/s carry.",
        f"* What takes most is to {slowest}; the network takes {predict:.0%}. Decoding and encoding run on one core "
        "each, which is why a process for each core is faster than one process on all.",
        "",
        f"{describe_machine()} `python benchmarks/batch.py --pictures {count}`.",
        "",
    ])  # fmt: skip


if __name__ == "__main__":
    main()
