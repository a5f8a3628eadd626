"""The held-out score against the composites learned from, over one run of training after another.

From the repository root: python benchmarks/training_curve.py RUN [RUN ...], in order of time. A RUN is a folder that
`harmonizer train` wrote: its log.jsonl and its recipe.json are read. Writes results/training_curve.md and .png.

A score is the mean, over the kinds of held-out composites that all runs share, of the squared error left over the one
before. Eq. 8 is left out: its composites are made by a network's own filters, so that they differ between networks.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from report import grid

RESULTS = Path(__file__).parent / "results"
LEFT_OUT = "eq8"
WORTH = 0.01  # two seeds of one recipe differ by 0.006 to 0.011 of the development score


@dataclass(frozen=True)
class Run:
    """What one run was and how its score went."""

    name: str
    recipe: Mapping[str, Any]
    milestones: Sequence[Mapping[str, float]]
    steps: int  # done, of those that the recipe has

    @property
    def composites(self) -> int:
        """How many it learned from."""
        return self.steps * int(self.recipe["batch_size"])


@dataclass(frozen=True)
class Point:
    """A score, and the composites that were learned from until then, in this run and those before it."""

    run: str
    composites: int
    score: float
    untouched: float  # the mean fMSE of photographs that needed nothing


def read(folder: Path) -> Run:
    """Raises SystemExit where the folder holds no run, or a run without a score."""
    try:
        recipe = json.loads((folder / "recipe.json").read_text())
        rows = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    except FileNotFoundError as error:
        raise SystemExit(f"{error.filename} is missing; give folders that `harmonizer train` wrote") from None
    milestones = [row for row in rows if "score" in row]
    if not milestones:
        raise SystemExit(f"{folder} has no score yet; a run writes one every 500 steps, at least ten in all")
    return Run(folder.name, recipe, milestones, rows[-1]["step"])


def shared_kinds(runs: Sequence[Run]) -> list[str]:
    """The kinds of composites, other than LEFT_OUT, of which every milestone has an error to reduce."""
    rows = [row for run in runs for row in run.milestones]
    names = [key.removesuffix("_before") for key in rows[0] if key.endswith("_before")]
    return [name for name in names if name != LEFT_OUT and all(row.get(f"{name}_before", 0) > 0 for row in rows)]


def points(runs: Sequence[Run]) -> Iterator[Point]:
    """Every milestone of every run, in order."""
    kinds, before = shared_kinds(runs), 0
    for run in runs:
        for row in run.milestones:
            shares = [row[f"{kind}_after"] / row[f"{kind}_before"] for kind in kinds]
            composites = before + int(row["step"]) * int(run.recipe["batch_size"])
            yield Point(run.name, composites, sum(shares) / len(shares), row["untouched_after"])
        before += run.composites


def decide(found: Sequence[Point]) -> str:
    """Whether to go on: what the second half of all composites brought, against WORTH."""
    half = found[-1].composites / 2
    best = min(point.score for point in found)
    first = min((point.score for point in found if point.composites <= half), default=found[0].score)
    said = (
        f"The best score of the first {half:,.0f} composites is {first:.3f}, of all {found[-1].composites:,} {best:.3f}"
    )
    if first - best < WORTH:
        return f"Look for other photographs or another network, not for more steps. {said}: less than {WORTH} better."
    return f"Train on. {said}."


def row(run: Run, found: Sequence[Point]) -> list[str]:
    """What a run was, and its first, best and last score."""
    own = [point for point in found if point.run == run.name]
    best = min(own, key=lambda point: point.score)
    rates = [run.recipe[f"{part}_learning_rate"] for part in ("head", "encoder")]
    return [
        run.name,
        str(len(run.recipe["network"]["filters"])),
        " and ".join(f"{rate:g}" for rate in rates),
        f"{run.composites:,}",
        f"{own[0].score:.3f}",
        f"**{best.score:.3f}** at {best.composites:,}",
        f"{own[-1].score:.3f}",
        f"{best.untouched:.0f}",
    ]


def draw(found: Sequence[Point], path: Path) -> None:
    """A line for each run."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axis = plt.subplots(figsize=(9, 4.5), layout="constrained")
    for name in dict.fromkeys(point.run for point in found):
        own = [point for point in found if point.run == name]
        axis.plot([point.composites / 1e6 for point in own], [point.score for point in own], "o-", label=name)
    axis.set(xlabel="composites learned from, in millions, over all runs", ylabel="held-out score without Eq. 8")
    axis.grid(alpha=0.3)
    axis.legend(title="run")
    figure.savefig(path, dpi=100)
    plt.close(figure)


PAGE = """\
# Score against composites learned from

**Decision.** {decision}

![A line for each run](training_curve.png)

{table}

The score is the mean share of the squared error that is left on held-out composites, over these kinds:
{kinds}.
Those of Eq. 8 are left out, because a network's own filters make them. `rates` are those of heads and encoder;
`untouched` is the mean fMSE of held-out photographs that needed nothing. The best is in bold, with the composites of
all runs until then. The size of thumbnails, the mixture of composites and what is trained differ between runs:
[tried](tried.md).

`python benchmarks/training_curve.py {runs}`
"""


def page(runs: Sequence[Run]) -> str:
    """The results page."""
    found = list(points(runs))
    header = ["run", "filters", "rates", "composites", "first", "best", "last", "untouched, at the best"]
    return PAGE.format(
        decision=decide(found),
        table=grid(header, [row(run, found) for run in runs]),
        kinds=", ".join(shared_kinds(runs)).replace("_", "-"),
        runs=" ".join(run.name for run in runs),
    )


def main() -> None:
    """Read the runs, print and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="+", help="folders of training runs, in order of time")
    runs = [read(folder) for folder in parser.parse_args().runs]
    if len({run.name for run in runs}) < len(runs):
        raise SystemExit("two of the folders have the same name; rename one of them")
    text = page(runs)
    draw(list(points(runs)), RESULTS / "training_curve.png")
    (RESULTS / "training_curve.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
