"""Rows of a manifest, a few at a time: CSV, JSON lines, or Parquet."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from harmonizer.batch import storage
from harmonizer.errors import BatchError
from harmonizer.files.csv_rows import read_csv

EXTENSIONS = (".csv", ".jsonl", ".parquet")
COLUMNS = ("image",)  # which every manifest has
BATCH = 1024  # rows of Parquet in memory

Row = Mapping[str, Any]


def read_rows(name: str) -> Iterator[Row]:
    """The rows by column name, one of which is `image`. Raises BatchError or ImageFileError, by line."""
    if name.lower().endswith(".parquet"):
        return _parquet(name)
    return _jsonl(name) if name.lower().endswith(".jsonl") else _csv(name)


def _csv(name: str) -> Iterator[Row]:
    with storage.open_binary(name) as file:
        yield from read_csv(file, name, COLUMNS)


def _jsonl(name: str) -> Iterator[Row]:
    with storage.open_text(name) as lines:
        try:
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                row = json.loads(line)
                if not isinstance(row, dict):
                    raise BatchError(f"{name}, line {number} is no JSON object")
                yield row
        except (ValueError, RecursionError) as error:
            raise BatchError(f"{name} is not JSON lines: {error}") from error


def _parquet(name: str) -> Iterator[Row]:
    import pyarrow
    from pyarrow import parquet

    with storage.open_binary(name) as file:
        try:
            table = parquet.ParquetFile(file)
            _check_columns(name, table.schema_arrow.names)
            for batch in table.iter_batches(BATCH):
                yield from batch.to_pylist()
        except (pyarrow.ArrowException, OSError, ValueError, OverflowError) as error:  # of pages, texts and dates too
            raise BatchError(f"{name} is no Parquet file that can be read: {error}") from error


def _check_columns(name: str, columns: list[str]) -> None:
    if "image" not in columns:
        raise BatchError(f"{name} has the columns {', '.join(columns) or 'none'}; it lacks image")
