from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

from whitebox_filters.native.cache import CACHE_VARIABLE, cache_folder

os.environ["HF_HUB_OFFLINE"] = "1"  # read when timm is imported: no test waits for a network

ROOT = Path(__file__).parents[1]

settings.register_profile("default", derandomize=True, deadline=None, max_examples=15)
settings.register_profile("thorough", deadline=None, max_examples=300)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

RunPython = Callable[..., str]
RunScript = Callable[[str, Path], subprocess.CompletedProcess[str]]


@pytest.fixture
def run_python() -> RunPython:
    """Run code in a fresh interpreter that can import this checkout; return what it prints, fail if it fails."""

    def run(code: str, **environment: str) -> str:
        finished = subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONPATH": str(ROOT), "PATH": str(Path(sys.executable).parent)} | environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert finished.returncode == 0, finished.stderr
        return finished.stdout

    return run


@pytest.fixture(scope="session")
def compiled_code() -> dict[str, str]:
    """The environment by which a process with a home of its own finds the code that others compiled.

    It takes half a minute to compile it anew.
    """
    return {CACHE_VARIABLE: str(cache_folder() or "")}


@pytest.fixture(scope="session")
def run_script(tmp_path_factory: pytest.TempPathFactory) -> RunScript:
    """Run lines of bash in a folder, up to the first that fails; `harmonizer` there is the one of this checkout."""
    programs = tmp_path_factory.mktemp("programs")
    (programs / "harmonizer").write_text(f'#!/bin/sh\nexec {sys.executable} -m harmonizer "$@"\n')
    (programs / "harmonizer").chmod(0o755)
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"

    def run(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-c", "set -euo pipefail\n" + script],
            cwd=folder,
            env=os.environ | {"PATH": path, "PYTHONPATH": str(ROOT), "COLUMNS": "80"},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def shell_blocks() -> Callable[[str], list[str]]:
    """The blocks of shell commands in the text of a page."""
    return re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL).findall
