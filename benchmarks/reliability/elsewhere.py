"""Faults around a command: inputs that vanish, another process, the clock, the cache of compiled code, the home."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from reliability import mounts
from reliability.commands import Ended, environment, files, parts, run
from reliability.disks import NOBODY
from reliability.rows import Row
from reliability.trials import Job, Trial, attempt, jobs, undisturbed

TWICE = 20
CLOCKS = ("+3650d", "-3650d", "+2h x50", "-1h x0.1")
"""Of libfaketime: an offset, and how fast the clock goes; a jump in the middle of a command comes on top."""


def same_output(command: str, folder: Path) -> list[Row]:
    """Two processes with one output at the same time: each ends well, or by one line; what is there is whole."""
    trial = Trial("two of `run`, `video`, `batch`, `train` with the same output at once")
    refused = 0
    made = jobs(folder)
    whole = {job.name: undisturbed(job, folder / f"whole-{job.name}") for job in made}
    for number in range(TWICE):
        job, out = made[number % len(made)], folder / f"out{number}"
        out.mkdir()
        ended: list[Ended] = []
        threads = [threading.Thread(target=lambda: ended.append(attempt(job, out))) for _ in range(2)]  # noqa: B023
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        refused += sum(each.code == 2 for each in ended)
        for each in ended:
            trial.judge(f"pair {number}", each, job, out, whole[job.name], {})
        if not any(each.code == 0 for each in ended) or job.outputs(out) != whole[job.name]:
            trial.faults.append(f"{job.name}, pair {number}: {[each.errors[-200:] for each in ended]}")
    row = trial.row(command)
    note = f"{2 * TWICE - refused} of the {2 * TWICE} were done, {refused} refused with one line"
    return [Row(row.fault, command, TWICE, row.lost, note, row.faults)]


def clock(command: str, folder: Path) -> list[Row]:
    """A clock that is wrong, runs too fast, and jumps back and forth while the command runs."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not found:
        raise mounts.SkippedError("libfaketime is not here; apt-get install faketime")
    trial = Trial(
        "a clock that is ten years off, too fast, too slow, or jumps twice a second, for `run`, `video`, `batch`"
    )
    file = folder / "clock"
    for job in jobs(folder, ("run", "video", "batch")):
        expected = undisturbed(job, folder / f"whole-{job.name}")
        for number, start in enumerate((*CLOCKS, "jumps")):
            out = folder / f"{job.name}{number}"
            out.mkdir()
            file.write_text(start if start != "jumps" else "+0")
            over = threading.Event()
            jumper = threading.Thread(target=_jump, args=(file, over))
            if start == "jumps":
                jumper.start()
            variables = {"LD_PRELOAD": str(found[0]), "FAKETIME_TIMESTAMP_FILE": str(file), "FAKETIME_NO_CACHE": "1"}
            ended = attempt(job, out, FAKETIME_DONT_FAKE_MONOTONIC="1", **variables)
            over.set()
            if start == "jumps":
                jumper.join()
            trial.judge(start, ended, job, out, expected, {})
            if ended.code:
                trial.faults.append(f"{job.name}, {start}: exit code {ended.code}: {ended.errors[-200:]}")
    return [trial.row(command)]


def _jump(file: Path, over: threading.Event) -> None:
    for number in range(10**6):
        part = file.with_suffix(".new")
        part.write_text(("-400d", "+400d")[number % 2])
        part.replace(file)
        if over.wait(0.5):
            return


