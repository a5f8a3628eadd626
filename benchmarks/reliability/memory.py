"""Too little memory: `ulimit -v` at limits from far too little to enough."""

from __future__ import annotations

import shutil
from pathlib import Path

from reliability.rows import Row
from reliability.trials import Job, Trial, attempt, jobs, undisturbed

MEGABYTES = {
    "run": range(150, 1250, 150),
    "video": range(150, 2000, 150),
    "batch": range(150, 1250, 150),
    "train": range(600, 7000, 900),
}


def limits(command: str, folder: Path) -> list[Row]:
    """A row a command."""
    rows = []
    for job in jobs(folder):
        trial = Trial(f"`{job.name}` with too little memory, `ulimit -v` from {MEGABYTES[job.name][0]} MB on")
        expected = undisturbed(job, folder / f"whole-{job.name}")
        for megabytes in MEGABYTES[job.name]:
            _try(trial, job, folder / "out", expected, megabytes)
        rows.append(trial.row(command))
    return rows


def _try(trial: Trial, job: Job, out: Path, expected: dict[str, str], megabytes: int) -> None:
    out.mkdir()
    limited = ["bash", "-c", f'ulimit -c 0; ulimit -v {megabytes * 1024}; exec "$@"', "bash"]
    ended = attempt(job, out, limited)
    trial.judge(f"{megabytes} MB", ended, job, out, expected, {}, changing=job.name == "train", may_abort=True)
    shutil.rmtree(out)
