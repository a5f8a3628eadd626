"""Builds of the last commit, which must come out the same whoever makes them, where and when."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from tools.release.commands import ReleaseError, run
from tools.release.distributions import PROJECTS

LONG_AGO = 1_000_000_000  # 9 September 2001, in seconds since 1970


def build(packages: Path) -> Iterator[str]:
    """Write a wheel and a source distribution of each project into `packages`, an empty folder; yield what was done.

    Raises ReleaseError if a second build differs, from other folders, file times, modes, time zone and hash seed, or
    if the wheel that the source distribution builds does.
    """
    if changed := run("git", "status", "--porcelain").splitlines():
        yield f"built is the last commit: {len(changed)} changed or new files are not in it"
    epoch = {"SOURCE_DATE_EPOCH": run("git", "log", "-1", "--format=%ct").strip()}
    with TemporaryDirectory() as temporary:
        one, two = Path(temporary, "one"), Path(temporary, "another", "place")
        export(one)
        export(two)
        disguise(two)
        elsewhere = {**epoch, "TZ": "Asia/Kathmandu", "PYTHONHASHSEED": "7", "LC_ALL": "C"}
        for project in PROJECTS:
            built = build_project(one / project.folder, packages, epoch)
            compare(built, build_project(two / project.folder, Path(temporary, "again"), elsewhere), "a second build")
            wheel = build_from_sdist(project.sdist_in(packages), Path(temporary, f"of-sdist-{project.name}"), epoch)
            compare([project.wheel_in(packages)], [wheel], "the wheel that the source distribution builds")
            yield from (f"{path.name}  {path.stat().st_size:,} bytes  sha256 {digest(path)}" for path in built)
    yield "the same bytes from another folder, with other file times, modes, time zone, locale and hash seed"
    yield "the same wheels from the source distributions"
    write_checksums(packages)


def export(folder: Path) -> None:
    """The files of the last commit."""
    folder.mkdir(parents=True)
    archive = folder.with_suffix(".tar")
    run("git", "archive", "--output", archive, "HEAD")
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    archive.unlink()


def disguise(folder: Path) -> None:
    """Gives all files times and modes that a clone by somebody else would have."""
    for path in folder.rglob("*"):
        path.chmod(path.stat().st_mode & 0o700 if path.is_file() else 0o700)
        os.utime(path, (LONG_AGO, LONG_AGO))


def build_project(source: Path, out: Path, env: dict[str, str]) -> list[Path]:
    """A wheel and a source distribution, both straight from the folder."""
    out.mkdir(parents=True, exist_ok=True)
    before = set(out.iterdir())
    targets = ["--target", "sdist", "--target", "wheel"]
    run(sys.executable, "-m", "hatchling", "build", *targets, "--directory", out, cwd=source, env=env)
    return sorted(set(out.iterdir()) - before)


def build_from_sdist(sdist: Path, folder: Path, env: dict[str, str]) -> Path:
    with tarfile.open(sdist) as packed:
        packed.extractall(folder, filter="data")
    [source] = folder.iterdir()
    [wheel] = (path for path in build_project(source, folder / "built", env) if path.suffix == ".whl")
    return wheel


def compare(first: list[Path], second: list[Path], what: str) -> None:
    """Raises ReleaseError unless both lists have files of the same names and bytes."""
    expected, got = ({path.name: digest(path) for path in paths} for paths in (first, second))
    if differing := sorted(name for name in expected if got.get(name) != expected[name]):
        raise ReleaseError(f"{what} gave other bytes for {', '.join(differing)}")


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_checksums(packages: Path) -> None:
    """SHA256SUMS beside the folder, for `sha256sum --check`."""
    lines = [f"{digest(path)}  {packages.name}/{path.name}\n" for path in sorted(packages.iterdir())]
    (packages.parent / "SHA256SUMS").write_text("".join(lines), encoding="utf-8", newline="\n")


def empty(folder: Path) -> Path:
    """The folder, without what an earlier release left in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
