"""What all results pages are made of: tables, figures with their spread, and the machine."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np

VERSIONS = ("numpy", "onnxruntime", "pillow", "imagecodecs", "tifffile", "typer", "rich")


def grid(header: Iterable[str], rows: Iterable[Iterable[str]], texts: int = 1) -> str:
    """A Markdown table. The first `texts` columns are text, the others figures."""
    names = list(header)
    lines = [names, *map(list, rows)]
    head, *rest = ("| " + " | ".join(line) + " |" for line in lines)
    return "\n".join([head, "|" + "---|" * texts + "---:|" * (len(names) - texts), *rest])


def digits(value: float) -> str:
    """A figure with three digits."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def median_and_quartiles(values: Sequence[float]) -> str:
    """The median, and the quartiles in brackets, with three digits each."""
    lower, middle, upper = (digits(quartile) for quartile in np.percentile(values, [25, 50, 75]))
    return f"{middle} ({lower} to {upper})"


def median_and_range(values: Sequence[float], places: int = 2) -> str:
    """The median, and the least and the largest in brackets."""
    middle, low, high = statistics.median(values), min(values), max(values)
    return f"{middle:.{places}f} ({low:.{places}f} to {high:.{places}f})"


def describe_machine() -> str:
    """Processor, cores, load, and the versions of what is measured."""
    models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    processor = models[0].partition(": ")[2] if models else platform.machine()
    versions = ", ".join(f"{name} {version(name)}" for name in VERSIONS)
    return (
        f"{processor}, {os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f} at the end; "
        f"{platform.system()}, Python {platform.python_version()}, {versions}."
    )