def cache(command: str, folder: Path) -> list[Row]:
    """Entries that are cut off, of other bytes, of another entry, empty, folders; each is made anew."""
    (job,) = jobs(folder, ("run",))
    expected = undisturbed(job, folder / "whole")
    good = folder / "cache"
    out = folder / "first"
    out.mkdir()
    attempt(job, out, WHITEBOX_FILTERS_CACHE=str(good))
    names = sorted(path.name for path in good.iterdir())
    contents = [(good / name).read_bytes() for name in names]

    def damage(kind: str, number: int) -> bytes:
        content = contents[number]
        return {
            "cut off": content[: len(content) // 2],
            "empty": b"",
            "other bytes": content[:200] + bytes(byte ^ 255 for byte in content[200:400]) + content[400:],
            "garbage": os.urandom(len(content)),
            "digest alone": content[:32],
            "another entry's": contents[(number + 1) % len(contents)],
            "of another format": content[32:],
        }[kind]

    kinds = ("cut off", "empty", "other bytes", "garbage", "digest alone", "another entry's", "of another format")
    trial = Trial(f"all {len(names)} entries of the cache of compiled code damaged or foreign, in {len(kinds)} ways")
    for kind in kinds:
        place = folder / "damaged"
        place.mkdir()
        for number, name in enumerate(names):
            (place / name).write_bytes(damage(kind, number))
        bad = files(place)
        out = folder / "out"
        out.mkdir()
        ended = attempt(job, out, WHITEBOX_FILTERS_CACHE=str(place))
        trial.judge(kind, ended, job, out, expected, {})
        after = files(place)
        if ended.code or set(after) != set(names) or any(after[name] == bad[name] for name in names):
            trial.faults.append(f"{kind}: exit code {ended.code}, entries that were not made anew")
        shutil.rmtree(place)
        shutil.rmtree(out)
    return [trial.row(command)]


def home(command: str, folder: Path) -> list[Row]:
    """A home that cannot be written, is not there, or is unknown: the commands work all the same."""
    trial = Trial(
        "`run`, `video`, `batch`, `train` with a home that is read-only, is missing, or of nobody, and no cache"
    )
    ways: dict[str, tuple[Sequence[str], dict[str, str | None]]] = {
        "read-only": (NOBODY, {"HOME": "/"}),
        "missing": (NOBODY, {"HOME": "/there/is/none"}),
        "a user without a home": (["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups"], {"HOME": None}),
    }
    for job in jobs(folder):
        expected = undisturbed(job, folder / f"whole-{job.name}")
        for way, (prefix, variables) in ways.items():
            with tempfile.TemporaryDirectory() as name:
                out = Path(name) / "out"
                out.mkdir()
                subprocess.run(["chmod", "-R", "a+rwX", name, str(folder)], check=True)
                env = {key: value for key, value in {**environment(), **variables}.items() if value is not None}
                for key in ("XDG_CACHE_HOME", "WHITEBOX_FILTERS_CACHE"):
                    env.pop(key, None)
                ended = run([*prefix, *job.line(out)], env)
                trial.judge(way, ended, job, out, expected, {})
                if ended.code:
                    trial.faults.append(f"{job.name}, {way}: exit code {ended.code}: {ended.errors[-300:]}")
    return [trial.row(command)]


def vanished(command: str, folder: Path) -> list[Row]:
    """Inputs that are removed or cut off at moments of a command: it ends by one line, or has read them before."""
    rows = []
    for name in ("run", "video", "batch"):
        trial = Trial(f"an input of `{name}` removed, or cut to half, at eight moments of the command")
        place = folder / name
        place.mkdir()
        (job,) = jobs(place, (name,))
        start = time.monotonic()
        expected = undisturbed(job, place / "whole")
        seconds = time.monotonic() - start
        for number in range(8):
            _vanish(trial, job, place, expected, seconds * number / 8, remove=number % 2 == 0)
        rows.append(trial.row(command))
    return rows


def _vanish(trial: Trial, job: Job, place: Path, expected: dict[str, str], after: float, *, remove: bool) -> None:
    inputs = sorted(path for path in place.rglob("*") if path.suffix in (".png", ".mp4") and "whole" not in path.parts)
    kept = {path: path.read_bytes() for path in inputs}
    out = place / "out"
    out.mkdir()
    ended: list[Ended] = []
    thread = threading.Thread(target=lambda: ended.append(attempt(job, out)))
    thread.start()
    time.sleep(after)
    for path, data in kept.items():
        if remove:
            path.unlink()
        else:
            os.truncate(path, len(data) // 2)
    thread.join()
    how = f"{'removed' if remove else 'cut'} after {after:.1f} s"
    if ended[0].code == 0 and not remove and job.name == "video":
        expected = job.outputs(out)  # half a film may be a whole shorter one
    elif job.name == "batch" and ended[0].code == 0:
        expected = {name: digest for name, digest in expected.items() if name in job.outputs(out)}
    trial.judge(how, ended[0], job, out, expected, {})
    if left := parts(out):
        trial.faults.append(f"{job.name}, {how}: left {left}")
    shutil.rmtree(out)
    for path, data in kept.items():
        path.write_bytes(data)
