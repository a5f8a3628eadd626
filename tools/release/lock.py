"""Locks what development and the release install: python -m tools.release.lock [--upgrade].

Each requirements/NAME.in becomes requirements/NAME.txt: one version of every distribution for all platforms and
Pythons, with the hashes of its files. uv resolves them, since pip locks one platform at a time; pip installs them
(`--require-hashes`), so that those who serve large wheels from a disk or an index of their own go on doing so. A
version that is locked stays as long as it suits.
"""

from __future__ import annotations

import sys

from tools.release.commands import ROOT, run
from tools.release.distributions import PROJECTS

FOLDER = ROOT / "requirements"
OLDEST_PYTHON = "3.11"
HEADER = "# Made by `make lock` from {source}; do not edit.\n"


def lock(name: str, *options: str) -> None:
    """Write requirements/NAME.txt."""
    source, locked = FOLDER / f"{name}.in", FOLDER / f"{name}.txt"
    ours = [f"--no-emit-package={project.name}" for project in PROJECTS]
    flags = ["--quiet", "--universal", "--generate-hashes", "--no-annotate", "--no-header", "--no-config"]
    run("uv", "pip", "compile", *flags, f"--python-version={OLDEST_PYTHON}", *ours, *options, source, "-o", locked)
    text = HEADER.format(source=source.name) + locked.read_text(encoding="utf-8")
    locked.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    for each in ("dev", "release"):
        lock(each, *sys.argv[1:])
