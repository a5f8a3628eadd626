"""Runs the evaluations and writes docs/results.md: the paper's Tables 1 and 2 on the pictures that there are.

From the repository root: python benchmarks/tables.py --data DIR, where DIR holds the folders iharmony4_sample
(with published.csv), webcam, triples_256 and photos. Each evaluation is one `harmonizer evaluate`, whose report is
left in --reports; with --reuse those already there are not run again.
"""

from __future__ import annotations

import argparse
import csv
import json
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from cold_start import describe_machine

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "docs" / "results.md"
BASELINES = ("reinhard", "mkl", "statistics")
METRICS = {"mse": "MSE ↓", "fmse": "fMSE ↓", "psnr": "PSNR ↑"}
# Table 4 of the paper: the whole test set of iHarmony4.
PAPER = {"mse": "24.26", "psnr": "37.84"}
PUBLISHED = {"Harmonizer": "harmonizer", "DCCF": "DCCF", "PCT-Net ViT": "PCTNet_ViT"}


@dataclass(frozen=True)
class Run:
    """One evaluation: a folder of DIR, how to read it and at what size, and the learners."""

    folder: str
    title: str
    layout: str
    size: str
    learners: tuple[str, ...]

    @property
    def report(self) -> str:
        return f"{self.folder}_{self.size}.json"

    def command(self, data: Path, reports: Path, weights: Path | None) -> list[str]:
        """Arguments of `harmonizer`."""
        learners = [word for learner in self.learners for word in ("--learner", learner)]
        own = ["--weights", str(weights)] if weights else []
        source = ["--data", str(data / self.folder), "--layout", self.layout, "--size", self.size]
        return ["evaluate", *source, *learners, *own, "--json", str(reports / self.report)]


def runs(network: str) -> list[Run]:
    """The four of Table 1 and the two of Table 2."""
    learners = (*BASELINES, network, "oracle")
    full = (*BASELINES, network, f"{network}+pcm", "oracle")
    return [
        Run("iharmony4_sample", "5 of iHarmony4", "iharmony4", "256", learners),
        Run("webcam", "webcam, foreground from another hour", "iharmony4", "256", learners),
        Run("triples_256", "3 triples", "triples", "256", learners),
        # Made by the filters themselves, these say nothing about the oracle.
        Run("photos", "held-out photographs, Eq. 8", "photos", "256", (*BASELINES, network)),
        Run("iharmony4_sample", "5 of iHarmony4", "iharmony4", "full", full),
        Run("webcam", "webcam, foreground from another hour", "iharmony4", "full", full),
    ]


def number(value: float | None, metric: str = "fmse") -> str:
    """A score as the paper prints it; a dash for what is undefined."""
    if value is None:
        return "–"
    digits = {"ssim": 4, "psnr": 2, "psnr_released": 2, "mse": 2}.get(metric, 1)
    return f"{value:.{digits}f}"


