"""Runs that are killed, stopped and started again: nothing is lost, and nothing is done twice."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time

import numpy as np
import pytest
from batch_steps import COMMAND, ROOT, begin, harmonizer, pictures, records, write_pair

from harmonizer import io
from harmonizer.batch import report
from harmonizer.batch.engines import AHEAD
from harmonizer.batch.records import Journal, Record
from harmonizer.pictures.picture import Picture


@pytest.fixture
def many(tmp_path):
    """Forty pictures, large enough that a run takes a few seconds."""
    folder = tmp_path / "in"
    folder.mkdir()
    mask = np.zeros((500, 700, 3), np.uint8)
    mask[100:400, 200:500] = 255
    generator = np.random.default_rng(0)
    for number in range(40):
        io.write_image(
            folder / f"p{number:02d}.png", Picture(generator.integers(0, 256, (500, 700, 3), dtype=np.uint8))
        )
        io.write_image(folder / f"p{number:02d}_mask.png", Picture(mask))
    return folder


def wait_for_pictures(folder, count, process):
    limit = time.monotonic() + 120
    while not folder.exists() or len(pictures(folder)) < count:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < limit
        time.sleep(0.01)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_run_goes_on_and_ends_with_the_same_files(many, tmp_path, workers):
    harmonizer("batch", many, "-o", tmp_path / "whole", "--workers", workers)
    broken = begin("batch", many, "-o", tmp_path / "out", "--workers", workers)
    wait_for_pictures(tmp_path / "out", 25, broken)
    broken.send_signal(signal.SIGKILL)
    broken.communicate()
    left = pictures(tmp_path / "out")
    assert len(left) < 40
    assert left.items() <= pictures(tmp_path / "whole").items()  # none is cut off
    harmonizer("batch", many, "-o", tmp_path / "out", "--workers", workers)
    assert pictures(tmp_path / "out") == pictures(tmp_path / "whole")
    found = list(report.read(str(tmp_path / "out" / "report.parquet")))
    assert len(found) == len({each.output for each in found}) == 40
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("*.png")}
    said = harmonizer("batch", many, "-o", tmp_path / "out", "--workers", workers)
    assert "0 pictures done, 40 were done before" in said
    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("*.png")}
    assert len(records(tmp_path / "out")) == 40


def test_what_a_journal_has_is_not_done_again(pairs, tmp_path):
    harmonizer("batch", pairs, "-o", tmp_path / "out")
    place = str(tmp_path / "out" / "report.parquet")
    kept = list(report.read(place))[:4]
    (tmp_path / "out" / "report.parquet").unlink()  # as if the run had been killed before its end
    journal = Journal(place)
    for record in kept:
        journal.append(record)
    journal.flush()
    said = harmonizer("batch", pairs, "-o", tmp_path / "out")
    assert "2 pictures done, 4 were done before" in said
    assert len(records(tmp_path / "out")) == 6


@pytest.mark.parametrize("change", ["input", "mask", "output", "option"])
def test_what_has_changed_is_done_again(pairs, tmp_path, change):
    out = tmp_path / "out"
    harmonizer("batch", pairs, "-o", out)
    options = ["--set", "shadow=0.5"] if change == "option" else []
    if change == "input":
        write_pair(pairs, "p3", 99)
    if change == "mask":
        io.write_image(pairs / "p3_mask.png", Picture(np.full((24, 32, 3), 255, np.uint8)))
    if change == "output":
        (out / "p3.png").unlink()
    said = harmonizer("batch", pairs, "-o", out, *options)
    expected = 6 if change == "option" else 1
    assert f"{expected} pictures done" in said
    assert len(records(out)) == 6


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("workers", [1, 2])
def test_a_stopped_run_ends_clean(many, tmp_path, sent, workers):
    process = begin("batch", many, "-o", tmp_path / "out", "--workers", workers, start_new_session=True)
    wait_for_pictures(tmp_path / "out", 5, process)
    process.send_signal(sent)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "stopped; the same command goes on from here" in errors
    assert "Traceback" not in errors
    done = len(pictures(tmp_path / "out"))
    limit = time.monotonic() + 20
    while subprocess.run(["pgrep", "-g", str(process.pid)], capture_output=True, check=False).stdout:
        assert time.monotonic() < limit, "processes were left behind"
        time.sleep(0.1)
    said = harmonizer("batch", many, "-o", tmp_path / "out")
    before = int(re.search(r"(\d+) were done before", said)[1])
    # What several processes had in hand when they were stopped has no record, and is done again.
    assert done - (0 if workers == 1 else AHEAD * workers) <= before <= done
    assert len(records(tmp_path / "out")) == 40


def test_a_process_that_dies_is_replaced(many, tmp_path):
    harmonizer("batch", many, "-o", tmp_path / "whole")
    process = begin("batch", many, "-o", tmp_path / "out", "--workers", 2)
    wait_for_pictures(tmp_path / "out", 5, process)
    children = subprocess.run(
        ["pgrep", "-P", str(process.pid), "-f", "spawn_main"], capture_output=True, text=True, check=True
    )
    os.kill(int(children.stdout.split()[0]), signal.SIGKILL)
    output, errors = process.communicate(timeout=200)
    assert process.returncode == 0, errors
    assert "40 pictures done" in output
    assert pictures(tmp_path / "out") == pictures(tmp_path / "whole")


DEADLY = """
import os, signal
import fsspec
from fsspec.implementations.memory import MemoryFileSystem
class Deadly(MemoryFileSystem):
    protocol = "deadly"
    def cat_file(self, path, **more):
        os.kill(os.getpid(), signal.SIGKILL)
fsspec.register_implementation("deadly", Deadly)
"""


def test_a_picture_that_no_process_survives_is_given_up(pairs, tmp_path, monkeypatch):
    (tmp_path / "sitecustomize.py").write_text(DEADLY)
    rows = [f'{{"image": "p{number}.png", "mask": "p{number}_mask.png"}}\n' for number in range(6)]
    rows.insert(2, '{"image": "deadly://x.png", "mask": "p0_mask.png"}\n')
    (pairs / "rows.jsonl").write_text("".join(rows))
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{ROOT}")
    command = [*COMMAND, "batch", str(pairs / "rows.jsonl"), "-o", str(tmp_path / "out"), "--workers", "2"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1, done.stderr
    found = records(tmp_path / "out")
    assert "died, twice" in found.pop("x.png").error
    assert {each.status for each in found.values()} == {"done"}
    assert len(found) == 6


def test_a_report_is_written_by_one_run_at_a_time(many, tmp_path):
    process = begin("batch", many, "-o", tmp_path / "out")
    wait_for_pictures(tmp_path / "out", 1, process)
    said = harmonizer("batch", many, "-o", tmp_path / "out", code=2)
    assert "another run writes" in said
    process.kill()
    process.communicate()
    harmonizer("batch", many, "-o", tmp_path / "out")  # the lock went with its holder


def test_the_newest_record_of_a_picture_counts(tmp_path):
    journal = Journal(str(tmp_path / "report.csv"))
    for status in ("failed", "done"):
        journal.append(Record("a.png", "b.png", status))
    journal.flush()
    again = Journal(str(tmp_path / "report.csv"))
    again.append(Record("c.png", "d.png", "done"))
    again.flush()
    assert [(each.output, each.status) for each in again.read()] == [
        ("b.png", "failed"),
        ("b.png", "done"),
        ("d.png", "done"),
    ]
    again.remove()
    assert not (tmp_path / "report.csv.parts").exists()
