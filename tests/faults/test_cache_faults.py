"""A cache of compiled code that is foreign, half written, or nowhere: code is made anew, never run unseen."""

from __future__ import annotations

import os
import time

from whitebox_filters.native import cache

RUN = """
import numpy as np, whitebox_filters as wf
image = np.random.default_rng(0).integers(0, 256, (8, 9, 3), dtype=np.uint8)
print(wf.Cascade(["shadow"]).compile("numba")(image, [0.5]).tobytes().hex())
"""


def test_code_under_the_name_of_other_code_is_made_anew(run_python, tmp_path):
    first = run_python(RUN, WHITEBOX_FILTERS_CACHE=str(tmp_path))
    entries = sorted(tmp_path.iterdir())
    contents = [entry.read_bytes() for entry in entries]
    assert len(set(contents)) == len(entries) > 1
    foreign = contents[1:] + contents[:1]
    for entry, content in zip(entries, foreign, strict=True):
        entry.write_bytes(content)
    assert run_python(RUN, WHITEBOX_FILTERS_CACHE=str(tmp_path)) == first
    assert all(entry.read_bytes() != content for entry, content in zip(entries, foreign, strict=True))


def test_what_a_killed_process_left_is_removed_after_a_while(tmp_path):
    for name, age in (("old", 2 * cache.OLD), ("new", 0)):
        (tmp_path / f"{name}{cache.PART}").write_bytes(b"half")
        os.utime(tmp_path / f"{name}{cache.PART}", (time.time() - age,) * 2)
    cache._write(tmp_path / "key.o", "key", b"code")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["key.o", f"new{cache.PART}"]
    assert cache._read(tmp_path / "key.o", "key") == b"code"
    assert cache._read(tmp_path / "key.o", "other") is None


def test_an_entry_that_cannot_take_its_place_leaves_nothing(tmp_path):
    (tmp_path / "key.o").mkdir()
    (tmp_path / "key.o" / "file").touch()
    cache._write(tmp_path / "key.o", "key", b"code")
    assert [path.name for path in tmp_path.iterdir()] == ["key.o"]


def test_a_user_without_a_home_has_no_cache(monkeypatch):
    def nowhere():
        raise RuntimeError("Could not determine home directory.")

    for name in (cache.CACHE_VARIABLE, "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(cache.sys, "platform", "linux")
    monkeypatch.setattr(cache.Path, "home", nowhere)
    assert cache.cache_folder() is None
