"""How the release runs other programs, and what it calls its parts."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]


class ReleaseError(Exception):
    """A check that failed: the distributions must not be published."""


class NotRun(Exception):  # noqa: N818 - nothing is known to be wrong
    """A check that could not be made here; the text says why, and how to make it elsewhere."""


def run(*command: str | Path, cwd: Path = ROOT, env: Mapping[str, str] | None = None) -> str:
    """What a command prints; it is looked for beside this Python first.

    Raises ReleaseError with all that it said if its exit code is not 0.
    """
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    finished = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**os.environ, "PATH": path, **(env or {})},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if finished.returncode:
        said = (finished.stdout + finished.stderr).strip()
        raise ReleaseError(f"exit code {finished.returncode} from {' '.join(map(str, command))}\n{said}")
    return finished.stdout
