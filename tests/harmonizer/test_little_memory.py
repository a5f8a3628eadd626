"""Too little memory, wherever it shows: one line that says so, and no output."""

from __future__ import annotations

import errno
import subprocess
import sys

import av
import pytest

from harmonizer.cli import memory
from harmonizer.errors import CheckpointError
from harmonizer.pictures import files as picture_files


@pytest.mark.parametrize(
    "cause",
    [
        MemoryError(),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        OSError("libllvmlite.so: failed to map segment from shared object"),
        RuntimeError("Exception during initialization: std::bad_alloc"),
        RuntimeError("can't start new thread"),
        av.error.BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable"),
    ],
)
def test_it_is_found_behind_other_errors(files, run, monkeypatch, cause):
    def lacking(*_):
        raise CheckpointError("get the checkpoint again") from cause

    before = set(files.iterdir())
    monkeypatch.setattr(picture_files, "run", lacking)
    code, out, err = run("run", files / "composite.png", files / "mask.png", "-o", files / "out.png")
    assert (code, out) == (2, "")
    assert err.startswith("error: there is not enough memory; ")
    assert err.count("\n") == 1
    assert set(files.iterdir()) == before


def test_other_errors_are_none():
    assert memory.find_lack(ValueError("the mask has no memory of its picture")) is None
    assert memory.find_lack(OSError(errno.ENOSPC, "No space left on device")) is None
    assert memory.find_lack(BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")) is None  # of a lock


def test_while_the_command_line_is_loaded():
    code = """
import runpy, sys
class Finder:
    def find_spec(self, name, path, target=None):
        if name == "typer":
            raise MemoryError
sys.meta_path.insert(0, Finder())
runpy.run_module("harmonizer", run_name="__main__")
"""
    ended = subprocess.run([sys.executable, "-c", code, "run"], capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr.startswith("error: there is not enough memory; ")
    assert ended.stderr.count("\n") == 1
