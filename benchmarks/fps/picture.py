"""The results as a picture: frames per second against filters, on a log scale."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
from baselines import CONTENDERS

from fps.cases import FULL, QUARTER, Case, Results


def draw(results: Results, path: Path) -> None:
    """Two panels, one for each mask, at the size of the ratios."""
    figure, panels = plt.subplots(1, 2, figsize=(12, 5), sharey=True, layout="constrained")
    for panel, mask in zip(panels, (FULL, QUARTER), strict=True):
        for index, contender in enumerate(CONTENDERS):
            cases = [Case(results.main, mask, count, contender.name) for count in results.counts]
            points = [(case.count, 1 / seconds) for case in cases if (seconds := results.median(case)) is not None]
            if points:
                panel.plot(
                    *zip(*points, strict=True), marker="o", markersize=4, color=f"C{index}", label=contender.name
                )
        panel.set(xscale="log", yscale="log", xlabel="filters", title=f"{results.main}, mask: {mask}")
        panel.set_xticks(results.counts, [str(count) for count in results.counts])
        panel.minorticks_off()
        panel.grid(alpha=0.3)
    panels[0].set_ylabel("frames per second")
    panels[1].legend(fontsize=8, loc="center left", bbox_to_anchor=(1.01, 0.5))
    figure.savefig(path, dpi=110)
    plt.close(figure)
