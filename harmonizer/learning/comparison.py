"""Tables of variants that were trained from several seeds, in which a difference within noise is called so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev, variance
from typing import Any

Cell = Mapping[str, Any]

# Two-sided 95 % quantiles of Student's t for 1, 2, ... degrees of freedom; the last serves for more, being the wider.
T95 = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23)

COLUMNS = {
    "eq8_mse": ("Eq. 8: MSE", 100, " %"),
    "eq8_fmse": ("fMSE", 100, " %"),
    "eq8_psnr": ("PSNR", 1, " dB"),
    "imitated_fmse": ("imitated: fMSE", 100, " %"),
}
"""Key of a cell -> heading, factor, unit."""
JUDGED = {"eq8_fmse": "Eq. 8", "imitated_fmse": "imitated"}


@dataclass(frozen=True)
class Row:
    """One row of a table: for each draw of the variant (mostly there is one) its cells, a seed each."""

    label: str
    draws: list[list[Cell]]
    paper: str = ""

    def values(self, key: str) -> list[float]:
        """What varies independently: the seeds, or the means of several draws, whose own spread is the larger."""
        if len(self.draws) == 1:
            return [cell[key] for cell in self.draws[0]]
        return [fmean(cell[key] for cell in cells) for cells in self.draws if cells]


def verdict(values: Sequence[float], base: Sequence[float]) -> str:
    """Whether `values` are `lower` or `higher` than `base` by Welch's t test at 5 %, two-sided; else `noise`.

    `?` if either has fewer than two values: then there is no spread to judge by.
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
    """The tables, each with the base as its first row, and what their figures mean."""
    lines = ["# Ablations", "", f"Setting: {', '.join(f'{key} {value}' for key, value in setting.items())}.", "", NOTE]
    for name, rows in sections.items():
        headings = ["", "runs", *(heading for heading, _, _ in COLUMNS.values()), *_judged(), "paper: MSE / PSNR"]
        lines += ["", f"## {name}", "", _line(headings), _line(["---"] * len(headings))]
        lines += [_line(_describe(row, rows[0])) for row in rows]
    return "\n".join(lines) + "\n"


NOTE = """\
Every variant is trained from several seeds and measured on photographs kept from training. MSE (all pixels), fMSE
(foreground) and PSNR compare with the composites before: shares of their error that are left, and decibels gained, as
mean ± standard deviation. "Eq. 8" composites were distorted by the paper's six filters; "imitated" ones by colour
transfer, retouching and relighting, none of which is a filter; renditions, which are made by filters, are learned from
but not measured. The verdict compares the fMSE (lower is better) with that of the first row by Welch's t test at 5 %: a
difference within noise is called noise, and of twenty variants that make none one will be called a difference. Rows of
several random draws of filters vary over the draws, not the seeds.

The paper's figures are on iHarmony4 at 256 px after full training: compare their order, not their size. Without the
dynamic loss the L_i of all filters are added up. The paper does not name the two filters that make its eight: here they
are tint and gamma."""


def _describe(row: Row, base: Row) -> list[str]:
    runs = sum(len(cells) for cells in row.draws)
    figures = [_spread(row.values(key), factor, unit) for key, (_, factor, unit) in COLUMNS.items()]
    verdicts = ["" if row is base else verdict(row.values(key), base.values(key)) for key in JUDGED]
    return [row.label, str(runs), *figures, *verdicts, row.paper]


def _judged() -> list[str]:
    return [f"verdict, {name}" for name in JUDGED.values()]


def _spread(values: Sequence[float], factor: float, unit: str) -> str:
    if not values:
        return ""
    mean = f"{factor * fmean(values):z.1f}"
    return f"{mean} ± {factor * stdev(values):.1f}{unit}" if len(values) > 1 else mean + unit


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
