"""Rows of the table in docs/reliability.md, and the JSON that they come from."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from report import grid

RESULTS = Path(__file__).parents[1] / "results" / "reliability"
HEAD = ("tried", "command", "times", "lost")


@dataclass(frozen=True)
class Row:
    """One fault: what was done, by which command, how often, and how often something did not hold."""

    fault: str
    command: str
    tried: int
    lost: int
    note: str = ""
    faults: tuple[str, ...] = ()  # what did not hold, one line each


def write(name: str, rows: Iterable[Row]) -> None:
    """Keep the rows of a script as JSON."""
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps([asdict(row) for row in rows], indent=1, ensure_ascii=False)
    (RESULTS / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def read() -> list[Row]:
    """The rows of all scripts that have run."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(RESULTS.glob("*.json"))]
    return [Row(**{**row, "faults": tuple(row["faults"])}) for rows in found for row in rows]


def table(rows: Iterable[Row]) -> str:
    """In Markdown."""
    cells = [
        (row.fault + (f"; {row.note}" if row.note else ""), f"`{row.command}`", f"{row.tried:,}", f"{row.lost:,}")
        for row in rows
    ]
    return grid(HEAD, cells, texts=2)
