from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

os.environ["HF_HUB_OFFLINE"] = "1"  # read when timm is imported: no test waits for a network

ROOT = Path(__file__).parents[1]

settings.register_profile("default", derandomize=True, deadline=None, max_examples=15)
settings.register_profile("thorough", deadline=None, max_examples=300)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

RunPython = Callable[..., str]


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
