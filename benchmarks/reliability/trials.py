"""Commands under a fault: each ends well, or by one line and exit code 2, and leaves no part and no broken file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from reliability import make
from reliability.commands import Ended, environment, files, harmonizer, parts, run
from reliability.rows import Row

LOCKS = ("lock", "report.parquet.lock")
"""Files that processes hold; where one is killed, its lock stays and holds nothing up."""
SECONDS = 240.0
"""After which a command under a fault counts as hanging."""


@dataclass(frozen=True)
class Job:
    """A command that writes to a folder. `vary` are the names of files whose bytes are not the same each time."""

    name: str
    line: Callable[[Path], Sequence[str]]
    vary: tuple[str, ...] = ()

    def outputs(self, folder: Path) -> dict[str, str]:
        """The files that are the same each time."""
        return {
            name: digest
            for name, digest in files(folder, ignore=("tensorboard", "report.parquet.parts")).items()
            if Path(name).name not in (*self.vary, *LOCKS) and not Path(name).name.startswith(".")
        }


@dataclass
class Trial:
    """How often a fault was made, how commands ended, and what did not hold."""

    fault: str
    tried: int = 0
    done: int = 0  # commands that ended well all the same
    aborted: int = 0  # commands that a library ended
    faults: list[str] = field(default_factory=list)
    messages: set[str] = field(default_factory=set)

    def row(self, command: str, what: str = "ended with one line") -> Row:
        """What is told of it."""
        note = f"{self.tried - self.done - self.aborted} {what}, {self.done} were done all the same"
        note += f", {self.aborted} were ended by a library" * (self.aborted > 0)
        return Row(self.fault, command, self.tried, len(self.faults), note, tuple(self.faults[:30]))

    def judge(
        self,
        where: str,
        ended: Ended,
        job: Job,
        folder: Path,
        expected: Mapping[str, str],
        before: Mapping[str, str],
        *,
        changing: bool = False,
        may_abort: bool = False,
    ) -> None:
        """Note what does not hold. `before` was there: each of these files is as it was, or as `expected`.

        `may_abort`: a library may end the process, as C++ does without memory.
        `changing`: files that appear may be earlier forms of the expected ones, as in a training.
        """
        self.tried += 1
        found, wrong = job.outputs(folder) if folder.is_dir() else {}, []
        if ended.code is None:
            wrong.append("hangs")
        elif "Traceback" in ended.errors:
            wrong.append(f"traceback: ...{ended.errors[-400:]}")
        elif ended.code == 0:
            self.done += 1
            if found != expected:
                differ = [key for key in expected if found.get(key) != expected[key]]
                wrong.append(f"is done, with other bytes in {differ}")
        elif ended.code < 0 and may_abort:
            self.aborted += 1
        elif not (ended.is_plain_error or (job.name.startswith("batch") and ended.code == 1)):
            wrong.append(f"exit code {ended.code}: {ended.errors[-400:]}")
        else:
            self.messages.add(ended.errors.strip()[-300:])
        if lost := [key for key in before if found.get(key) not in (before[key], expected.get(key))]:
            wrong.append(f"lost {lost}")
        new = [key for key in found.keys() - before.keys() if found[key] != expected.get(key)]
        if new and not changing:
            wrong.append(f"left {sorted(new)}")
        if folder.is_dir() and (left := parts(folder)):
            wrong.append(f"left {left}")
        self.faults += [f"{job.name}, {where}: {each}" for each in wrong]


def jobs(folder: Path, names: Sequence[str] = ("run", "video", "batch", "train")) -> list[Job]:
    """The commands that end by themselves, on inputs that are made in `folder`."""
    image, mask = make.pair(folder, "picture", 0, (300, 400))
    found = []
    if "run" in names:
        more = ("edit.json", "grade.cube", "delta.png", "before_after.png", "used.png")
        options = ("--edit", "--lut", "--delta", "--compare", "--mask-out")

        def line(out: Path) -> list[str]:
            pairs = [each for option, name in zip(options, more, strict=True) for each in (option, out / name)]
            return harmonizer("run", image, mask, "-o", out / "out.png", *pairs)

        found.append(Job("run", line))
    if "video" in names:
        composite, clip_mask = make.clip(folder, 20, (120, 160))
        found.append(
            Job(
                "video",
                lambda out: harmonizer(
                    *("video", composite, clip_mask, "-o", out / "out.mp4", "--theta-out", out / "theta.jsonl"),
                    *("--lut", out / "grade.cube", "--delta", out / "delta.mp4", "--mask-out", out / "used.mp4"),
                ),
            )
        )
    if "batch" in names:
        pictures = make.pairs(folder / "pictures", 8, (100, 150))
        line_batch = ("batch", pictures, "--edit", "--progress", "none", "-o")
        found.append(Job("batch", lambda out: harmonizer(*line_batch, out), ("report.parquet",)))
    if "train" in names:
        photos, recipe = make.photographs(folder / "photos"), make.recipe(folder / "recipe.json", 3)
        found.append(Job("train", lambda out: harmonizer("train", photos, out, "--recipe", recipe), ("log.jsonl",)))
    return found


def undisturbed(job: Job, folder: Path) -> dict[str, str]:
    """What the job writes when nothing happens to it. Raises RuntimeError if it fails."""
    folder.mkdir()
    ended = run(job.line(folder))
    if ended.code:
        raise RuntimeError(f"{job.name} fails by itself: {ended.errors[-1000:]}")
    return job.outputs(folder)


def attempt(job: Job, folder: Path, prefix: Sequence[str] = (), **variables: str) -> Ended:
    """Run the job's command behind `prefix`, such as one that sets limits."""
    return run([*prefix, *job.line(folder)], environment(**variables), SECONDS)
