"""A whole batch: tasks to an engine, records to the journal, and the report at the end."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

from harmonizer.batch import engines, report, storage
from harmonizer.batch.names import Engine
from harmonizer.batch.records import Journal, Record
from harmonizer.batch.tasks import Task, read_tasks
from harmonizer.batch.worker import Settings


@dataclass(frozen=True)
class Batch:
    """What is to be done, where, and by whom."""

    inputs: str
    outputs: str
    report: str
    settings: Settings
    background: str | None = None
    engine: Engine = Engine.local
    workers: int = 1
    address: str | None = None


@dataclass
class Counts:
    """How many pictures were done, were done before, and failed."""

    done: int = 0
    skipped: int = 0
    failed: int = 0


def count(batch: Batch) -> int:
    """How many pictures there are. Raises BatchError and ImageFileError, before any work, as `run` does."""
    return sum(1 for _ in read_tasks(batch.inputs, batch.outputs, batch.background))


def run(batch: Batch, progress: Callable[[Counts], None]) -> Counts:
    """Do a batch, or what is left of it. Its report is written at the end; until then a journal lies beside it.

    `progress` is called after each picture. Raises BatchError, OutputError and ImageFileError for what concerns the
    whole batch; what concerns one picture is in the report.
    """
    report.check_name(batch.report)
    batch.settings.check()
    with storage.lock(f"{batch.report}.lock"):
        return _run(batch, progress)


def _run(batch: Batch, progress: Callable[[Counts], None]) -> Counts:
    journal = Journal(batch.report)
    known = {_key(each.output): each.fingerprint for each in _records(batch, journal) if each.status == "done"}
    seen: set[bytes] = set()
    counts = Counts()
    outcomes = _engine(batch, _items(batch, known, seen))
    try:
        for _, record in outcomes:
            if record is None:
                counts.skipped += 1
            else:
                journal.append(record)
                counts.done += record.status == "done"
                counts.failed += record.status == "failed"
            progress(counts)
    finally:
        journal.flush()
    _finish(batch, journal, seen)
    return counts


def _items(batch: Batch, known: dict[bytes, str], seen: set[bytes]) -> Iterator[engines.Item]:
    """The tasks with their fingerprints of before. Two of one output are a fault of the second."""
    for task in read_tasks(batch.inputs, batch.outputs, batch.background):
        key = _key(task.output)
        if key in seen and task.output:
            fault = f"another picture is written to {task.output} already; name its output"
            yield Task(task.image, f"{task.output} (again)", fault=fault), ""
            seen.add(_key(f"{task.output} (again)"))
            continue
        seen.add(key)
        yield task, known.get(key, "")


def _engine(batch: Batch, items: Iterator[engines.Item]) -> Iterator[engines.Outcome]:
    if batch.engine == Engine.ray:
        return engines.on_ray(batch.settings, items, batch.workers, batch.address)
    if batch.workers == 1:
        return engines.in_process(batch.settings, items)
    return engines.in_processes(batch.settings, items, batch.workers)


def _records(batch: Batch, journal: Journal) -> Iterator[Record]:
    """Those of the report, then those of the journal, which are newer."""
    old = report.read(batch.report) if storage.size(batch.report) is not None else ()
    return chain(old, journal.read())


def _finish(batch: Batch, journal: Journal, seen: set[bytes]) -> None:
    """Write the report: the newest record of each picture of this batch."""
    newest = {_key(record.output): number for number, record in enumerate(_records(batch, journal))}
    latest = (
        record
        for number, record in enumerate(_records(batch, journal))
        if newest[key := _key(record.output)] == number and key in seen
    )
    report.write(batch.report, latest)
    journal.remove()


def _key(output: str) -> bytes:
    """Sixteen bytes for a name, of which there may be millions."""
    return hashlib.blake2b(output.encode("utf-8", "surrogatepass"), digest_size=16).digest()
