"""Outputs at places that are there already: links, modes, pipes, devices, inputs; and names that the system refuses."""

from __future__ import annotations

import os
import stat
import threading
from itertools import chain
from pathlib import Path

import pytest

from harmonizer.atomic import FileGroup, replacing, write_file
from harmonizer.errors import OutputError


@pytest.fixture(params=[0o600, 0o640, 0o755])
def mode(request):
    return request.param


def test_what_is_there_keeps_its_mode(tmp_path, mode):
    place = tmp_path / "file"
    place.write_text("old")
    place.chmod(mode)
    write_file(place, b"new")
    assert (place.read_text(), stat.S_IMODE(place.stat().st_mode)) == ("new", mode)


def test_a_new_file_has_the_mode_that_the_umask_leaves(tmp_path):
    before = os.umask(0o027)
    try:
        write_file(tmp_path / "file", b"new")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640


@pytest.mark.parametrize("absolute", [False, True])
@pytest.mark.parametrize("exists", [False, True])
def test_a_symbolic_link_stays_and_what_it_leads_to_is_written(tmp_path, absolute, exists):
    (tmp_path / "store").mkdir()
    real = tmp_path / "store" / "real"
    if exists:
        real.write_text("old")
    (tmp_path / "one").symlink_to(real if absolute else "store/real")
    (tmp_path / "two").symlink_to("one")
    write_file(tmp_path / "two", b"new")
    assert (tmp_path / "two").is_symlink()
    assert (tmp_path / "one").is_symlink()
    assert real.read_text() == "new"
    assert [path.name for path in real.parent.iterdir()] == ["real"]


def test_all_names_of_a_file_get_the_new_content(tmp_path):
    (tmp_path / "one").write_text("a long old content")
    (tmp_path / "two").hardlink_to(tmp_path / "one")
    write_file(tmp_path / "two", b"new")
    assert (tmp_path / "one").read_text() == (tmp_path / "two").read_text() == "new"
    assert (tmp_path / "one").samefile(tmp_path / "two")


def test_an_error_leaves_all_names_of_a_file_as_they_were(tmp_path):
    (tmp_path / "one").write_text("old")
    (tmp_path / "two").hardlink_to(tmp_path / "one")

    def fail():
        with replacing(tmp_path / "two") as part:
            part.write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert (tmp_path / "one").read_text() == "old"


def test_a_named_pipe_is_written_to(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    received = []
    reader = threading.Thread(target=lambda: received.append(pipe.read_bytes()))
    reader.start()
    write_file(pipe, b"new")
    reader.join()
    assert received == [b"new"]
    assert pipe.is_fifo()
    assert list(tmp_path.iterdir()) == [pipe]


def test_a_device_is_written_to():
    write_file(Path(os.devnull), b"new")
    assert Path(os.devnull).is_char_device()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_file_in_a_folder_that_takes_no_new_file_is_written_to(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "file").write_text("old")
    folder.chmod(0o555)
    write_file(folder / "file", b"new")
    assert (folder / "file").read_text() == "new"
    with pytest.raises(OutputError, match="permissions"):
        write_file(folder / "other", b"new")


@pytest.mark.parametrize("name", ["x" * 300, "x" * 300 + ".png", "a\0b", "self", "file/inside"])
def test_a_name_that_the_system_refuses_is_an_error_before_the_work(tmp_path, name):
    (tmp_path / "self").symlink_to("self")
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written") as error, FileGroup() as group:
        group.reserve(tmp_path / name)
    assert len(str(error.value)) < 400
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "self"]


@pytest.mark.parametrize("option", ["-o", "--compare", "--delta", "--mask-out", "--lut", "--edit"])
@pytest.mark.parametrize("name", ["x" * 300, "self"])
def test_every_output_of_the_command_says_so_in_one_line(files, run, option, name):
    ending = {"--lut": ".cube", "--edit": ".json"}.get(option, ".png")
    (files / f"self{ending}").symlink_to(f"self{ending}")
    before = sorted(files.iterdir())
    outputs = {"-o": files / "out.png"} | {option: files / (name + ending)}
    code, _, error = run("run", files / "composite.png", files / "mask.png", *chain(*outputs.items()))
    assert code == 2
    assert error.startswith("error: ")
    assert len(error.splitlines()) == 1
    assert sorted(files.iterdir()) == before


@pytest.mark.parametrize("option", ["-o", "--lut", "--edit"])
def test_every_output_of_the_command_follows_a_link(files, run, option):
    ending = {"--lut": ".cube", "--edit": ".json"}.get(option, ".png")
    (files / f"link{ending}").symlink_to(f"real{ending}")
    outputs = {"-o": files / "out.png"} | {option: files / f"link{ending}"}
    code, _, _ = run("run", files / "composite.png", files / "mask.png", *chain(*outputs.items()))
    assert code == 0
    assert (files / f"link{ending}").is_symlink()
    assert (files / f"real{ending}").stat().st_size > 100


def test_an_output_may_be_its_input(files, run):
    expected = files / "out.png"
    run("run", files / "composite.png", files / "mask.png", "-o", expected)
    code, _, _ = run("run", files / "composite.png", files / "mask.png", "-o", files / "composite.png")
    assert code == 0
    assert (files / "composite.png").read_bytes() == expected.read_bytes()


@pytest.mark.parametrize("name", ["12:30:45.png", "a b.png", "%03d.png", "-x.png", "é.png", "[a].png", "a\nb.png"])
def test_odd_names_are_names(files, run, monkeypatch, name):
    monkeypatch.chdir(files)
    (files / name).write_bytes((files / "composite.png").read_bytes())
    code, _, error = run("run", f"./{name}", "mask.png", "-o", f"./out {name}")
    assert (code, error) == (0, "")
    assert (files / ("out " + name)).is_file()
