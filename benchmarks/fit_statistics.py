"""Derives the EXPECTED of `harmonizer/evaluation/moments.py`: a regression over composites of training photographs.

python benchmarks/fit_statistics.py PHOTOS prints the matrix EXPECTED; needs the extra `train`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from harmonizer.evaluation.moments import describe
from harmonizer.learning.composites.batches import Mixture, make_batch
from harmonizer.learning.composites.distortion import Distortion
from harmonizer.learning.composites.draws import draw
from harmonizer.learning.composites.sources.photos import read_photos
from harmonizer.learning.composites.sources.sources import Sources
from whitebox_filters import Cascade

BATCHES, COMPOSITES = 120, 64
SIZE = 128
RIDGE = 0.1


def main(folder: Path) -> None:
    """Print the ridge regression of the real foreground's description on those of the composite's two regions."""
    sources = Sources.of(read_photos(folder, held_out=False))
    distortion = Distortion.of(Cascade(), all_targets=False)
    descriptions, changes = [], []
    for step in range(BATCHES):
        draws = draw(0, step, range(COMPOSITES))
        batch = make_batch(sources, distortion, SIZE, Mixture(), draws, COMPOSITES // 2)
        for composite, real, mask in zip(batch.composite, batch.real, batch.mask, strict=True):
            inside, outside = mask[0] > 0.9, mask[0] < 0.1
            if min(inside.sum(), outside.sum()) < 60:
                continue
            foreground, truth, background = (
                describe(picture[:, region].T.numpy())
                for picture, region in ((composite, inside), (real, inside), (real, outside))
            )
            descriptions.append(np.concatenate([[1.0], foreground, background]))
            changes.append(truth - foreground)
    a, b = np.array(descriptions), np.array(changes)
    matrix = np.linalg.solve(a.T @ a + RIDGE * np.eye(a.shape[1]), a.T @ b).T
    matrix[:, 1:7] += np.eye(6)
    left = b - a @ (matrix - np.eye(6, 13, 1)).T
    print(f"{len(a)} composites; deviation {b.std(axis=0).round(3)}, left of it {left.std(axis=0).round(3)}")
    print(np.array2string(matrix, precision=3, suppress_small=True, separator=", ", max_line_width=118))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
