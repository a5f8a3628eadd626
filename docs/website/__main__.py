"""Collects the pages in build/docs, builds build/site strictly, and checks its links. Exit code 1 for any warning."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from website.links import check
from website.stage import stage

ROOT = Path(__file__).parents[2]


def main() -> int:
    """Build the site."""
    pages = stage(ROOT, ROOT / "build/docs")
    # Of this checkout, whatever is installed.
    path = os.pathsep.join([str(ROOT), str(ROOT / "docs")])
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean"]
    if subprocess.run(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": path}, check=False).returncode:
        return 1
    mistakes = check(ROOT / "build/site")
    print("\n".join([*mistakes, f"{len(pages)} pages in build/site, {len(mistakes)} mistakes in links"]))  # noqa: T201
    return 1 if mistakes else 0


if __name__ == "__main__":
    sys.exit(main())
