"""A full disk at every stage, and folders that cannot be written."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from reliability import mounts
from reliability.rows import Row
from reliability.trials import Job, Trial, attempt, jobs, undisturbed

STEPS = 6
"""Amounts of free space, from nothing to as much as the outputs take and their parts beside them."""
MEGABYTES = 64
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


def full(command: str, folder: Path) -> list[Row]:
    """Outputs to a disk with too little space: a new folder of outputs, and one with outputs of before."""
    rows = []
    for job in jobs(folder):
        trial = Trial(f"`{job.name}` to a full disk, {STEPS} amounts of free space, without and with earlier outputs")
        whole = folder / f"whole-{job.name}"
        expected = undisturbed(job, whole)
        needed = 2 * sum(path.stat().st_size for path in whole.rglob("*") if path.is_file())
        for earlier in (False, True):
            if earlier and job.name == "train":
                continue  # refuses a folder with a run
            for step in range(STEPS):
                _try_full(trial, job, folder / "disk", expected, needed * step // STEPS, earlier=earlier)
        rows.append(trial.row(command))
    return rows


def _try_full(trial: Trial, job: Job, disk: Path, expected: dict[str, str], left: int, *, earlier: bool) -> None:
    with mounts.small_disk(disk, MEGABYTES):
        out = disk / "out"
        out.mkdir()
        if earlier:
            for name in expected:
                (out / name).parent.mkdir(parents=True, exist_ok=True)
                (out / name).write_bytes(b"of before")
        before = job.outputs(out)
        mounts.fill(disk, left)
        ended = attempt(job, out)
        changing = job.name == "train"
        trial.judge(f"{left} bytes free", ended, job, out, expected, before, changing=changing)
        (disk / mounts.FILLER).unlink()
        again = attempt(job, out) if not changing or not (out / "last.pt").exists() else None
        if again and (again.code or job.outputs(out) != expected):
            trial.faults.append(f"{job.name}, {left} bytes free: with room again, {again.code} {again.errors[-300:]}")
    disk.rmdir()


def read_only(command: str, folder: Path) -> list[Row]:
    """Outputs to a read-only file system, and to a folder of somebody else; inputs from a read-only one work."""
    trial = Trial("`run`, `video`, `batch`, `train` to a folder that cannot be written, each in three ways")
    for job in jobs(folder):
        expected = undisturbed(job, folder / f"whole-{job.name}")
        disk = folder / "disk"
        with mounts.small_disk(disk, MEGABYTES):
            for name, is_new in (("out", False), ("new", True)):
                if not is_new:
                    (disk / name).mkdir()
                elif job.name not in ("batch", "train"):
                    continue  # these make no folder
                mounts.make_read_only(disk)
                ended = attempt(job, disk / name)
                trial.judge(f"read-only, {name}", ended, job, disk / name, expected, {})
                mounts.make_read_only(disk, on=False)
        disk.rmdir()
        subprocess.run(["chmod", "-R", "a+rX", str(folder)], check=True)
        out = folder / "of-root"
        out.mkdir(mode=0o755)
        trial.judge("of somebody else", attempt(job, out, NOBODY), job, out, expected, {})
        shutil.rmtree(out)
    return [trial.row(command)]
