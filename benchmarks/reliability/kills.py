"""SIGKILL at points spread over the whole duration of a command, and what the same command makes of it afterwards."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import statistics
import subprocess
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.numpy

from reliability import forks, make
from reliability.commands import SECONDS, Ended, environment, files, harmonizer, parts, run
from reliability.growth import wait
from reliability.rows import Row

TIMES = 50
"""Of each command: all rows of one together."""
BATCH = ("harmonizer.cli.app", "harmonizer.batch.run", "pyarrow.parquet", "onnxruntime", "llvmlite.binding")
TRAINING = ("harmonizer.cli.app", "harmonizer.learning.run")
LOCKS = ("lock", "report.parquet.lock")
ATTEMPTS = 6  # to hit a command before its end

Command = Callable[[Path, bool], Sequence[str]]
"""The command line that writes to a folder; True: after a kill."""


@dataclass(frozen=True)
class Victim:
    """A command that is killed. `outputs` are the final names below its folder, `ignore` parts of those that vary."""

    name: str
    command: Command
    outputs: Callable[[Path], dict[str, str]]
    whole_group: bool = False  # whether its other processes are killed with it
    loaded: tuple[str, ...] = ()  # modules that are loaded before it starts; none: it is killed while it loads, too


def kill(victim: Victim, fault: str, command: str, times: int) -> Row:
    """Kill, look at what is left, start again, and compare with a run that nothing happened to."""
    chance, faults, left, early = random.Random(victim.name), [], Counter[str](), 0
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        seconds = statistics.median(_time(victim, base / f"whole{number}") for number in range(3))
        expected = victim.outputs(base / "whole0")
        for number in range(times):
            folder = base / f"killed{number}"
            folder.mkdir()
            if not _kill(victim, folder, seconds * (number + chance.random()) / times):
                early += 1
            broken = {key: value for key, value in victim.outputs(folder).items() if expected.get(key) != value}
            left.update(_describe(each) for each in parts(folder))
            ended = _finish(victim, folder, base / "said", again=True)
            found = victim.outputs(folder)
            still = parts(folder) + [each for each in LOCKS if (folder / each).exists()]
            if bad := [each for each in broken if not (victim.name == "train" and _is_whole(folder / each))]:
                faults.append(f"kill {number}: broken {sorted(bad)}")
            if ended.code or "Traceback" in ended.errors:
                faults.append(f"kill {number}: started again, exit code {ended.code}: {ended.errors[-300:]}")
            elif found != expected:
                differing = sorted(key for key in found.keys() | expected.keys() if found.get(key) != expected.get(key))
                faults.append(f"kill {number}: started again, other bytes in {differing}")
            if still:
                faults.append(f"kill {number}: left after the second run: {still}")
    remains = ", ".join(f"{count} x {what}" for what, count in sorted(left.items())) or "nothing"
    note = f"of {seconds:.1f} s; left by the kills: {remains}"
    if left:
        note += ", which the second run removed"
    if early:
        note += f"; {early} of the commands had ended before"
    return Row(fault, command, times, len(faults), note, tuple(faults[:20]))


def _time(victim: Victim, folder: Path) -> float:
    folder.mkdir()
    start = time.monotonic()
    ended = _finish(victim, folder, folder.with_suffix(".said"), again=False)
    if ended.code:
        raise RuntimeError(f"{victim.name} fails by itself: {ended.errors[-1000:]}")
    return time.monotonic() - start


def _finish(victim: Victim, folder: Path, said: Path, *, again: bool) -> Ended:
    command = victim.command(folder, again)
    return forks.run(command, victim.loaded, said, SECONDS) if victim.loaded else run(command)


def _start(victim: Victim, folder: Path) -> subprocess.Popen[bytes] | forks.Fork:
    command = victim.command(folder, False)
    if victim.loaded:
        return forks.Fork(command, victim.loaded)
    null = subprocess.DEVNULL
    return subprocess.Popen(command, stdout=null, stderr=null, env=environment(), start_new_session=True)


def _kill(victim: Victim, folder: Path, seconds: float) -> bool:
    """Start the command and kill it after so long, or sooner if it ended before; whether a kill met it."""
    for _ in range(ATTEMPTS):
        process = _start(victim, folder)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            if victim.whole_group:
                os.killpg(process.pid, signal.SIGKILL)
            process.kill()
            if isinstance(process, subprocess.Popen):
                process.wait()
            _wait_for_group(process.pid)
            return True
        for path in sorted(folder.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        seconds *= 0.9
    return False


def _wait_for_group(group: int) -> None:
    """Return when the last process of the group has ended. Raises TimeoutError."""

    def is_over() -> bool:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        return False

    wait(is_over)


def _is_whole(path: Path) -> bool:
    """Whether a file of a training, which changes from checkpoint to checkpoint, can be read to its end."""
    try:
        if path.suffix == ".pt":
            with zipfile.ZipFile(path) as archive:
                return archive.testzip() is None
        if path.suffix == ".safetensors":
            return bool(safetensors.numpy.load(path.read_bytes()))
        return bool(json.loads(path.read_text()))
    except (OSError, ValueError, zipfile.BadZipFile, safetensors.SafetensorError):
        return False


def _values(path: Path) -> str:
    """A digest of what torch reads from a file, in which --resume leaves the same values in another order."""
    import torch

    try:
        state = torch.load(path, weights_only=True)
    except (OSError, RuntimeError, zipfile.BadZipFile):
        return "broken"
    digest = hashlib.sha256()

    def add(value: Any) -> None:
        if isinstance(value, dict):
            value = [each for pair in value.items() for each in pair]
        if isinstance(value, list | tuple):
            for each in value:
                add(each)
        else:
            digest.update(value.numpy().tobytes() if isinstance(value, torch.Tensor) else repr(value).encode())

    add(state)
    return digest.hexdigest()


def _describe(name: str) -> str:
    return "hidden .harmonizer-ID.part" if name.startswith(".harmonizer-") else name


def victims(folder: Path) -> dict[str, list[tuple[Victim, str]]]:
    """The commands by name, each with what is told of it, and their inputs made in `folder`."""
    image, mask = make.pair(folder, "picture", 0, (700, 1000))
    composite, clip_mask = make.clip(folder, 40, (120, 160))
    pictures = make.pairs(folder / "pictures", 24, (200, 300))
    photos, recipe = make.photographs(folder / "photos"), make.recipe(folder / "recipe.json", 3)

    def run_command(out: Path, _: bool) -> list[str]:
        more = [*("--edit", out / "edit.json"), *("--lut", out / "grade.cube"), *("--delta", out / "delta.tif")]
        return harmonizer("run", image, mask, "-o", out / "out.png", *more)

    def video_command(out: Path, _: bool) -> list[str]:
        more = ("--theta-out", out / "theta.jsonl", "--lut", out / "grade.cube", "--mask-out", out / "used.mp4")
        return harmonizer("video", composite, clip_mask, "-o", out / "out.mp4", *more)

    def batch_command(workers: int) -> Command:
        more = ("--edit", "--workers", workers, "--progress", "none")
        return lambda out, _: harmonizer("batch", pictures, "-o", out, *more)

    def train_command(out: Path, again: bool) -> list[str]:
        if again and (out / "last.pt").exists():
            return harmonizer("train", photos, out, "--resume")
        return harmonizer("train", photos, out, "--recipe", recipe)

    def all_of(out: Path) -> dict[str, str]:
        return {name: digest for name, digest in files(out).items() if not Path(name).name.startswith(".")}

    def pictures_of(out: Path) -> dict[str, str]:
        return {name: digest for name, digest in all_of(out).items() if name.endswith((".png", ".json"))}

    def weights_of(out: Path) -> dict[str, str]:
        found = files(out, ignore=("tensorboard", "log.jsonl"))
        return {
            name: _values(out / name) if name.endswith(".pt") else digest
            for name, digest in found.items()
            if not Path(name).name.startswith(".") and name != "lock"
        }

    one, two = batch_command(1), batch_command(2)
    return {
        "run": [(Victim("run", run_command, all_of), "`run`, a picture of 1000 x 700 with three further outputs")],
        "video": [(Victim("video", video_command, all_of), "`video`, 40 frames with three further outputs")],
        "batch": [
            (
                Victim("batch", one, pictures_of, loaded=BATCH),
                "`batch`, 24 pictures, one process; its libraries are loaded before",
            ),
            (Victim("batch2", two, pictures_of), "`batch`, 24 pictures, two workers, of which the parent is killed"),
            (Victim("batch3", two, pictures_of, True), "`batch`, 24 pictures, two workers, all killed at once"),
        ],
        "train": [
            (
                Victim("train", train_command, weights_of, loaded=TRAINING),
                "`train`, 3 steps with a checkpoint each; its libraries are loaded before",
            )
        ],
    }
