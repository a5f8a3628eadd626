"""Commands as a user starts them, and what they left."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SECONDS = 300.0
"""After which a command counts as hanging."""


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code, None where it hung, and what it printed."""

    code: int | None
    out: str
    errors: str

    @property
    def is_plain_error(self) -> bool:
        """One line on standard error and exit code 2. Warnings and a bar of progress before it do not count."""
        lines = [line for line in self.errors.splitlines() if line.strip() and not _is_other(line)]
        return self.code == 2 and len(lines) == 1 and lines[0].startswith("error: ")


def _is_other(line: str) -> bool:
    return line.startswith("warning: ") or "\N{BOX DRAWINGS HEAVY HORIZONTAL}" in line


def environment(**more: str) -> dict[str, str]:
    """That of this process, with this checkout, and variables that a test run sets left out."""
    return {**os.environ, "PYTHONPATH": str(ROOT), **more}


def harmonizer(*arguments: object) -> list[str]:
    """The command line of `harmonizer`."""
    return [sys.executable, "-m", "harmonizer", *map(str, arguments)]


def run(command: Sequence[str], env: Mapping[str, str] | None = None, seconds: float = SECONDS) -> Ended:
    """Run a command to its end."""
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env=environment() if env is None else dict(env),
        start_new_session=True,
    )
    try:
        out, errors = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        out, errors = process.communicate()
        return Ended(None, out, errors)
    return Ended(process.returncode, out, errors)


def files(folder: Path, ignore: Sequence[str] = ()) -> dict[str, str]:
    """The SHA-256 of all files below a folder, by name, without those whose path has a part named in `ignore`."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not set(path.relative_to(folder).parts) & set(ignore)
    }


def parts(folder: Path) -> list[str]:
    """Files that were to be renamed and were not."""
    return sorted(path.name for path in folder.rglob("*") if path.name.endswith(".part") or path.name == "part")
