"""Type checkers on a program that uses the public names, as its author runs them beside the installed wheels."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tools.release.commands import NotRun, run
from tools.release.environments import Environment

PROGRAM = Path(__file__).parent / "smoke" / "user_program.py"
PYRIGHT = {"typeCheckingMode": "strict", "include": [PROGRAM.name]}


def mypy(python: Path, folder: Path) -> str:
    """What `mypy --strict` says of the program. Raises ReleaseError for an error."""
    options = ["--strict", f"--python-executable={python}", f"--cache-dir={folder / 'mypy'}"]
    return run(sys.executable, "-m", "mypy", *options, _copy(folder), cwd=folder).strip()


def pyright(command: str, python: Path, folder: Path) -> str:
    """What pyright, or a program like it, says of the program. Raises ReleaseError for an error or a warning."""
    _copy(folder)
    (folder / "pyrightconfig.json").write_text(json.dumps(PYRIGHT), encoding="utf-8")
    return run(command, "--warnings", f"--pythonpath={python}", cwd=folder).strip().splitlines()[-1]


def _copy(folder: Path) -> str:
    """Put the program where no source is beside it, which checkers would read in place of what is installed."""
    (folder / PROGRAM.name).write_bytes(PROGRAM.read_bytes())
    return PROGRAM.name


def check(environment: Environment, folder: Path) -> Iterator[str]:
    """Both checkers on the program in an environment. Raises NotRun where pyright cannot be fetched."""
    yield f"mypy --strict: {mypy(environment.python, folder)}"
    bin_folder = Path(sys.executable).parent
    started = subprocess.run([bin_folder / "pyright", "--version"], capture_output=True, text=True, check=False)
    if started.returncode:
        raise NotRun(f"pyright cannot be fetched from npm: {started.stderr.strip()[-200:]}")
    yield f"{started.stdout.strip()}, strict: {pyright(str(bin_folder / 'pyright'), environment.python, folder)}"
