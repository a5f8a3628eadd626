"""Estimates as rows: for the terminal and for CSV files."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from harmonizer.study.adjustments import FilterUse
from harmonizer.study.ranking import Ranking

Row = dict[str, str | int | float]


def filter_rows(uses: Sequence[FilterUse]) -> list[Row]:
    """One row a filter: the paper's Fig. 2 in numbers."""
    return [
        {
            "filter": use.name,
            "participants": use.participants,
            "answers": len(use.theta),
            "mean": use.mean,
            "variance": use.variance,
            **dict(zip(("lower_quartile", "median", "upper_quartile"), use.quartiles, strict=True)),
            "importance": use.importance.value,
            "importance_low": use.importance.low,
            "importance_high": use.importance.high,
        }
        for use in uses
    ]


def method_rows(ranking: Ranking) -> list[Row]:
    """One row a method, the best first."""
    return [
        {
            "method": entry.method,
            "wins": entry.wins,
            "comparisons": entry.comparisons,
            "score": entry.score.value,
            "score_low": entry.score.low,
            "score_high": entry.score.high,
        }
        for entry in ranking.scores
    ]


def format_csv(rows: Sequence[Row]) -> str:
    """CSV with a line of names; numbers in full precision."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
