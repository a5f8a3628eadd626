"""Threads that share the passes of a call: all is done once, whoever comes, and no one is waited for in vain."""

import ctypes
import multiprocessing
import threading
import time
from concurrent.futures import Future

import numpy as np
import pytest

import whitebox_filters as wf
from whitebox_filters.native import cores
from whitebox_filters.native.kernel import RowKernel
from whitebox_filters.native.signature import INDEX, Source
from whitebox_filters.native.workers import Workers

LARGE = 10**9  # pixels
WAIT = 60  # seconds: on a busy machine a thread may give up, which is allowed, before it finds something to do
THETA = (0.3, -0.2, 0.25, 0.3, -0.3, 0.25)


class Recorder(RowKernel):
    """A kernel over rows that notes its ranges and its one argument."""

    def __init__(self, pause=0.0):
        super().__init__(Source(__name__, "note"), {"job": INDEX})
        self.parts, self.threads = [], set()

        def note(words, top, bottom, part):
            time.sleep(pause)
            self.parts.append((words[0], top, bottom, part))
            self.threads.add(threading.get_ident())

        self._function = ctypes.CFUNCTYPE(None, ctypes.POINTER(ctypes.c_int64), *[ctypes.c_int64] * 3)(note)
        self.address = ctypes.cast(self._function, ctypes.c_void_p).value


class Nobody:
    """A pool whose threads never come."""

    def submit(self, *_):
        return Future()


@pytest.mark.parametrize("count", [1, 2, 5])
def test_each_part_is_done_once_with_its_arguments(monkeypatch, count):
    monkeypatch.setattr(cores, "count", lambda: count)
    recorder = Recorder(pause=1e-4)
    with Workers(LARGE) as workers:
        for job in range(20):
            workers.run(recorder, [0, 3, 5, 5, 9], job=job)
            assert sorted(recorder.parts) == [(job, 0, 3, 0), (job, 3, 5, 1), (job, 5, 5, 2), (job, 5, 9, 3)]
            recorder.parts.clear()
        workers.run(recorder, [4], job=0)  # no range
    assert not recorder.parts


def test_others_come(monkeypatch):
    monkeypatch.setattr(cores, "count", lambda: 2)
    recorder, deadline = Recorder(pause=1e-3), time.monotonic() + WAIT
    while len(recorder.threads) < 2 and time.monotonic() < deadline:
        with Workers(LARGE) as workers:
            workers.run(recorder, range(31), job=0)
    assert len(recorder.threads) == 2


def test_those_who_do_not_come_are_not_waited_for(monkeypatch):
    monkeypatch.setattr(cores, "count", lambda: 3)
    monkeypatch.setattr(cores, "pool", Nobody)
    now, later = Recorder(), Recorder()
    with Workers(LARGE) as workers:
        workers.run_in_background(later, range(8), job=1)
        workers.run(now, range(5), job=0)
        assert (len(now.parts), len(later.parts)) == (4, 0)
    assert len(later.parts) == 7


def test_what_was_started_is_done_by_others_meanwhile(monkeypatch):
    monkeypatch.setattr(cores, "count", lambda: 2)
    done, deadline = False, time.monotonic() + WAIT
    while not done and time.monotonic() < deadline:
        later = Recorder()
        with Workers(LARGE) as workers:
            workers.run_in_background(later, range(8), job=1)
            time.sleep(0.1)
            done = len(later.parts) == 7
    assert done


def test_what_was_started_is_done_in_spite_of_errors(monkeypatch):
    monkeypatch.setattr(cores, "pool", Nobody)
    later = Recorder()

    def fail():
        with Workers(LARGE) as workers:
            workers.run_in_background(later, range(8), job=1)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert len(later.parts) == 7


@pytest.mark.parametrize("region", ["frame", "mask"])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_the_number_of_cores_changes_no_bit(monkeypatch, dtype, region):
    generator = np.random.default_rng(0)
    image = generator.integers(0, 256, (300, 401, 3), np.uint8)
    image = image if dtype == np.uint8 else (image / 255).astype(dtype)
    mask = generator.random((300, 401), np.float32)
    ready = wf.Cascade(["hue", "contrast", "temperature", "shadow"], statistics=region).compile()
    found = []
    for count in (1, 2, 7):
        monkeypatch.setattr(cores, "count", lambda count=count: count)
        result = ready(image, (0.2, 0.3, 0.4, 0.1), mask)
        found.append((result.tobytes(), ready.statistics(image, (0.2, 0.3, 0.4, 0.1), mask)[1].tobytes()))
    assert len(set(found)) == 1


def _filter(image, results):
    cores.pool().submit(int).result(timeout=60)
    results.put(wf.Cascade().compile()(image, THETA))


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork here")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_process_filters_as_well():
    image = np.random.default_rng(0).integers(0, 256, (400, 300, 3), np.uint8)
    expected = wf.Cascade().compile()(image, THETA)  # threads are there now, which the other process lacks
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    process = context.Process(target=_filter, args=(image, results))
    process.start()
    np.testing.assert_array_equal(results.get(timeout=60), expected)
    process.join()
