"""What the network leaves of all development sets at full size, and how sure it is of what it does.

From the repository root: python benchmarks/full_size.py --data DIR [--weights FOLDER] writes
benchmarks/results/full_size.md, and --json OUT every picture's figures. DIR holds the folders of
benchmarks/development.py, whose composites these are, here at their own sizes. Needs the extra `train`.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from calibration import Change, measure_change, quarter_table, verdict
from development import introduced, row, share_left
from development_cases import GROUPS, TRIPLES, Case, Picture, cases
from paper_tables.rows import PUBLISHED
from report import describe_machine, grid

from harmonizer import atomic
from harmonizer.evaluation.evaluate import BUCKETS, evaluate
from harmonizer.evaluation.learners import Harmonized
from harmonizer.learning.network import checkpoint
from harmonizer.learning.network.network import Network
from harmonizer.pipeline import Harmonizer
from harmonizer.predictor import WEIGHTS

RESULTS = Path(__file__).parent / "results" / "full_size.md"
NETWORK = "network"
SHOWN = 20  # of the worst pictures, and of those in the middle


@dataclass(frozen=True)
class Measured:
    """One composite: its scores, the foreground's share of the picture, and what was done to it."""

    picture: Picture
    coverage: float
    change: Change
    mse: tuple[float, float]  # before and after, over all pixels


def measure(harmonizer: Harmonizer, network: Network, case: Case) -> Measured:
    """Harmonize a composite at its own size."""
    sample = case.sample
    result = harmonizer.harmonize(sample.composite, sample.mask)
    (evaluation,) = evaluate({NETWORK: lambda _: Harmonized(result.image, result.theta)}, [sample])
    before, after = (evaluation.scores[name] for name in ("composite", NETWORK))
    fmse = {"composite": before.fmse, NETWORK: after.fmse}
    picture = Picture(case.group, sample.subset, case.unit, sample.name, fmse)
    doubt = disagreement(harmonizer, network, case)
    return Measured(picture, evaluation.coverage, measure_change(sample, result.image, doubt), (before.mse, after.mse))


@torch.no_grad()
def disagreement(harmonizer: Harmonizer, network: Network, case: Case) -> float:
    """The mean distance of the thetas of the network's regressors; 0 if there is only one."""
    inputs = harmonizer.predictor.prepare(case.sample.composite, case.sample.mask)
    first, *others = network.predictions(*map(torch.from_numpy, inputs))
    return float((first - others[0]).abs().mean()) if others else 0.0


def subset_table(measured: Sequence[Measured]) -> str:
    """A row for each group, subset, and size of the foreground."""
    rows = []
    for group in (*GROUPS, TRIPLES):
        members = [each for each in measured if each.picture.group == group]
        if not members:
            continue
        rows.append(row(f"**{group}**", [each.picture for each in members], NETWORK))
        subsets = sorted({each.picture.subset for each in members})
        if len(subsets) > 1:
            parts = ([each.picture for each in members if each.picture.subset == subset] for subset in subsets)
            rows += [row(subset, pictures, NETWORK) for subset, pictures in zip(subsets, parts, strict=True)]
        floor = -1.0
        for bucket, ceiling in BUCKETS.items():
            pictures = [each.picture for each in members if floor < each.coverage <= ceiling]
            rows += [row(bucket, pictures, NETWORK)] if pictures else []
            floor = ceiling
    header = ["", "composites (units)", "fMSE before", "after", "share left", "95 %", "geometric mean", "improved"]
    return grid(header, rows)


def published_table(measured: Sequence[Measured], data: Path) -> str:
    """MSE and fMSE of the iHarmony4 pictures beside published figures, a row each and their means."""
    figures: dict[str, dict[str, str]] = {}
    for folder in ("iharmony4_sample", "iharmony4_more"):
        lines = (data / folder / "published.csv").read_text(encoding="utf-8").splitlines()
        figures |= {line["name"]: line for line in csv.DictReader(lines) if line["composite_fMSE"]}
    rows, values = [], []
    for each in measured:
        line = figures.get(each.picture.name)
        if each.picture.group != "iharmony4" or line is None:
            continue
        ours = [each.mse[1], each.picture.fmse[NETWORK]]
        theirs = [float(line[f"{key}_{metric}"]) for key in PUBLISHED.values() for metric in ("MSE", "fMSE")]
        values.append([each.mse[0], each.picture.fmse["composite"], *ours, *theirs])
        rows.append([each.picture.name, *(f"{value:.1f}" for value in values[-1])])
    if values:
        rows.append(["**mean**", *(f"**{value:.1f}**" for value in np.mean(values, axis=0))])
    columns = ("composite", "ours", *(f"{name}, published" for name in PUBLISHED))
    return grid(["", *(f"{name}: {metric}" for name in columns for metric in ("MSE", "fMSE"))], rows)


