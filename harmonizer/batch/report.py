"""The report of a batch: a row a picture, as Parquet or CSV, and what a person wants to know of it."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import islice
from typing import Any

import numpy as np

from harmonizer.batch import manifest, storage
from harmonizer.batch.records import STAGES, Record
from harmonizer.errors import BatchError

EXTENSIONS = (".parquet", ".csv")
ROWS = 10_000  # of a row group
TEXTS = ("image", "output", "status", "error", "warning")
COLUMNS = (
    *TEXTS, "theta", "statistics", *(f"ms_{stage}" for stage in STAGES), "bytes_read", "bytes_written", "fingerprint",
    "version",
)  # fmt: skip
FAULTS = 10  # kinds of errors that a summary lists
MOST_BYTES = 1 << 63  # what Parquet can count


def write(name: str, records: Iterable[Record]) -> None:
    """Write a report, whole or not at all. Raises BatchError for another extension, and OutputError."""
    check_name(name)
    storage.write(name, _to_csv(records) if name.lower().endswith(".csv") else _to_parquet(records))


def check_name(name: str) -> None:
    """Raise BatchError unless the name ends in one of EXTENSIONS."""
    if not name.lower().endswith(EXTENSIONS):
        raise BatchError(f"a report is {' or '.join(EXTENSIONS)}; got {name}")


def read(name: str) -> Iterator[Record]:
    """The records of a report. Raises BatchError."""
    check_name(name)
    for row in manifest.read_rows(name):
        try:
            yield _from_row(row)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
            raise BatchError(f"{name} is no report of a batch: {error}") from error


def summarize(records: Iterable[Record]) -> str:
    """How many were done, what failed and why, theta by filter, and where the time went."""
    statuses: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    theta: dict[str, list[float]] = {}
    times: dict[str, list[float]] = {}
    volume = [0, 0]
    for record in records:
        statuses[record.status] += 1
        if record.error:
            faults[record.error.replace(record.image, "IMAGE")[:160]] += 1
        for name, value in record.theta.items():
            theta.setdefault(name, []).append(value)
        for stage, value in record.milliseconds.items():
            times.setdefault(stage, []).append(value)
        volume[0] += record.bytes_read
        volume[1] += record.bytes_written
    lines = [", ".join(f"{count} {status}" for status, count in sorted(statuses.items())) or "no pictures"]
    lines.append(f"{volume[0] / 1e6:.1f} MB read, {volume[1] / 1e6:.1f} MB written")
    if theta:
        lines += ["", f"{'filter':<16}{'mean theta':>12}{'deviation':>12}"]
        lines += [f"{name:<16}{np.mean(each):>+12.3f}{np.std(each):>12.3f}" for name, each in theta.items()]
    if times:
        lines += ["", f"{'stage':<16}{'median ms':>12}{'p95 ms':>12}{'share':>8}"]
        total = sum(map(sum, times.values()))
        for stage in (each for each in STAGES if each in times):
            middle, high = np.percentile(times[stage], [50, 95])
            lines.append(f"{stage:<16}{middle:>12.1f}{high:>12.1f}{sum(times[stage]) / total:>8.0%}")
    if faults:
        lines += ["", "what failed:"]
        lines += [f"{count:>6}  {text}" for text, count in faults.most_common(FAULTS)]
        hidden = len(faults) - FAULTS
        lines += [f"        and {hidden} other reasons"] * (hidden > 0)
    return "\n".join(lines)


def _to_row(record: Record) -> dict[str, Any]:
    values = asdict(record)
    # Names of files may hold bytes that are no text.
    values |= {key: values[key].encode("utf-8", "backslashreplace").decode() for key in TEXTS}
    times = values.pop("milliseconds")
    return values | {f"ms_{stage}": times.get(stage) for stage in STAGES}


def _from_row(row: Any) -> Record:
    theta, statistics = row["theta"] or {}, row["statistics"] or "{}"
    theta = dict(json.loads(theta) if isinstance(theta, str) else theta)
    theta = {name: float(value) for name, value in theta.items()}
    times = {stage: float(row[f"ms_{stage}"]) for stage in STAGES if row[f"ms_{stage}"] not in (None, "")}
    counts = {key: int(row[key]) for key in ("bytes_read", "bytes_written")}
    if not all(0 <= count < MOST_BYTES for count in counts.values()):
        raise ValueError("it counts bytes that no file has")
    texts = {key: row[key] or "" for key in (*TEXTS, "fingerprint", "version")}
    if texts["status"] not in ("done", "failed"):
        raise ValueError(f"its status is {texts['status']!r}")
    values: dict[str, Any] = {**texts, **counts, "theta": theta, "statistics": json.loads(statistics)}
    return Record(**values, milliseconds=times)


def _to_csv(records: Iterable[Record]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    for record in records:
        row = _to_row(record)
        writer.writerow(row | {key: json.dumps(row[key]) for key in ("theta", "statistics")})
    return text.getvalue().encode()


def _to_parquet(records: Iterable[Record]) -> bytes:
    import pyarrow as pa
    from pyarrow import parquet

    kinds = {key: pa.string() for key in COLUMNS} | {f"ms_{stage}": pa.float32() for stage in STAGES}
    kinds |= {"theta": pa.map_(pa.string(), pa.float64()), "bytes_read": pa.int64(), "bytes_written": pa.int64()}
    schema = pa.schema(list(kinds.items()))
    source, data = iter(records), io.BytesIO()
    with parquet.ParquetWriter(data, schema) as writer:
        while rows := [_to_row(record) for record in islice(source, ROWS)]:
            for row in rows:
                row |= {"theta": list(row["theta"].items()), "statistics": json.dumps(row["statistics"])}
            writer.write_table(pa.Table.from_pylist(rows, schema))
    return data.getvalue()
