"""Runs that meet another run, a full disk, or the rest of one that was killed early."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest
import torch

from harmonizer import atomic
from harmonizer.errors import CheckpointError, OutputError
from harmonizer.files import locks
from harmonizer.learning import recipes, record, run, train
from harmonizer.learning.network.config import NetworkConfig
from harmonizer.learning.recipes import Recipe
from harmonizer.learning.record import Recorder

RECIPE = Recipe(
    pretrained=False,
    network=NetworkConfig(encoder="mobilenetv3_small_050", input_size=32),
    steps=2,
    batch_size=4,
    sizes=((1.0, 32),),
    warmup=1,
)


def fail(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_one_process_at_a_time(photo_folder, tmp_path):
    with locks.holding(tmp_path / "lock"), pytest.raises(OutputError, match="another process trains into"):
        run.run(RECIPE, photo_folder, tmp_path, resume=False)
    assert not (tmp_path / "recipe.json").exists()


def test_a_run_that_was_killed_before_its_first_checkpoint(photo_folder, tmp_path):
    (tmp_path / "recipe.json").write_text(recipes.to_json(RECIPE))
    (tmp_path / "lock").touch()
    with pytest.raises(CheckpointError, match="before its first; start it without --resume"):
        run.run(RECIPE, photo_folder, tmp_path, resume=True)
    run.run(RECIPE, photo_folder, tmp_path, resume=False)
    assert torch.load(tmp_path / "last.pt", weights_only=True)["step"] == 2
    assert not (tmp_path / "lock").exists()


@pytest.mark.parametrize("name", ["last.pt", "model.safetensors", "recipe.json"])
def test_a_disk_that_is_full_at_a_file(photo_folder, tmp_path, monkeypatch, name):
    write = Path.write_bytes
    reserve = atomic.FileGroup.reserve
    parts = {}

    def note(group, place):
        parts[part := reserve(group, place)] = place.name
        return part

    def limited(path, data):
        return fail() if parts.get(path) == name else write(path, data)

    monkeypatch.setattr(atomic.FileGroup, "reserve", note)
    monkeypatch.setattr(Path, "write_bytes", limited)
    with pytest.raises(OutputError, match=f"{name} cannot be written: No space left on device; make room"):
        run.run(RECIPE, photo_folder, tmp_path, resume=False)
    assert not (tmp_path / name).exists()
    assert not list(tmp_path.rglob("*.part"))


def test_a_disk_that_is_full_at_the_log(tmp_path, monkeypatch):
    names = train.start(RECIPE, pretrained=False).network.cascade.names
    with Recorder(tmp_path, RECIPE, names, 0) as recorder:
        monkeypatch.setattr(recorder.tensorboard, "add_scalar", fail)
        with pytest.raises(OutputError, match="No space left on device; --resume goes on"):
            recorder.step(RECIPE.steps, {"final": torch.tensor(1.0)})


def test_a_disk_that_is_full_as_tensorboard_begins(tmp_path, monkeypatch, capfd):
    """Its thread fails before the first call."""

    class Writer(threading.Thread):
        __module__ = "tensorboard.somewhere"

        def __init__(self, *_, **__):
            super().__init__()
            self.start()
            self.join()

        def run(self):
            fail()

        def close(self):
            fail()

    monkeypatch.setattr(record, "SummaryWriter", Writer)
    with pytest.raises(OutputError, match="No space left on device"), Recorder(tmp_path, RECIPE, ("shadow",), 0):
        pass
    assert "Traceback" not in capfd.readouterr().err
