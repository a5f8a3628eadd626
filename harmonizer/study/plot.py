"""The paper's Fig. 2: how important the filters are, and which theta people choose."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from harmonizer.errors import OutputError
from harmonizer.study.adjustments import FilterUse
from harmonizer.study.study import HIGHEST, LOWEST

FORMATS = (".png", ".svg")


def check_format(path: Path) -> None:
    """Raise OutputError for a name that ends otherwise than in .png or .svg."""
    if path.suffix.lower() not in FORMATS:
        raise OutputError(f"{path} names no format of a plot; end it in {' or '.join(FORMATS)}")


def draw(uses: Sequence[FilterUse], format: str) -> bytes:
    """On the left the mean importance with its interval, on the right a box of theta for each filter.

    A box holds the middle half of the answers, with the median as a line and the mean as a point; the whiskers end at
    the last answer within 1.5 times its height.
    """
    names = [use.name.replace("_", " ") for use in uses]
    figure = Figure(figsize=(10, 4), layout="constrained")  # no window, no global state
    left, right = figure.subplots(1, 2)
    values = [use.importance.value for use in uses]
    # An interval that is unknown has no whisker.
    below, above = (
        [abs(end - use.importance.value) for use, end in zip(uses, ends, strict=True)]
        for ends in ([use.importance.low for use in uses], [use.importance.high for use in uses])
    )
    left.bar(names, [value - LOWEST for value in values], bottom=LOWEST, yerr=(below, above), capsize=4)
    left.set_ylim(LOWEST, HIGHEST)
    left.set_ylabel(f"importance, {LOWEST} to {HIGHEST}")
    right.axhline(0, color="0.8", linewidth=1)
    right.boxplot([use.theta for use in uses], tick_labels=names, showmeans=True, meanprops={"marker": "."})
    right.set_ylim(-1.05, 1.05)
    right.set_ylabel("theta")
    for axes in (left, right):
        axes.tick_params(axis="x", rotation=30)
    file = io.BytesIO()
    figure.savefig(file, format=format, dpi=150)
    return file.getvalue()
