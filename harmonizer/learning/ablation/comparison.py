"""Tables of variants that were trained from several seeds, which say whether a difference is noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev, variance
from typing import Any

Run = Mapping[str, Any]
"""Scores of one trained network, as a line of runs.jsonl holds them."""

# Two-sided 95 % quantiles of Student's t for 1, 2, ... degrees of freedom; the last serves for more, being the wider.
T95 = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23)

COLUMNS = {
    "eq8_mse": ("Eq. 8: MSE", 100, " %"),
    "eq8_fmse": ("fMSE", 100, " %"),
    "eq8_psnr": ("PSNR", 1, " dB"),
    "imitated_fmse": ("imitated: fMSE", 100, " %"),
}
"""Key of a run -> heading, factor, unit."""
COMPARED = {"eq8_fmse": "Eq. 8", "imitated_fmse": "imitated"}


@dataclass(frozen=True)
class Row:
    """One row of a table: for each random set of filters (other variants have one set) its runs, one for each seed."""

    label: str
    sets: list[list[Run]]
    paper: str = ""

    def values(self, key: str) -> list[float]:
        """The independent values of a score: of the seeds, or the means of several sets, whose spread is larger."""
        if len(self.sets) == 1:
            return [run[key] for run in self.sets[0]]
        return [fmean(run[key] for run in runs) for runs in self.sets if runs]


def verdict(values: Sequence[float], base: Sequence[float]) -> str:
    """Whether `values` are `lower` or `higher` than `base` by Welch's t test at 5 %, two-sided; else `noise`.

    `?` if either has fewer than two values, and so no spread.
    """
    if min(len(values), len(base)) < 2:
        return "?"
    errors = [variance(each) / len(each) for each in (values, base)]
    difference = fmean(values) - fmean(base)
    if difference == 0:
        return "noise"
    if sum(errors) > 0:
        freedom = sum(errors) ** 2 / sum(e**2 / (len(v) - 1) for e, v in zip(errors, (values, base), strict=True))
        if abs(difference) <= T95[min(int(freedom), len(T95)) - 1] * sum(errors) ** 0.5:
            return "noise"
    return "lower" if difference < 0 else "higher"


def markdown(sections: Mapping[str, Sequence[Row]], setting: Mapping[str, Any]) -> str:
    """The tables, each with the base as its first row, and the meaning of their figures."""
    lines = ["# Ablations", "", f"Setting: {', '.join(f'{key} {value}' for key, value in setting.items())}.", "", NOTE]
    for name, rows in sections.items():
        headings = [
            "",
            "runs",
            *(heading for heading, _, _ in COLUMNS.values()),
            *_verdict_headings(),
            "paper: MSE / PSNR",
        ]
        lines += ["", f"## {name}", "", _line(headings), _line(["---"] * len(headings))]
        lines += [_line(_describe(row, rows[0])) for row in rows]
    return "\n".join(lines) + "\n"


NOTE = """\
Every variant is trained from several seeds and measured on held-out photographs. MSE (all pixels) and fMSE
(foreground) are shares of the composites' error that are left, PSNR is the gain in decibels; all are mean ± standard
deviation. "Eq. 8" composites are distorted by the paper's six filters, "imitated" ones by colour transfer, retouching
and relighting, none of which is a filter. Renditions are made by filters, so they are trained on but not measured. The
verdict compares the fMSE (lower is better) with that of the first row by Welch's t test at 5 %, and calls a difference
within noise "noise"; of twenty variants without any effect it will call one a difference. The spread of rows with
several random sets of filters is that of the sets, not of the seeds.

The paper's figures are on iHarmony4 at 256 px after full training: compare their order, not their size. Without the
dynamic loss the L_i of all filters are added up. The paper does not name the two additional filters of its eight; here
they are tint and gamma."""


def _describe(row: Row, base: Row) -> list[str]:
    runs = sum(map(len, row.sets))
    figures = [_spread(row.values(key), factor, unit) for key, (_, factor, unit) in COLUMNS.items()]
    verdicts = ["" if row is base else verdict(row.values(key), base.values(key)) for key in COMPARED]
    return [row.label, str(runs), *figures, *verdicts, row.paper]


def _verdict_headings() -> list[str]:
    return [f"verdict, {name}" for name in COMPARED.values()]


def _spread(values: Sequence[float], factor: float, unit: str) -> str:
    if not values:
        return ""
    mean = f"{factor * fmean(values):z.1f}"
    return f"{mean} ± {factor * stdev(values):.1f}{unit}" if len(values) > 1 else mean + unit


def _line(columns: Sequence[str]) -> str:
    return f"| {' | '.join(columns)} |"
