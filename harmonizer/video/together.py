"""Several files that appear together, each whole, or not at all."""

from __future__ import annotations

import uuid
from pathlib import Path
from types import TracebackType
from typing import Self

from harmonizer import io
from harmonizer.errors import OutputError


class Together:
    """Files written beside their places, which take them all on leaving the context without an error, else none."""

    def __init__(self) -> None:
        self._places: dict[Path, Path] = {}

    def beside(self, place: Path) -> Path:
        """Where to write what is to lie at `place`. Raises OutputError for a place that cannot be, or is taken."""
        io.check_place(place)
        if place.resolve() in {taken.resolve() for taken in self._places.values()}:
            raise OutputError(f"two outputs are one file, {place}; give each a name of its own")
        beside = place.with_name(f".{uuid.uuid4().hex}.part")
        self._places[beside] = place
        return beside

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                for beside, place in self._places.items():
                    _move(beside, place)
        finally:
            for beside in self._places:
                beside.unlink(missing_ok=True)


def _move(beside: Path, place: Path) -> None:
    try:
        beside.replace(place)
    except OSError as error:
        raise OutputError(f"{place} cannot be written: {error.strerror}") from error
