"""Two thousand small pictures on a Ray cluster of two actors, one of which is killed; then the driver is killed too.

From the repository root: python benchmarks/batch_reliability.py [--pictures 2000]. One picture in a hundred is corrupt,
in ten ways. It prints the row of docs/reliability.md. Needs the extras `batch` and `ray`, and Linux.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from harmonizer import io
from harmonizer.batch import report
from harmonizer.pictures.picture import Picture

SPOILED = (
    lambda _: b"",
    lambda _: b"no picture",
    lambda good: good[: len(good) // 2],
    lambda good: good[:12],
    lambda good: good[:60] + bytes(byte ^ 255 for byte in good[60:]),
    lambda good: good[:16] + (10**6).to_bytes(4, "big") * 2 + good[24:],
    lambda good: good[:16] + bytes(8) + good[24:],
    lambda good: good[: len(good) // 16],
    lambda good: b"\xff\xd8\xff" + good,
    lambda good: good[:-12],
)


def main() -> None:
    """Make the pictures, kill, start again, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=2000)
    count = parser.parse_args().pictures
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        corrupt = make(folder / "in", count)
        subprocess.run(command(folder, "whole", "local"), check=False)
        out = folder / "out"
        with subprocess.Popen(command(folder, "out", "ray")) as driver:
            wait_for(out, count // 3, driver)
            kill_an_actor()
            wait_for(out, count // 2, driver)
            driver.kill()
        subprocess.run(["ray", "stop", "--force"], check=False, capture_output=True)
        before = len(list(out.glob("*.png")))
        again = subprocess.run(command(folder, "out", "ray"), check=False)
        rows = list(report.read(str(out / "report.parquet")))
        whole = {path.name: path.read_bytes() for path in (folder / "whole").glob("*.png")}
        found = {path.name: path.read_bytes() for path in out.glob("*.png")}
        failed = {Path(row.image).stem for row in rows if row.status == "failed"}
        parts = list(out.rglob("*.part")) + list(out.glob("*.parts"))
        print(
            f"{count} pictures, {len(corrupt)} of them corrupt in {len(SPOILED)} ways; driver killed after {before}, "
            f"started again: exit code {again.returncode}, {len(found)} outputs, equal to those of an undisturbed run: "
            f"{found == whole}, reported as failed: {len(failed)}, rows: {len(rows)}, "
            f"rows of two: {len(rows) - len({row.output for row in rows})}, left over: {len(parts)}"
        )


def make(folder: Path, count: int) -> set[str]:
    """Pictures with masks; the names of those that are corrupt, beyond doubt or at all."""
    folder.mkdir()
    mask = np.zeros((48, 64, 3), np.uint8)
    mask[12:36, 16:48] = 255
    generator = np.random.default_rng(0)
    corrupt = set()
    for number in range(count):
        path = folder / f"p{number:05d}.png"
        io.write_image(path, Picture(generator.integers(0, 256, (48, 64, 3), dtype=np.uint8)))
        io.write_image(folder / f"p{number:05d}_mask.png", Picture(mask))
        if number % 100 == 50:
            path.write_bytes(SPOILED[number // 100 % len(SPOILED)](path.read_bytes()))
            corrupt.add(path.stem)
    return corrupt


def command(folder: Path, outputs: str, engine: str) -> list[str]:
    """The batch as a user starts it."""
    return [
        *(sys.executable, "-m", "harmonizer", "batch", str(folder / "in"), "-o", str(folder / outputs)),
        *("--engine", engine, "--workers", "2", "--progress", "none"),
    ]


def wait_for(out: Path, count: int, driver: subprocess.Popen[bytes]) -> None:
    """Until so many pictures are there."""
    while len(list(out.glob("*.png"))) < count:
        if driver.poll() is not None:
            raise RuntimeError(f"the run ended early, with exit code {driver.returncode}")
        time.sleep(0.02)


def kill_an_actor() -> None:
    """SIGKILL for the first of Ray's actors."""
    found = subprocess.run(["pgrep", "-f", "ray::MapWorker"], capture_output=True, text=True, check=True)
    os.kill(int(found.stdout.split()[0]), signal.SIGKILL)


if __name__ == "__main__":
    main()
