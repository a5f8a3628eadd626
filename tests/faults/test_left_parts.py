"""What a killed run left beside its outputs: the next run removes it, and leaves alone what another run is writing."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading

import pytest

from harmonizer.atomic import FileGroup, replacing, write_file
from harmonizer.files import locks, parts

WRITER = """
import sys, time
from pathlib import Path
from harmonizer.atomic import FileGroup
folder = Path(sys.argv[1])
with FileGroup() as group:
    for name in ("first", "second"):
        group.reserve(folder / name).write_text("half")
    print("written", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture(autouse=True)
def as_a_new_process(monkeypatch):
    monkeypatch.setattr(parts, "_looked_at", set())


@pytest.fixture
def writer(tmp_path):
    """A process that has written two parts into a folder and goes on when it is told to."""
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "written\n"
        yield process
        process.kill()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_parts_of_a_killed_run_are_removed_by_the_next(tmp_path, writer):
    assert len(names(tmp_path)) == 2
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    assert len(names(tmp_path)) == 2
    write_file(tmp_path / "third", b"whole")
    assert names(tmp_path) == ["third"]


def test_parts_of_a_run_that_goes_on_stay(tmp_path, writer):
    write_file(tmp_path / "third", b"whole")
    assert len(names(tmp_path)) == 3
    writer.communicate("\n")
    assert names(tmp_path) == ["first", "second", "third"]
    assert (tmp_path / "first").read_text() == "half"


def test_a_part_whose_first_is_gone_is_removed(tmp_path):
    (tmp_path / f".harmonizer-{'0' * 32}-7.part").write_text("left")
    write_file(tmp_path / "out", b"whole")
    assert names(tmp_path) == ["out"]


def test_other_hidden_files_stay(tmp_path):
    others = [".0123.part", f".harmonizer-{'0' * 31}.part", f".harmonizer-{'0' * 32}.part.txt", "harmonizer.part"]
    for name in others:
        (tmp_path / name).touch()
    (tmp_path / f".harmonizer-{'1' * 32}.part").symlink_to(tmp_path / "harmonizer.part")
    write_file(tmp_path / "out", b"whole")
    assert set(others) <= set(names(tmp_path))


def test_an_inner_group_does_not_remove_the_parts_of_an_outer_one(tmp_path, monkeypatch):
    with FileGroup() as group:
        group.reserve(tmp_path / "first").write_text("1")
        monkeypatch.setattr(parts, "_looked_at", set())
        with replacing(tmp_path / "second") as part:
            part.write_text("2")
    assert names(tmp_path) == ["first", "second"]


def test_many_outputs_take_one_descriptor(tmp_path):
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        with FileGroup() as group:
            for number in range(400):
                group.reserve(tmp_path / str(number)).write_text("x")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert len(names(tmp_path)) == 400


def test_writers_and_removers_at_once(tmp_path):
    """A remover that meets a part between its making and its holding must not take it from its writer."""
    end, faults = threading.Event(), []

    def remove():
        while not end.is_set():
            parts.remove_left(tmp_path)

    def write(number):
        for turn in range(60):
            with replacing(tmp_path / str(number)) as part:
                part.write_text(f"{turn}")
            if (tmp_path / str(number)).read_text() != f"{turn}":
                faults.append((number, turn))

    removers = [threading.Thread(target=remove) for _ in range(2)]
    writers = [threading.Thread(target=write, args=[number]) for number in range(3)]
    for thread in removers + writers:
        thread.start()
    for thread in writers:
        thread.join()
    end.set()
    for thread in removers:
        thread.join()
    assert faults == []
    assert names(tmp_path) == ["0", "1", "2"]


def test_a_lock_file_is_held_by_one(tmp_path):
    place = tmp_path / "lock"
    with locks.holding(place):
        with pytest.raises(locks.HeldError), locks.holding(place):
            pass
        assert place.exists()
    assert not place.exists()
    place.touch()  # as a killed run leaves it
    with locks.holding(place):
        pass
    assert not place.exists()
