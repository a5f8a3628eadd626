"""The two distributions and where their projects are."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.release.commands import ROOT


@dataclass(frozen=True)
class Project:
    """A distribution by its name on the package index, its package, and the folder of its pyproject.toml."""

    name: str
    package: str
    folder: str  # from the repository's root

    @property
    def metadata(self) -> dict[str, Any]:
        """The table `project` of its pyproject.toml."""
        text = (ROOT / self.folder / "pyproject.toml").read_text(encoding="utf-8")
        return dict(tomllib.loads(text)["project"])

    @property
    def version(self) -> str:
        """Its version in pyproject.toml."""
        return str(self.metadata["version"])

    def wheel_in(self, folder: Path) -> Path:
        """The one wheel of it in a folder."""
        [wheel] = folder.glob(f"{self.name.replace('-', '_')}-*.whl")
        return wheel

    def sdist_in(self, folder: Path) -> Path:
        """The one source distribution of it in a folder."""
        [sdist] = folder.glob(f"{self.name.replace('-', '_')}-*.tar.gz")
        return sdist


FILTERS = Project("whitebox-filters", "whitebox_filters", "whitebox_filters")
HARMONIZER = Project("whitebox-harmonizer", "harmonizer", ".")
PROJECTS = (FILTERS, HARMONIZER)
