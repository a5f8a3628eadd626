"""No kernel reads or writes beside its arrays. A process of its own, since what does so ends it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="pages are guarded in Linux's way")


def run(*arguments):
    command = [sys.executable, str(Path(__file__).with_name("guarded_kernels.py")), *arguments]
    return subprocess.run(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)


@pytest.mark.parametrize("side", ["before", "behind"])
def test_a_byte_too_far_is_seen(side):
    done = run("--beyond", side)
    assert done.returncode == -11
    assert "nothing happened" not in done.stdout


def test_odd_sizes_masks_and_cascades():
    done = run("--cases", "6")
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout == "6 cases\n"
