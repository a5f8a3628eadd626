"""Virtual environments that hold named distributions and nothing else, made without a package index."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, distribution, distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def read_wheel(wheel: Path) -> Distribution:
    [packed] = distributions(path=[str(wheel)])
    return packed


def needed(requirements: Iterable[str], wheels: dict[str, Distribution]) -> set[str]:
    """Names of all distributions that the requirements need; metadata of `wheels` come first, then those installed."""
    visited: set[tuple[str, str]] = set()
    pending = [Requirement(text) for text in requirements]
    while pending:
        requirement = pending.pop()
        name = canonicalize_name(requirement.name)
        for extra in {"", *requirement.extras}:
            if (name, extra) not in visited:
                visited.add((name, extra))
                pending += _required(wheels.get(name) or distribution(name), extra)
    return {name for name, _ in visited}


def _required(source: Distribution, extra: str) -> Iterator[Requirement]:
    for text in source.requires or []:
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
            yield requirement


class EmptyEnvironment:
    """A virtual environment in `folder`; of what is installed here, it sees the named distributions alone."""

    def __init__(self, folder: Path, visible: Iterable[str]) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.home.mkdir(parents=True)
        venv.create(folder / "venv", symlinks=True)
        self.bin = folder / "venv" / "bin"
        [self.site] = (folder / "venv" / "lib").glob("python*/site-packages")
        links = folder / "links"
        links.mkdir()
        for name in visible:
            _link(distribution(name), links)
        (self.site / "links.pth").write_text(f"{links}\n")

    def install(self, *arguments: str | Path) -> None:
        """`pip install`, with the packages that are visible as the only index."""
        options = ["install", "--no-index", "--no-build-isolation", "--disable-pip-version-check"]
        self._check([sys.executable, "-m", "pip", "--python", self.bin / "python", *options, *arguments])

    def run(self, command: str, *arguments: str | Path) -> str:
        """What a command of the environment prints, run in the home folder; its exit code is 0."""
        return self._check([self.bin / command, *arguments])

    def _check(self, command: list[str | Path]) -> str:
        finished = subprocess.run(
            command,
            cwd=self.home,
            env={"PATH": f"{self.bin}{os.pathsep}{os.defpath}", "HOME": str(self.home)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert finished.returncode == 0, finished.stdout + finished.stderr
        return finished.stdout


def _link(installed: Distribution, folder: Path) -> None:
    """Links to the top-level files and folders of a distribution, its metadata among them."""
    for top in {file.parts[0] for file in installed.files or []} - {"..", "__pycache__"}:
        (folder / top).symlink_to(installed.locate_file(top))
