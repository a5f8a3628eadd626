"""Where tasks are done: in this process, in processes of this machine, or by actors of a Ray cluster."""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict
from itertools import islice
from typing import Any

from harmonizer.batch.records import Record
from harmonizer.batch.tasks import Task
from harmonizer.batch.worker import Settings, Worker
from harmonizer.errors import BatchError
from whitebox_filters.native import cores

Item = tuple[Task, str]
"""A task, and the fingerprint that its record had before, or ""."""
Outcome = tuple[Task, Record | None]
"""A task and its record; None if all of it was done before."""

ATTEMPTS = 2  # before a picture is given up that its process did not survive
AHEAD = 2  # tasks for each process, so that none waits
CHUNK = 20_000  # tasks of one Ray dataset: what the driver holds in memory


def in_process(settings: Settings, items: Iterable[Item]) -> Iterator[Outcome]:
    """One after the other, on all cores."""
    worker = Worker(settings)
    for task, before in items:
        yield task, worker(task, before)


def in_processes(settings: Settings, items: Iterable[Item], workers: int) -> Iterator[Outcome]:
    """By so many processes, each with its share of the cores and a warm network.

    Where a process dies, its pool is started again. The tasks that were at work are then done one at a time, so that
    the one that a process does not survive is found: it fails after ATTEMPTS, and the others are done.
    """
    source = iter(items)
    suspects: deque[tuple[Item, int]] = deque()
    while True:
        running: dict[Future[Record | None], tuple[Item, int]] = {}
        pool = _start_pool(settings, workers)
        try:
            while True:
                _fill(pool, running, suspects, source, workers)
                if not running:
                    return
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    record = future.result()
                    yield running.pop(future)[0][0], record
        except BrokenProcessPool:
            for item, attempts in running.values():
                if attempts + 1 < ATTEMPTS:
                    suspects.append((item, attempts + 1))
                else:
                    task = item[0]
                    reason = "the process that worked on it died, twice; it may lack memory"
                    yield task, Record(task.image, task.output, "failed", reason)
        finally:
            pool.shutdown(cancel_futures=True)


def _fill(
    pool: ProcessPoolExecutor,
    running: dict[Future[Record | None], tuple[Item, int]],
    suspects: deque[tuple[Item, int]],
    source: Iterator[Item],
    workers: int,
) -> None:
    """Give the processes work: suspects alone, else AHEAD tasks each."""
    if suspects:
        if not running:
            _submit(pool, running, suspects.popleft())
        return
    for item in islice(source, AHEAD * workers - len(running)):
        _submit(pool, running, (item, 0))


def _submit(
    pool: ProcessPoolExecutor, running: dict[Future[Record | None], tuple[Item, int]], entry: tuple[Item, int]
) -> None:
    try:
        running[pool.submit(_do, *entry[0])] = entry
    except BrokenProcessPool:
        future: Future[Record | None] = Future()  # the task is not lost: it is handled with those that were at work
        running[future] = entry
        raise


def _start_pool(settings: Settings, workers: int) -> ProcessPoolExecutor:
    context = multiprocessing.get_context("spawn")  # threads do not survive a fork
    return ProcessPoolExecutor(workers, context, _start, (settings, workers, context.Value("i", 0)))


_worker: Worker
_at_work = threading.Lock()


def _start(settings: Settings, workers: int, started: Any) -> None:
    """Begin a process of the pool: its cores, and its end with its parent, whatever ends that."""
    global _worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends it
    threading.Thread(target=_follow_parent, daemon=True).start()
    with started.get_lock():
        number = started.value
        started.value += 1
    _worker = Worker(settings, take_share(number, workers))


def take_share(number: int, workers: int) -> int:
    """Keep this process to its share of the cores, where the system can; how many these are."""
    if not hasattr(os, "sched_setaffinity"):
        return max(1, cores.count() // workers)
    mine = sorted(os.sched_getaffinity(0))
    share = mine[number % workers :: workers] or [mine[number % len(mine)]]
    os.sched_setaffinity(0, share)
    return len(share)


def _follow_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        with _at_work:  # no output is left half written
            os._exit(1)


def _do(task: Task, before: str) -> Record | None:
    with _at_work:
        return _worker(task, before)


def on_ray(settings: Settings, items: Iterable[Item], workers: int, address: str | None) -> Iterator[Outcome]:
    """By so many actors of Ray Data, on the cluster at `address`, or on one that is started here.

    Raises BatchError if Ray is not installed, or no cluster is there.
    """
    os.environ.setdefault("RAY_DATA_LOG_LEVEL", "ERROR")  # its news are not for the terminal
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # a cluster that is started here tells nobody of its use
    try:
        import ray
    except ImportError as error:
        raise BatchError(f"this needs {error.name}; pip install 'whitebox-harmonizer[ray]'") from error
    if not ray.is_initialized():
        try:
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, include_dashboard=False)
        except ConnectionError as error:
            raise BatchError(
                f"there is no Ray cluster at {address}: {error}; leave --address out to start one"
            ) from error
    ray.data.DataContext.get_current().enable_progress_bars = False
    source = iter(items)
    while chunk := list(islice(source, CHUNK)):
        rows = [
            {"number": number, "task": json.dumps(asdict(task)), "before": before}
            for number, (task, before) in enumerate(chunk)
        ]
        blocks = min(len(rows), 50 * workers)  # small enough that little is done again where an actor dies
        dataset = ray.data.from_items(rows, override_num_blocks=blocks).map(
            RayWorker,  # type: ignore[arg-type]  # a class is called once for each actor
            fn_constructor_args=(settings,),
            compute=ray.data.ActorPoolStrategy(size=workers),
            num_cpus=1,
        )
        for row in dataset.iter_rows():
            record = json.loads(row["record"])
            yield chunk[row["number"]][0], None if record is None else Record(**record)


class RayWorker:
    """An actor with a warm network."""

    def __init__(self, settings: Settings) -> None:
        take_share(os.getpid(), cores.count())
        self._worker = Worker(settings, 1)

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        record = self._worker(Task.from_json(row["task"]), row["before"])
        return {"number": row["number"], "record": json.dumps(record and asdict(record))}
