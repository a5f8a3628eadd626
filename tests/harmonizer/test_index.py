"""`index.csv` as spreadsheets write it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harmonizer import ImageFileError
from harmonizer.evaluation.index import read_index

EXPECTED = [{"image": "a b.jpg", "mask": "m/é.png", "note": ""}, {"image": "c.jpg", "mask": "", "note": "x, y; z"}]
PLAIN = 'image,mask,note\na b.jpg,m/é.png,\nc.jpg,,"x, y; z"\n'


@pytest.fixture
def index(tmp_path):
    def write(content: bytes):
        path = tmp_path / "index.csv"
        path.write_bytes(content)
        return path

    return write


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (PLAIN, "utf-8"),
        (PLAIN, "utf-8-sig"),
        (PLAIN, "utf-16"),
        (PLAIN.replace("\n", "\r\n"), "utf-8-sig"),
        (PLAIN.replace("\n", "\r"), "utf-8"),
        (PLAIN.rstrip(), "utf-8"),
        (PLAIN.replace("image,mask,note", " Image, MASK , note"), "utf-8"),
        (PLAIN.replace(".jpg,", ".jpg , "), "utf-8"),
        (PLAIN.replace("\nc.jpg", "\n,,\n\nc.jpg"), "utf-8"),
        (PLAIN.replace("é.png,", "é.png"), "utf-8"),
        ('image;mask;note\na b.jpg;m/é.png;\nc.jpg;;"x, y; z"\n', "utf-8-sig"),
        ('sep=;\r\nimage;mask;note\r\na b.jpg;m/é.png;\r\nc.jpg;;"x, y; z"\r\n', "utf-8"),
        ("image\tmask\tnote\na b.jpg\tm/é.png\t\nc.jpg\t\tx, y; z\n", "utf-16"),
    ],
)
def test_every_way_of_writing_gives_the_same_rows(index, text, encoding):
    assert read_index(index(text.encode(encoding)), ["image", "mask"]) == EXPECTED


def test_line_separators_of_unicode_are_part_of_a_name(index):
    assert read_index(index("image\na\x85b\u2028c.jpg\n".encode()), ["image"]) == [{"image": "a\x85b\u2028c.jpg"}]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "columns none; it lacks image, mask"),
        (b"file,seg\na,b\n", "columns file, seg; it lacks image, mask"),
        (b"image,seg\na,b\n", "lacks mask"),
        (b"image,mask\na,b,c\n", "line 2 has 3 cells for 2 columns"),
        (b'image,mask\n"a,b\n', "line 2"),
        ("image,mask\né,b\n".encode("latin-1"), "CSV UTF-8"),
        (b"\xff\xfei", "CSV UTF-8"),
    ],
)
def test_what_cannot_be_read_is_one_error_that_says_what_is_expected(index, content, message):
    with pytest.raises(ImageFileError, match=message):
        read_index(index(content), ["image", "mask"])


def test_a_folder_in_its_place(tmp_path):
    with pytest.raises(ImageFileError, match="cannot be read"):
        read_index(tmp_path, ["image"])


@given(st.binary(max_size=200))
def test_any_bytes_give_rows_or_one_error(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("index") / "index.csv"
    path.write_bytes(b"image,mask\n" + content)
    try:
        rows = read_index(path, ["image", "mask"])
    except ImageFileError:
        return
    assert all(set(row) == {"image", "mask"} for row in rows)


def test_evaluate_says_in_one_line_what_is_wrong(run, tmp_path):
    (tmp_path / "index.csv").write_text("file,seg\na.png,b.png\n")
    code, _, error = run("evaluate", "--data", tmp_path, "--layout", "photos", "--learner", "composite")
    assert code == 2
    assert "lacks image, mask" in error
    assert len(error.splitlines()) == 1
