"""Ctrl-C at moments that are hard to hit: while something is imported, and while a file is written."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harmonizer.cli import interrupts, memory
from harmonizer.pictures import io

ROOT = Path(io.__file__).parents[2]

# A finder that is asked first, and finds the moment of an import.
INTERRUPTED = """
import runpy, sys
class Finder:
    def find_spec(self, name, path, target=None):
        if name == {module!r}:
            {act}
sys.meta_path.insert(0, Finder())
runpy.run_module("harmonizer", run_name="__main__")
"""
RAISED = "raise KeyboardInterrupt"
SWALLOWED = "raise ImportError('initialization failed') from KeyboardInterrupt()"  # as pybind11 has it


@pytest.mark.parametrize("act", [RAISED, SWALLOWED])
@pytest.mark.parametrize("module", ["typer", "numpy", "harmonizer.video.coding.reader", "onnxruntime"])
def test_while_loading(tmp_path, module, act):
    code = INTERRUPTED.format(module=module, act=act)
    arguments = ("video", "clip.mp4", "mask.mp4", "-o", str(tmp_path / "out.mp4"))
    ended = subprocess.run([sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == interrupts.EXIT_CODE
    assert ended.stderr.startswith("error: stopped by Ctrl-C")
    assert ended.stderr.count("\n") == 1
    assert ended.stdout == ""
    assert not list(tmp_path.iterdir())


def test_while_a_picture_is_written(files, run, monkeypatch):
    def interrupted(path, data):
        with path.open("wb") as file:
            file.write(data[:100])
        raise KeyboardInterrupt

    before = set(files.iterdir())
    monkeypatch.setattr(Path, "write_bytes", interrupted)
    code, out, err = run("run", files / "composite.png", files / "mask.png", "-o", files / "out.png")
    assert (code, out, err) == (interrupts.EXIT_CODE, "", "error: stopped by Ctrl-C\n")
    assert set(files.iterdir()) == before


def test_the_interrupt_that_led_to_an_error():
    stop, middle, error = KeyboardInterrupt(), ImportError(), ValueError()
    error.__context__, middle.__cause__ = middle, stop
    assert interrupts.find_interrupt(error) is stop
    assert interrupts.find_interrupt(ValueError()) is None


def test_an_error_among_its_own_causes():
    first, second = OSError(), ValueError()
    first.__context__, second.__cause__ = second, first
    assert interrupts.find_interrupt(second) is None
    assert memory.find_lack(second) is None
