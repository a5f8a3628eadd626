"""A full disk: one error that says so, what was there stays, and nothing half written is left."""

from __future__ import annotations

import errno

import pytest
from disk_steps import fill_up

from harmonizer import atomic
from harmonizer.errors import OutputError


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOSPC, "No space left on device; make room, or choose another place"),
        (errno.EROFS, "Read-only file system; choose another place"),
    ],
)
def test_an_output_of_before_stays(tmp_path, monkeypatch, number, advice):
    (tmp_path / "out").write_bytes(b"before")
    fill_up(monkeypatch, tmp_path, 3, number)
    with pytest.raises(OutputError, match=advice):
        atomic.write_file(tmp_path / "out", b"after it")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"before"]


def test_files_that_belong_together(tmp_path, monkeypatch):
    fill_up(monkeypatch, tmp_path, 5)
    with pytest.raises(OutputError, match="two cannot be written: No space"):
        atomic.write_files({tmp_path / "one": b"1234", tmp_path / "two": b"1234"})
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_takes_no_new_file(tmp_path, monkeypatch):
    def refuse(self, folder):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(atomic.Parts, "create", refuse)
    with pytest.raises(OutputError, match="out cannot be written: No space left on device; make room"):
        atomic.write_file(tmp_path / "out", b"whole")
    assert list(tmp_path.iterdir()) == []
