"""Writes docs/platforms.md: python -m tools.release.platforms, by requirements/release.txt and the package index."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from packaging.requirements import Requirement

from tools.release.commands import ROOT, ReleaseError
from tools.release.distributions import FILTERS, PROJECTS
from tools.release.environments import PYTHONS

PAGE = ROOT / "docs" / "platforms.md"
PLATFORMS = {
    "Linux, x86-64": "x86_64-manylinux_2_28",
    "Linux, ARM": "aarch64-manylinux_2_28",
    "macOS 15, Apple silicon": "aarch64-apple-darwin",
    "macOS 15, Intel": "x86_64-apple-darwin",
    "Windows, x86-64": "x86_64-pc-windows-msvc",
}
UV = str(Path(sys.executable).with_name("uv"))
OURS = {project.name: project for project in PROJECTS}
FOR_DEVELOPMENT = {"test", "bench", "dev", "docs"}
INTRODUCTION = """# Platforms

Both distributions are pure Python: they run wherever their dependencies have wheels. This page says where that was so
on {date}, by what the package index had; `make platforms` asks it again. Installed and run were Python 3.11, 3.12, 3.13
and 3.14 on Linux, x86-64, and nothing else: that a wheel exists for a platform does not show that Harmonizer works
there. A requirement counts as lacking where no release of it that the project accepts has a wheel, or what it needs has
none.

"""


def requirements(name: str, extra: str) -> list[str]:
    """What a distribution or an extra of it requires from others, with what our own in it require."""
    own = OURS[name].metadata
    result: list[str] = []
    for text in own["optional-dependencies"][extra] if extra else own["dependencies"]:
        required = Requirement(text)
        if required.name in OURS:
            result += [each for inner in ["", *required.extras] for each in requirements(required.name, inner)]
        else:
            result.append(text)
    return list(dict.fromkeys(result))


def groups() -> dict[str, list[str]]:
    """Title to requirements: both distributions, then each extra for users, by itself."""
    result = {project.name: requirements(project.name, "") for project in PROJECTS}
    for project in PROJECTS:
        for extra in project.metadata["optional-dependencies"]:
            if extra not in FOR_DEVELOPMENT and (project, extra) != (FILTERS, "numba"):
                result[f"`{project.name}[{extra}]`"] = requirements(project.name, extra)
    return result


def has_wheels(required: list[str], python: str, platform: str) -> bool:
    """Whether pip finds a set of wheels, and nothing but wheels, for a Python version and a platform."""
    options = ["--quiet", "--no-config", "--no-python-downloads", f"--python={sys.executable}"]
    options += ["--only-binary=:all:", f"--python-version={python}"]
    command = [UV, "pip", "compile", *options, f"--python-platform={platform}", "-"]
    text = "\n".join(required)
    environment = os.environ | {"MACOSX_DEPLOYMENT_TARGET": "15.0"}
    finished = subprocess.run(command, input=text, env=environment, capture_output=True, text=True, check=False)
    if finished.returncode and "no solution found" not in finished.stderr.lower():
        raise ReleaseError(f"uv did not answer: {finished.stderr.strip()}")
    return finished.returncode == 0


def lacking(required: list[str], python: str, platform: str) -> list[str]:
    """The requirements that have no wheels there, by themselves; all of them if only the whole set has none."""
    if has_wheels(required, python, platform):
        return []
    alone = [Requirement(text).name for text in required if not has_wheels([text], python, platform)]
    return list(dict.fromkeys(alone or (Requirement(text).name for text in required)))


def gaps(python: str, platform: str) -> dict[str, list[str]]:
    """Title of a group to its requirements without wheels there; groups that have all of them are left out."""
    everything = [text for required in groups().values() for text in required]
    if has_wheels(everything, python, platform):
        return {}
    with ThreadPoolExecutor() as threads:
        found = threads.map(lambda required: lacking(required, python, platform), groups().values())
        return {title: names for title, names in zip(groups(), found, strict=True) if names}


def cell(names: dict[str, list[str]]) -> str:
    """What a group lacks, by Python version."""
    pythons: dict[str, list[str]] = {}
    for python, lacked in names.items():
        pythons.setdefault(", ".join(lacked), []).append(python)
    texts = [f"no wheel of {lacked}{_where(each)}" for lacked, each in pythons.items()]
    return "; ".join(texts) or "all"


def _where(pythons: list[str]) -> str:
    return "" if pythons == list(PYTHONS) else f" for {', '.join(pythons)}"


def rows() -> Iterator[str]:
    """The Markdown table, a line at a time. Raises ReleaseError if a distribution cannot be installed on Linux."""
    pairs = [(name, python) for name in PLATFORMS for python in PYTHONS]
    with ThreadPoolExecutor(len(pairs)) as threads:  # they wait for the index
        found = dict(zip(pairs, threads.map(lambda pair: gaps(pair[1], PLATFORMS[pair[0]]), pairs), strict=True))
    yield f"| Python {PYTHONS[0]} to {PYTHONS[-1]} | {' | '.join(PLATFORMS)} |"
    yield "|---" * (len(PLATFORMS) + 1) + "|"
    for title in groups():
        cells = {
            name: cell({python: found[name, python][title] for python in PYTHONS if title in found[name, python]})
            for name in PLATFORMS
        }
        yield f"| {title} | {' | '.join(cells.values())} |"
        if title in OURS and cells["Linux, x86-64"] != "all":
            raise ReleaseError(f"{title} on Linux, x86-64: {cells['Linux, x86-64']}")


if __name__ == "__main__":
    today = datetime.now(UTC).strftime("%-d %B %Y")
    PAGE.write_text(INTRODUCTION.format(date=today) + "\n".join(rows()) + "\n", encoding="utf-8", newline="\n")