def grid(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def best(cells: list[str], metric: str, among: range) -> list[str]:
    """The best of the cells in bold."""
    values = {float(cells[index]): index for index in among if cells[index] != "–"}
    if values:
        chosen = values[max(values) if metric == "psnr" else min(values)]
        cells[chosen] = f"**{cells[chosen]}**"
    return cells


def paper_table(report: dict[str, Any], *, published: bool) -> str:
    """Tables 1 and 2: three rows a subset and three for all, a column a learner."""
    summary = report["summary"]
    groups = [name for name in summary if not name.startswith("foreground") and name != "all"]
    learners = list(summary["all"])
    blind = [index for index, learner in enumerate(learners) if learner not in ("composite", "oracle")]
    rows = []
    for group in groups if len(groups) == 1 else [*groups, "all"]:
        for metric, title in METRICS.items():
            cells = [number(summary[group][learner][metric], metric) for learner in learners]
            cells = best(cells, metric, range(blind[0], blind[-1] + 1))
            pictures = summary[group]["composite"]["pictures"]
            paper = [PAPER.get(metric, "–") if group == "all" else "–"] if published else []
            rows.append([f"{group} ({pictures})", title, *cells, *paper])
    return grid(["", "", *learners, *(["paper, all of iHarmony4"] if published else [])], rows)


def whole_table(reports: list[tuple[Run, dict[str, Any]]]) -> str:
    """Every measure of every learner, by set of pictures."""
    rows = []
    for run, report in reports:
        for learner, means in report["summary"]["all"].items():
            measures = [number(means[metric], metric) for metric in ("mse", "fmse", "psnr", "psnr_released", "ssim")]
            ratio = means["fmse"] / report["summary"]["all"]["composite"]["fmse"]
            shares = ["", ""] if learner == "composite" else [f"{ratio:.0%}", f"{means['improved']:.0%}"]
            title = f"{run.title}, {run.size} ({means['pictures']})" if learner == "composite" else ""
            rows.append([title, learner, *measures, *shares])
    header = ["pictures", "learner", "MSE", "fMSE", "PSNR", "PSNR, released script", "SSIM", "fMSE left", "improved"]
    return grid(header, rows)


def bucket_table(reports: list[tuple[Run, dict[str, Any]]], network: str) -> str:
    """Mean fMSE of composite, statistics and network by the foreground's share of the picture."""
    rows = []
    for run, report in reports:
        for bucket, means in report["summary"].items():
            if not bucket.startswith("foreground"):
                continue
            shown = [number(means[learner]["fmse"]) for learner in ("composite", "statistics", network)]
            count, improved = means[network]["pictures"], means[network]["improved"]
            rows.append([run.title, bucket.removeprefix("foreground "), str(count), *shown, f"{improved:.0%}"])
    return grid(["pictures", "foreground", "number", "composite", "statistics", network, "improved"], rows)


def worst(reports: list[tuple[Run, dict[str, Any]]], network: str, count: int) -> list[tuple[Run, str, float, float]]:
    """The pictures of which `network` leaves the largest share of the composite's fMSE: run, name, before, after."""
    cases = [
        (run, picture["name"], picture["scores"]["composite"]["fmse"], picture["scores"][network]["fmse"])
        for run, report in reports
        for picture in report["pictures"]
    ]
    return sorted(cases, key=lambda case: case[3] / case[2], reverse=True)[:count]


def worst_table(reports: list[tuple[Run, dict[str, Any]]], network: str) -> str:
    """The worst ten, a row each."""
    rows = [
        [name, run.title, number(before), number(after), f"{after / before:.2f}"]
        for run, name, before, after in worst(reports, network, 10)
    ]
    return grid(["picture", "of", "fMSE before", "after", "after / before"], rows)


def published_table(report: dict[str, Any], published: Path, network: str) -> str:
    """Each fMSE at full size of the pictures for which published figures are at hand, a row a picture."""
    figures = {row["name"]: row for row in csv.DictReader(published.read_text().splitlines()) if row["composite_fMSE"]}
    shown = ("composite", network, f"{network}+pcm", "oracle")
    rows = []
    for picture in report["pictures"]:
        if row := figures.get(picture["name"]):
            ours = [number(picture["scores"][learner]["fmse"], "mse") for learner in shown]
            theirs = [f"{float(row[f'{key}_fMSE']):.2f}" for key in ("composite", *PUBLISHED.values())]
            rows.append([picture["name"], *ours, *theirs])
    return grid(["fMSE", *shown, *(f"{name}, published" for name in ("composite", *PUBLISHED))], rows)


def interval(pictures: list[dict[str, Any]], learner: str) -> tuple[float, float]:
    """Between what the share of the composites' fMSE that is left lies for 95 % of such sets of pictures.

    By bootstrap. Composites of one photograph and mask, whose names differ after the last underscore, are drawn as one.
    """
    made: dict[str, list[tuple[float, float]]] = {}
    for picture in pictures:
        scores = picture["scores"]
        photograph = picture["name"].rpartition("_")[0] or picture["name"]
        made.setdefault(photograph, []).append((scores["composite"]["fmse"], scores[learner]["fmse"]))
    sums = np.array([np.sum(pairs, axis=0) for pairs in made.values()])
    drawn = np.random.default_rng(0).integers(len(sums), size=(10_000, len(sums)))
    before, after = sums[drawn].sum(axis=1).T
    low, high = np.quantile(after / before, (0.025, 0.975))
    return float(low), float(high)


def decision(reports: list[tuple[Run, dict[str, Any]]], network: str) -> str:
    """What follows from the tables, in a sentence a set of pictures."""
    lines = []
    for run, report in reports:
        means = report["summary"]["all"]
        left = {learner: means[learner]["fmse"] / means["composite"]["fmse"] for learner in (*BASELINES, network)}
        first = min(left, key=lambda learner: left[learner])
        low, high = interval(report["pictures"], network)
        lines.append(
            f"- {run.title}: {network} leaves {left[network]:.0%} of the composites' fMSE (other pictures of the kind: "
            f"{low:.0%} to {high:.0%}) and improves {means[network]['improved']:.0%}; least is left by {first} "
            f"({left[first]:.0%})."
        )
    return "\n".join(lines)


def page(reports: list[tuple[Run, dict[str, Any]]], network: str, data: Path, weights: Path | None) -> str:
    """The whole of docs/results.md."""
    small, full = ([pair for pair in reports if pair[0].size == size] for size in ("256", "full"))

    def commands(chosen: list[tuple[Run, dict[str, Any]]]) -> str:
        lines = [shlex.join(["harmonizer", *run.command(Path("DIR"), Path("OUT"), weights)]) for run, _ in chosen]
        return "```\n" + "\n".join(lines) + "\n```"

    first = [
        f"### {run.title}\n\n{paper_table(report, published=run.folder.startswith('iharm'))}" for run, report in small
    ]
    second = [f"### {run.title}\n\n{paper_table(report, published=False)}" for run, report in full]
    sample = next(report for run, report in full if run.folder == "iharmony4_sample")
    wins = all(
        report["summary"]["all"][network]["fmse"]
        <= min(report["summary"]["all"][name]["fmse"] for name in (*BASELINES, "composite"))
        for _, report in small
    )
    verdict = (
        f"**Decision.** Ship `{network}`: it comes closer to the truth than every baseline on every set of pictures."
        if wins
        else f"**Decision.** `{network}` does not yet beat every baseline on every set of pictures: where `statistics` "
        "leaves less, the network still has to learn what two regions' means and deviations say already."
    )
    return TEXT.format(
        verdict=verdict,
        decision=decision(small, network),
        machine=describe_machine(),
        first="\n\n".join(first),
        first_commands=commands(small),
        second="\n\n".join(second),
        second_commands=commands(full),
        published=published_table(sample, data / "iharmony4_sample" / "published.csv", network),
        buckets=bucket_table(small, network),
        whole=whole_table(reports),
        worst=worst_table(small, network),
    )


def main() -> None:
    """Evaluate, then write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder of the four folders of pictures")
    parser.add_argument("--reports", type=Path, default=Path("out/tables"), help="where the JSON reports go")
    parser.add_argument("--reuse", action="store_true", help="take the reports that are there already")
    parser.add_argument("--weights", type=Path, help="a checkpoint folder instead of the one shipped")
    parser.add_argument("--network", default="cascade", help="the regressor that the checkpoint has")
    options = parser.parse_args()
    options.reports.mkdir(parents=True, exist_ok=True)
    chosen = runs(options.network)

    def evaluate(run: Run) -> None:
        if not (options.reuse and (options.reports / run.report).is_file()):
            command = run.command(options.data, options.reports, options.weights)
            print(shlex.join(["harmonizer", *command]), flush=True)
            process = [sys.executable, "-m", "harmonizer", *command]
            subprocess.run(process, check=True, stdout=subprocess.DEVNULL)

    with ThreadPoolExecutor(2) as pool:  # the longest last would leave one core idle
        list(pool.map(evaluate, reversed(chosen)))
    reports = [(run, json.loads((options.reports / run.report).read_text())) for run in chosen]
    RESULTS.write_text(page(reports, options.network, options.data, options.weights))


TEXT = """\
# Results

{verdict} By fMSE at 256 x 256:

{decision}

What other pictures of the kind would give is a 95 % interval by bootstrap over the photographs and masks of the set.

None of these pictures was trained on, but copies of some of the held-out photographs were, under other names;
[copies.md](../benchmarks/results/copies.md) tells how much that is worth. All scores are on the scale 0-255 after
rounding to 8 bits; the foreground is mask > 127, and outside it the real picture is pasted in. `oracle` knows the
truth: no setting of the six filters does better than it by much. `reinhard` and `mkl` move the foreground's colours to
the background's; `statistics` predicts theta from the regions' means and deviations without a network. The best of what
does not know the truth is bold.

{machine} One command makes this page: `python benchmarks/tables.py --data DIR`.

## Table 1: 256 x 256

{first}

{first_commands}

The paper's figures are means over the whole test set of iHarmony4 (its Table 4), which holds other pictures than
these: they tell the order of magnitude, not who is better.

## Table 2: full size

`+pcm` harmonizes at 256 x 256 and brings the result to full size by a polynomial colour map.

{second}

{second_commands}

Picture by picture beside published figures at full size, for the pictures that have any:

{published}

## By size of the foreground

fMSE at 256 x 256; `improved` is the network's share of pictures that came closer to the truth.

{buckets}

## Worst cases

Of all sets at 256 x 256, by what `fMSE` became; `python benchmarks/worst_cases.py --data DIR` draws them.

{worst}

Typical failures, on composites made of freely licensed photographs (`python benchmarks/worst_cases.py`): a cast along
green and magenta, light from one side and wrong hues are beyond six global filters, and a foreground that needs
nothing is changed all the same.

![composite, harmonized, real picture and mask, a row each](failures.jpg)

## All measures

`PSNR` has the data range 255; the paper's released script takes the span of the output, which is the column beside
it. SSIM: Gaussian window of deviation 1.5. `fMSE left` is the fMSE as a share of the composites'.

{whole}
"""


if __name__ == "__main__":
    main()