def share(picture: Picture) -> float:
    """What is left of the composite's fMSE."""
    return picture.fmse[NETWORK] / max(picture.fmse["composite"], 1.0)


def listing(measured: Iterable[Measured]) -> str:
    """A row a picture."""
    rows = []
    for each in measured:
        before, after = each.picture.fmse["composite"], each.picture.fmse[NETWORK]
        cells = [
            each.picture.group,
            f"{each.coverage:.0%}",
            f"{before:.0f}",
            f"{after:.0f}",
            f"{share(each.picture):.2f}",
        ]
        rows.append([each.picture.name, *cells])
    return grid(["picture", "group", "foreground", "fMSE before", "after", "left"], rows)


def page(measured: Sequence[Measured], data: Path, command: str, seconds: float) -> str:
    """The whole of the results page."""
    counted = [each for each in measured if each.picture.group in (*GROUPS, TRIPLES)]
    by_share = sorted(counted, key=lambda each: share(each.picture))
    middle = len(by_share) // 2 - SHOWN // 2
    changes = [each.change for each in measured]
    iharmony = [each.picture for each in counted if each.picture.group == "iharmony4"]
    return PAGE.format(
        left=share_left(iharmony, NETWORK),
        count=len(iharmony),
        introduced=introduced([each.picture for each in measured], NETWORK),
        subsets=subset_table(measured),
        published=published_table(measured, data),
        verdict=verdict(changes),
        by_doubt=quarter_table(changes, lambda change: change.doubt, "doubt"),
        by_change=quarter_table(changes, lambda change: change.change, "change"),
        worst=listing(by_share[: -SHOWN - 1 : -1]),
        middle=listing(by_share[middle : middle + SHOWN]),
        machine=describe_machine(),
        command=command,
        seconds=seconds,
        shown=SHOWN,
    )


PAGE = """\
# Development sets at full size

**Decision.** At full size the network leaves {left:.0%} of the fMSE of {count} pictures of iHarmony4, and it changes
photographs that need nothing by a mean fMSE of {introduced:.0f}. {verdict}

The composites are those of the [development score](development.md), each at its own size; `95 %` is a bootstrap
interval over photographs, places or scenes. None of them was trained on.

{subsets}

## Beside published figures

{published}

## Is it sure when it is right?

The network has two regressors, whose thetas are averaged; the mean distance between them is its doubt. The `best
multiple` is the number by which all changes of a row would have to be multiplied to leave least: below 1 too much was
done. Photographs that need nothing are among them.

{by_doubt}

{by_change}

## The worst {shown}

By what is left of the composite's fMSE; the pictures themselves may not be passed on, so
[a sheet of free photographs](../../docs/worst_and_median.jpg) shows what such cases look like.

{worst}

## The middle {shown}

{middle}

{machine} {seconds:.0f} s. `{command}`
"""


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="holds the folders of pictures")
    parser.add_argument("--weights", type=Path, help="a checkpoint folder; else what ships")
    parser.add_argument("--json", type=Path, help="also write every picture's figures there")
    parser.add_argument("--page", type=Path, default=RESULTS)
    options = parser.parse_args()
    for path in filter(None, (options.json, options.page)):
        atomic.check_place(path)  # before the work, not after
    began = time.perf_counter()
    harmonizer = Harmonizer.load(options.weights)
    network = checkpoint.load(options.weights or WEIGHTS).eval()
    wanted = (case for case in cases(options.data) if case.sample.foreground.any())
    measured = [measure(harmonizer, network, case) for case in wanted]
    command = "python benchmarks/full_size.py --data DIR"
    atomic.write_file(options.page, page(measured, options.data, command, time.perf_counter() - began).encode())
    if options.json:
        atomic.write_file(options.json, json.dumps([asdict(each) for each in measured], indent=1).encode())
    print(options.page)


if __name__ == "__main__":
    main()
