"""Theta of a whole video as a file that a person can edit: JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, get_args

import numpy as np
import numpy.typing as npt

import whitebox_filters as wf
from harmonizer.atomic import FileGroup
from harmonizer.errors import OutputError, TimelineError
from harmonizer.video.frames import Frame, Graded
from whitebox_filters import Cascade
from whitebox_filters.cascade import Region

FORMAT = "harmonizer timeline"
VERSION = 1


@dataclass(frozen=True)
class Timeline:
    """A timeline file: the cascade, theta (frames, k) in [-1, 1], and which frames begin a shot.

    `smoothing` describes how theta was smoothed, for people.
    """

    path: Path
    cascade: Cascade
    smoothing: str
    theta: npt.NDArray[np.float64]
    shot_changes: Sequence[bool]

    def replay(self, frames: Iterable[Frame]) -> Iterator[Graded]:
        """Give each frame the theta of its line. Raises TimelineError if the video has another number of frames."""
        count = 0
        for frame in frames:
            if count == len(self.theta):
                raise TimelineError(
                    f"{self.path} ends after {count} frames, its video goes on; add a line for each frame"
                )
            yield Graded(frame, self.theta[count], shot_change=self.shot_changes[count])
            count += 1
        if count < len(self.theta):
            raise TimelineError(
                f"{self.path} has {len(self.theta)} frames, its video {count}; is it the timeline of another video?"
            )


class TimelineWriter:
    """Writes a timeline line by line into one of the files of `group`."""

    def __init__(self, path: Path, group: FileGroup, cascade: Cascade, smoothing: str) -> None:
        """`smoothing` says how theta came from theta_raw, for the reader of the file. Raises OutputError."""
        self._path = path
        self._part = group.reserve(path)
        self._header = {
            "format": FORMAT,
            "version": VERSION,
            "registry_version": wf.REGISTRY_VERSION,
            "filters": list(cascade.names),
            "statistics": cascade.region,
            "smoothing": smoothing,
        }

    def __enter__(self) -> Self:
        try:
            self._file = self._part.open("w", encoding="utf-8", newline="\n")
        except OSError as error:
            raise OutputError(f"{self._path} cannot be written: {error.strerror}") from error
        self._write_line(self._header)
        return self

    def write(self, graded: Graded) -> None:
        """Add a frame's line. Raises OutputError."""
        self._write_line(
            {
                "frame": graded.frame.index,
                "time": round(graded.frame.time, 6),
                "cut": graded.shot_change,
                "theta_raw": None if graded.raw is None else graded.raw.tolist(),
                "theta": graded.theta.tolist(),
            }
        )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._file.close()
        except OSError as failure:
            raise OutputError(f"{self._path} cannot be written: {failure.strerror}") from failure

    def _write_line(self, line: dict[str, Any]) -> None:
        try:
            self._file.write(json.dumps(line) + "\n")
        except OSError as error:
            raise OutputError(f"{self._path} cannot be written: {error.strerror}") from error


def read_timeline(path: Path) -> Timeline:
    """Read and check a whole timeline. Raises TimelineError, which names the line."""
    rows: list[npt.NDArray[np.float64]] = []
    shot_changes: list[bool] = []
    try:
        with path.open(encoding="utf-8-sig") as file:  # editors of Windows write a byte-order mark
            cascade, smoothing = _read_header(path, file.readline())
            for number, text in enumerate(file, start=2):
                if text.strip():
                    theta, shot_change = _read_line(f"{path}, line {number}", text, len(rows), cascade)
                    rows.append(theta)
                    shot_changes.append(shot_change)
    except FileNotFoundError:
        raise TimelineError(f"there is no file {path}; --theta-out writes one") from None
    except (OSError, UnicodeDecodeError) as error:
        raise TimelineError(f"{path} cannot be read: {error}") from error
    if not rows:
        raise TimelineError(f"{path} has no line for any frame; --theta-out writes one for each")
    return Timeline(path, cascade, smoothing, np.stack(rows), shot_changes)


def _read_header(path: Path, text: str) -> tuple[Cascade, str]:
    header = _parse(f"{path}, line 1", text)
    if header.get("format") != FORMAT or header.get("version") != VERSION:
        raise TimelineError(
            f"{path} is no timeline of format {FORMAT!r}, version {VERSION}, by its first line; --theta-out writes one"
        )
    filters, statistics = header.get("filters"), header.get("statistics", "frame")
    if not isinstance(filters, list) or not filters or not set(map(str, filters)) <= set(wf.names()):
        raise TimelineError(f"{path} names the filters {filters!r}; registered: {', '.join(wf.names())}")
    if statistics not in get_args(Region):
        raise TimelineError(f"{path}: statistics is one of {get_args(Region)}; got {statistics!r}")
    version = header.get("registry_version")
    if not isinstance(version, int) or version > wf.REGISTRY_VERSION:
        raise TimelineError(
            f"{path} was made with filters of version {version!r}; this version has {wf.REGISTRY_VERSION}: upgrade "
            "harmonizer"
        )
    return Cascade(filters, statistics=statistics), str(header.get("smoothing", "unknown"))


def _read_line(place: str, text: str, frame: int, cascade: Cascade) -> tuple[npt.NDArray[np.float64], bool]:
    line = _parse(place, text)
    if line.get("frame") != frame:
        raise TimelineError(f"{place}: here comes frame {frame}; got {line.get('frame')!r}. Keep a line for each frame")
    theta = line.get("theta")
    if not isinstance(theta, list) or not all(isinstance(value, int | float) for value in theta):
        raise TimelineError(f"{place}: theta is a list of {len(cascade)} numbers; got {theta!r}")
    shot_change = line.get("cut", False)
    if not isinstance(shot_change, bool):
        raise TimelineError(f"{place}: cut, whether a shot begins here, is true or false; got {shot_change!r}")
    try:
        return cascade.check_theta(theta).astype(np.float64), shot_change
    except wf.ThetaError as error:
        raise TimelineError(f"{place}: {error}") from error


def _parse(place: str, text: str) -> dict[str, Any]:
    try:
        line = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TimelineError(f"{place} is not readable as JSON: {error}") from error
    if not isinstance(line, dict):
        raise TimelineError(f"{place}: a line is a JSON object; got {type(line).__name__}")
    return line
