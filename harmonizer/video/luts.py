"""The filters of each shot as a 3-D LUT for editing and grading programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

import whitebox_filters as wf
from harmonizer.atomic import FileGroup
from harmonizer.errors import OutputError
from harmonizer.video.frames import Graded, Theta
from whitebox_filters import Cascade

Settings = tuple[Theta, Sequence[Any]]
"""Theta of a frame, and the statistics that its filters took."""


@dataclass
class Shot:
    """A shot's first frame, and the settings of all its frames that have a foreground."""

    number: int  # from 1
    first: Graded
    settings: list[Settings] = field(default_factory=list)

    def add(self, graded: Graded) -> None:
        """Take a rendered frame into account."""
        if graded.frame.alpha is None or graded.frame.alpha.any():
            self.settings.append((graded.theta, graded.statistics))

    def medians(self) -> Settings:
        """The median of each number over the shot; the first frame's numbers if no frame has a foreground."""
        thetas, statistics = zip(*(self.settings or [(self.first.theta, self.first.statistics)]), strict=True)
        middle = [None if values[0] is None else np.median(values, axis=0) for values in zip(*statistics, strict=True)]
        return np.median(thetas, axis=0), middle

    @property
    def title(self) -> str:
        """Which shot the file belongs to."""
        minutes, seconds = divmod(round(self.first.frame.time, 3), 60)
        timecode = f"{int(minutes) // 60:02}:{int(minutes) % 60:02}:{seconds:06.3f}"
        return f"harmonizer: shot {self.number}, from {timecode}, frame {self.first.frame.index}"


class LutWriter:
    """Writes a .cube file for each shot, among the files of `group`.

    A LUT holds one theta and one set of statistics: the medians of its shot. If the video has one shot, its file is
    `path`; if it has more, `shot_path` names the files.
    """

    def __init__(self, path: Path, group: FileGroup, cascade: Cascade) -> None:
        """`path` is where the LUT of a single shot goes."""
        self._path = path
        self._group = group
        self._cascade = cascade
        self._shot: Shot | None = None

    def __enter__(self) -> Self:
        return self

    def write(self, graded: Graded) -> None:
        """Add a rendered frame; the first of another shot writes the LUT of the last. Raises OutputError."""
        if self._shot is None:
            self._shot = Shot(1, graded)
        elif graded.shot_change:
            self._write(self._shot, shot_path(self._path, self._shot.number))
            self._shot = Shot(self._shot.number + 1, graded)
        self._shot.add(graded)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None and self._shot:
            alone = self._shot.number == 1
            self._write(self._shot, self._path if alone else shot_path(self._path, self._shot.number))

    def _write(self, shot: Shot, path: Path) -> None:
        part = self._group.reserve(path)
        text = wf.format_cube(wf.bake_lut(self._cascade, *shot.medians()), shot.title)
        try:
            part.write_text(text, encoding="ascii", newline="\n")
        except OSError as error:
            raise OutputError(f"{path} cannot be written: {error.strerror}") from error


def shot_path(path: Path, number: int) -> Path:
    """The file of one of many shots, counted from 1: grade_001.cube for grade.cube."""
    return path.with_name(f"{path.stem}_{number:03}{path.suffix}")
