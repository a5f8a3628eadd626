"""`index.csv`, the table of a folder of photographs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harmonizer.errors import ImageFileError
from harmonizer.files.csv_rows import Row, read_csv


def read_index(path: Path, columns: Sequence[str]) -> list[Row]:
    """The rows of a CSV file as `read_csv` gives them. Raises ImageFileError, also for a file that cannot be read."""
    try:
        with path.open("rb") as file:
            return list(read_csv(file, str(path), columns))
    except OSError as error:
        raise ImageFileError(f"{path} cannot be read: {error.strerror}") from error
