"""Files that belong together appear together."""

from __future__ import annotations

import pytest

from harmonizer.atomic import FileGroup, replacing
from harmonizer.errors import OutputError


def write(group, place):
    group.reserve(place).write_text("new")


def test_all_appear_at_the_end(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_text("old")
    with FileGroup() as group:
        write(group, first)
        write(group, second)
        assert first.read_text() == "old"
        assert not second.exists()
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {"first": "new", "second": "new"}


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_none_appears_after_an_error(tmp_path, error):
    (tmp_path / "first").write_text("old")

    def fail():
        with FileGroup() as group:
            write(group, tmp_path / "first")
            write(group, tmp_path / "second")
            group.reserve(tmp_path / "never begun")
            raise error

    with pytest.raises(error):
        fail()
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {"first": "old"}


def test_a_place_that_became_a_folder(tmp_path):
    def fail():
        with FileGroup() as group:
            write(group, tmp_path / "first")
            (tmp_path / "first").mkdir()

    with pytest.raises(OutputError, match="first cannot be written: Is a directory"):
        fail()
    assert list(tmp_path.iterdir()) == [tmp_path / "first"]


def test_one_place_is_taken_once(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "first")
    with FileGroup() as group:
        write(group, tmp_path / "first")
        with pytest.raises(OutputError, match="two outputs are one file"):
            group.reserve(tmp_path / "link")


def test_a_single_file_is_replaced_when_it_is_whole(tmp_path):
    place = tmp_path / "first"
    place.write_text("old")
    with replacing(place) as part:
        part.write_text("new")
        assert place.read_text() == "old"
    assert [file.read_text() for file in tmp_path.iterdir()] == ["new"]


@pytest.mark.parametrize(
    ("error", "raised"), [(ZeroDivisionError(), ZeroDivisionError), (OSError(28, "full"), OutputError)]
)
def test_a_single_file_stays_after_an_error(tmp_path, error, raised):
    place = tmp_path / "first"
    place.write_text("old")

    def fail():
        with replacing(place) as part:
            part.write_text("half")
            raise error

    with pytest.raises(raised):
        fail()
    assert [file.read_text() for file in tmp_path.iterdir()] == ["old"]
