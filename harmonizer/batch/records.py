"""What became of each picture, and the journal that a killed run leaves."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from harmonizer.batch import storage

Status = Literal["done", "failed"]
STAGES = ("read", "decode", "predict", "render", "encode", "write")
MOST = 500  # records of a part
SECONDS = 2.0  # after which a part is written: what a killed run may have to do again


@dataclass(frozen=True)
class Record:
    """One picture: its files, theta and statistics by filter, milliseconds by stage, and what it was made by."""

    image: str
    output: str
    status: Status
    error: str = ""
    warning: str = ""
    theta: dict[str, float] = field(default_factory=dict)
    statistics: dict[str, Any] = field(default_factory=dict)
    milliseconds: dict[str, float] = field(default_factory=dict)
    bytes_read: int = 0
    bytes_written: int = 0
    fingerprint: str = ""  # of what was read and how it was treated: the same makes the same output
    version: str = ""


class Journal:
    """Records as they come, in parts of JSON lines beside the report; an object store cannot append."""

    def __init__(self, report: str) -> None:
        self.folder = f"{report}.parts"
        self._lines: list[str] = []
        self._last = time.monotonic()
        names = [int(name.removesuffix(".jsonl")) for name in storage.files(self.folder) if name.endswith(".jsonl")]
        self._next = max(names, default=0) + 1

    def append(self, record: Record) -> None:
        """Keep a record; it is safe in a part after SECONDS at the latest, if others come."""
        self._lines.append(json.dumps(asdict(record)))
        if len(self._lines) >= MOST or time.monotonic() - self._last >= SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write what is not in a part yet. Raises OutputError."""
        if self._lines:
            storage.write(self._part(self._next), ("\n".join(self._lines) + "\n").encode())
            self._next += 1
            self._lines.clear()
        self._last = time.monotonic()

    def read(self) -> Iterator[Record]:
        """All records of all parts, in the order in which they came."""
        for number in range(1, self._next):
            if storage.size(self._part(number)) is None:
                continue
            with storage.open_text(self._part(number)) as lines:
                for line in lines:
                    yield Record(**json.loads(line))

    def remove(self) -> None:
        """Remove all parts."""
        for number in range(1, self._next):
            storage.remove(self._part(number))
        storage.remove_folder(self.folder)

    def _part(self, number: int) -> str:
        return storage.join(self.folder, f"{number:08d}.jsonl")
