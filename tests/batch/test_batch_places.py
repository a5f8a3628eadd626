"""Object stores, a Ray cluster, and manifests of any length."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import fsspec
import pytest
from batch_steps import begin, harmonizer, pictures, records, write_pair

from harmonizer.batch import report, storage
from harmonizer.batch.run import Batch, run
from harmonizer.batch.worker import Settings


def test_files_of_a_store_in_memory(pairs):
    memory = fsspec.filesystem("memory")
    memory.put(str(pairs), "/batch/in", recursive=True)
    batch = Batch("memory://batch/in", "memory://batch/out", "memory://batch/out/report.parquet", Settings())
    assert run(batch, lambda _: None).done == 6
    assert run(batch, lambda _: None).skipped == 6
    memory.pipe("/batch/in/p0.png", b"no picture")
    assert run(batch, lambda _: None).failed == 1
    found = {each.output: each.status for each in report.read("memory://batch/out/report.parquet")}
    assert found["memory://batch/out/p0.png"] == "failed"
    assert len(found) == 6
    assert not [name for name in storage.files("memory://batch/out") if ".parts" in name]


@pytest.fixture
def s3(tmp_path, monkeypatch):
    """A server that speaks S3, on this machine."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    command = [sys.executable, "-m", "moto.server", "-p", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
        url = next(line.split("Running on ")[1].strip() for line in server.stdout if "Running on " in line)
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        monkeypatch.setenv("FSSPEC_S3_ENDPOINT_URL", url)
        yield fsspec.filesystem("s3", endpoint_url=url)
        server.kill()


def test_files_of_an_object_store_by_processes(pairs, tmp_path, s3):
    s3.mkdir("bucket")
    s3.put(str(pairs), "bucket/in", recursive=True)
    said = harmonizer("batch", "s3://bucket/in", "-o", "s3://bucket/out", "--workers", 2)
    assert "6 pictures done" in said
    harmonizer("batch", pairs, "-o", tmp_path / "out")
    for name, data in pictures(tmp_path / "out").items():
        assert s3.cat(f"bucket/out/{name}") == data
    assert "6 were done before" in harmonizer("batch", "s3://bucket/in", "-o", "s3://bucket/out")
    assert "6 done" in harmonizer("batch", "--summary", "s3://bucket/out/report.parquet")


def test_ray_does_every_picture_once_though_an_actor_is_killed(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(120):
        write_pair(folder, f"p{number:03d}", number)
    harmonizer("batch", folder, "-o", tmp_path / "whole")
    (folder / "p007.png").write_bytes(b"no picture")
    process = begin("batch", folder, "-o", tmp_path / "out", "--engine", "ray", "--workers", 2, "--progress", "json")
    limit = time.monotonic() + 120
    while not (tmp_path / "out").exists() or len(pictures(tmp_path / "out")) < 30:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < limit
        time.sleep(0.01)
    actors = subprocess.run(["pgrep", "-f", "ray::MapWorker"], capture_output=True, text=True, check=True).stdout
    os.kill(int(actors.split()[0]), signal.SIGKILL)
    output, errors = process.communicate(timeout=200)
    assert process.returncode == 1, errors
    assert "119 pictures done, 1 failed" in output
    expected = pictures(tmp_path / "whole")
    del expected["p007.png"]
    assert pictures(tmp_path / "out") == expected
    assert records(tmp_path / "out")["p007.png"].status == "failed"


def test_a_long_manifest_is_not_held_in_memory(tmp_path):
    """Rows that end before a picture is read: what grows is what the driver keeps of each."""

    def grown(rows):
        manifest = tmp_path / f"{rows}.jsonl"
        with manifest.open("w") as file:
            for number in range(rows):
                row = {"image": f"{'x' * 100}{number}.png", "mask": "m.png", "output": f"{number}.png"}
                file.write(json.dumps(row) + "\n")
        code = (
            "import resource, sys\n"
            "from harmonizer.batch.run import Batch, run\n"
            "from harmonizer.batch.worker import Settings\n"
            "manifest, out, report = sys.argv[1:]\n"
            "run(Batch(manifest, out, report, Settings()), lambda _: None)\n"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)\n"
        )
        places = [str(manifest), str(tmp_path / "out"), str(tmp_path / f"{rows}.parquet")]
        done = subprocess.run([sys.executable, "-c", code, *places], capture_output=True, text=True, check=True)
        return int(done.stdout)

    each = (grown(40_000) - grown(2_000)) / 38_000
    assert each < 1000  # bytes: a key, a fingerprint, and no row
