"""Harmonizes the demo's composite as a user would, and measures it against the photograph it was made from.

Run it from the repository root: python demo/run.py. Exit code 1 if the foreground did not come closer.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

from harmonizer.pictures import io

HERE = Path(__file__).parent
OUT = Path("out")


def main() -> int:
    """Write out/harmonized.png and out/compare.jpg; print the error over the foreground before and after."""
    OUT.mkdir(exist_ok=True)
    harmonized = OUT / "harmonized.png"
    files = [HERE / "composite.jpg", HERE / "mask.png", "-o", harmonized, "--compare", OUT / "compare.jpg"]
    subprocess.run([sys.executable, "-m", "harmonizer", "run", *files], check=True)
    before, after = foreground_mse(HERE / "composite.jpg"), foreground_mse(harmonized)
    print(f"foreground MSE against the photograph: {before:.1f} before, {after:.1f} after; see {OUT}/compare.jpg")  # noqa: T201
    return 0 if after < before else 1


def foreground_mse(path: Path) -> float:
    """Mean squared error against real.jpg over the foreground, in 8-bit levels."""
    real = io.read_image(HERE / "real.jpg").pixels.astype(np.float64)
    foreground = io.read_mask(HERE / "mask.png", real.shape[:2]) > 0.5
    return float(np.mean((io.read_image(path).pixels - real)[foreground] ** 2))


if __name__ == "__main__":
    sys.exit(main())
