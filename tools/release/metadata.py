"""What package indexes and their readers see of the built files."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from tools.release.commands import ReleaseError, run
from tools.release.distributions import FILTERS, HARMONIZER, PROJECTS


def check(packages: Path) -> Iterator[str]:
    """Metadata that the index accepts, READMEs that it can show, wheels without strays, versions that agree."""
    files = sorted(packages.iterdir())
    yield from run(sys.executable, "-m", "twine", "check", "--strict", *files).strip().splitlines()
    wheels = [project.wheel_in(packages) for project in PROJECTS]
    yield from run(sys.executable, "-m", "check_wheel_contents", *wheels).strip().splitlines()
    if FILTERS.version != HARMONIZER.version:
        raise ReleaseError(f"{FILTERS.name} is {FILTERS.version}, {HARMONIZER.name} is {HARMONIZER.version}")
    if f"{FILTERS.name}[numba]=={FILTERS.version}" not in HARMONIZER.metadata["dependencies"]:
        raise ReleaseError(f"{HARMONIZER.name} does not require {FILTERS.name}[numba]=={FILTERS.version}")
    yield f"both are version {FILTERS.version}"
