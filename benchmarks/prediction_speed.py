"""Times a prediction of exported networks in turns, so that what slows the machine slows all of them alike.

From the repository root: python benchmarks/prediction_speed.py FOLDER [FOLDER ...], where each folder holds model.onnx
and config.json, as `harmonizer export` writes them. The first one is the baseline. Prints a table.
"""

from __future__ import annotations

import argparse
import functools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from fps.clock import Run, clock
from report import describe_machine, grid, median_and_quartiles

from harmonizer.predictor import Predictor

ROUNDS = 200
Seconds = npt.NDArray[np.float64]


def measure(folders: Sequence[Path], rounds: int) -> Seconds:
    """Of a prediction from thumbnails, (rounds, networks): in each round every network has its turn."""
    runs = [_prediction(Predictor.load(folder)) for folder in folders]
    seconds = []
    for _ in range(rounds):
        for run in runs:
            run()  # brings caches and threads back from the network before
            seconds.append(clock(run))
    return np.reshape(seconds, (rounds, len(runs)))


def table(folders: Sequence[Path], seconds: Seconds) -> str:
    """A row for each network. A ratio is of one round; the table has the median of all, and their quartiles."""
    rows = [
        [
            str(folder),
            f"{(folder / 'model.onnx').stat().st_size / 1e6:.2f}",
            median_and_quartiles(1000 * each),
            median_and_quartiles(each / seconds[:, 0]),
        ]
        for folder, each in zip(folders, seconds.T, strict=True)
    ]
    return grid(["network", "MB", "ms a prediction", "times the first"], rows)


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER")
    options = parser.parse_args()
    print(table(options.folders, measure(options.folders, ROUNDS)), describe_machine(), sep="\n\n")


def _prediction(predictor: Predictor) -> Run:
    random, side = np.random.default_rng(0), predictor.config.input_size
    composite, mask = (random.random((1, channels, side, side), np.float32) for channels in (3, 1))
    return functools.partial(predictor.predict_prepared, composite, mask)


if __name__ == "__main__":
    main()
