"""The tables of the results page, in Markdown."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from report import grid

from paper_tables.runs import Reports, Run

METRICS = {"mse": "MSE ↓", "fmse": "fMSE ↓", "psnr": "PSNR ↑"}
# Table 4 of the paper: the whole test set of iHarmony4.
PAPER = {"mse": "24.26", "psnr": "37.84"}
PUBLISHED = {"Harmonizer": "harmonizer", "DCCF": "DCCF", "PCT-Net ViT": "PCTNet_ViT"}


def number(value: float | None, metric: str = "fmse") -> str:
    """A score as the paper prints it; a dash for what is undefined."""
    if value is None:
        return "–"
    digits = {"ssim": 4, "psnr": 2, "psnr_released": 2, "mse": 2}.get(metric, 1)
    return f"{value:.{digits}f}"


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


def whole_table(reports: Reports) -> str:
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


def bucket_table(reports: Reports, network: str) -> str:
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


def worst(reports: Reports, network: str, count: int) -> list[tuple[Run, str, float, float]]:
    """The pictures of which `network` leaves the largest share of the composite's fMSE: run, name, before, after."""
    cases = [
        (run, picture["name"], picture["scores"]["composite"]["fmse"], picture["scores"][network]["fmse"])
        for run, report in reports
        for picture in report["pictures"]
    ]
    return sorted(cases, key=lambda case: case[3] / case[2], reverse=True)[:count]


def worst_table(reports: Reports, network: str) -> str:
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
