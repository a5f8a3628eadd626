"""Derives what `harmonizer/statistics.py` expects of a real foreground, from composites made of training photographs.

python benchmarks/fit_statistics.py PHOTOS prints the matrix EXPECTED; needs the extra `train`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch

from harmonizer.learning.data import make_batch
from harmonizer.learning.photos import read_photos
from harmonizer.statistics import describe
from whitebox_filters import Cascade

BATCHES = 120
SIZE = 128
RIDGE = 0.1


def main(folder: Path) -> None:
    """Print the ridge regression of the real foreground's description on those of the composite's two regions."""
    photos, generator = read_photos(folder, held_out=False), torch.Generator().manual_seed(0)
    given, changes = [], []
    for _ in range(BATCHES):
        batch = make_batch(photos, Cascade(), 64, SIZE, generator)
        for composite, real, mask in zip(batch.composite, batch.real, batch.mask, strict=True):
            inside, outside = mask[0] > 0.9, mask[0] < 0.1
            if min(inside.sum(), outside.sum()) < 60:
                continue
            foreground, truth, background = (
                describe(picture[:, region].T.numpy())
                for picture, region in ((composite, inside), (real, inside), (real, outside))
            )
            given.append(np.concatenate([[1.0], foreground, background]))
            changes.append(truth - foreground)
    a, b = np.array(given), np.array(changes)
    matrix = np.linalg.solve(a.T @ a + RIDGE * np.eye(a.shape[1]), a.T @ b).T
    matrix[:, 1:7] += np.eye(6)
    left = b - a @ (matrix - np.eye(6, 13, 1)).T
    print(f"{len(a)} composites; deviation {b.std(axis=0).round(3)}, left of it {left.std(axis=0).round(3)}")
    print(np.array2string(matrix, precision=3, suppress_small=True, separator=", ", max_line_width=118))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
