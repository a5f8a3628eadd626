"""Edit files: the published schema and the package's own check say the same; what is refused, and how."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import jsonschema
import pytest

import whitebox_filters as wf
from harmonizer import Edit, EditError, Harmonizer, HarmonizerWarning, OutputError, edit_format, edits, jobs

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/edit.schema.json").read_text(encoding="utf-8"))
VALID = jsonschema.Draft202012Validator(SCHEMA)
# What a place in the document may wrongly, or rightly, hold.
VALUES = [
    *(
        None,
        True,
        False,
        0,
        1,
        -1,
        2,
        0.5,
        -0.5,
        1.0,
        1.5,
        1e999,
        "",
        "frame",
        "mask",
        "1",
        "a" * 64,
        "A" * 64,
        "a" * 63,
    ),
    *([], [0.5], [0.1, 0.2, 0.3], [0.1, 0.2, 1.3], [0.1, 0.2, "0.3"], [0.1, 0.2, 0.3, 0.4], {}, {"name": "shadow"}),
    *([{"name": "shadow", "theta": 0.1}], [{"name": "shadow", "theta": 0.1, "note": ""}], [[0.1, 0.2, 0.3]]),
]


@pytest.fixture(scope="module")
def harmonizer(checkpoint):
    return Harmonizer.load(checkpoint)


@pytest.fixture
def path(tmp_path, harmonizer, image, mask):
    edit = Edit.from_result(harmonizer.harmonize(image, mask), image, mask)
    edits.write(tmp_path / "edit.json", edit)
    return tmp_path / "edit.json"


@pytest.fixture
def document(path):
    return json.loads(path.read_text(encoding="utf-8"))


def places(node):
    """Every (container, key) in a document, from the inside out."""
    if isinstance(node, dict | list):
        for key, child in list(node.items() if isinstance(node, dict) else enumerate(node)):
            yield from places(child)
            yield node, key


def accepted(document):
    try:
        edit_format.check_structure(document)
    except EditError:
        return False
    return True


def test_the_schema_is_one():
    VALID.check_schema(SCHEMA)


def test_what_is_written_is_by_the_schema(document):
    VALID.validate(document)
    assert document["format"] == 1
    assert document["registry_version"] == wf.REGISTRY_VERSION
    assert [entry["name"] for entry in document["filters"]] == list(wf.DEFAULT_FILTERS)


def test_check_and_schema_agree_on_every_change(document):
    verdicts = {True: 0, False: 0}
    for container, key in list(places(document)):
        kept = container[key]
        for value in VALUES:
            container[key] = copy.deepcopy(value)
            assert accepted(document) == VALID.is_valid(document), (key, value)
            verdicts[accepted(document)] += 1
        container[key] = kept
    assert min(verdicts.values()) > 50


def test_check_and_schema_agree_on_what_lacks_or_is_too_much(document):
    for container, key in list(places(document)):
        if isinstance(container, dict):
            kept = container.pop(key)
            assert accepted(document) == VALID.is_valid(document) == (key == "statistic"), key
            container[key] = kept
            container["note"] = "mine"
            assert not accepted(document)
            assert not VALID.is_valid(document)
            del container["note"]
    for whole in VALUES:
        assert not accepted(whole)
        assert not VALID.is_valid(whole)


def change(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | changes), encoding="utf-8")
    return path


SHADOW = {"name": "shadow", "theta": 0.1}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 2}, r"edit\.json: its format 2.*newer.*upgrade harmonizer"),
        ({"format": 2, "new": "key", "filters": {}}, r"format 2.*upgrade"),
        ({"format": 0}, "format is 1; got 0"),
        ({"format": "1"}, 'no edit.*"format": 1'),
        ({"registry_version": 99}, r"version 99.*upgrade harmonizer"),
        ({"extra": 1}, "has extra; its keys are filters, format"),
        ({"input": {}}, "input lacks image_sha256, mask_sha256"),
        ({"statistics_region": "sky"}, "statistics_region is frame or mask; got 'sky'"),
        ({"filters": [SHADOW | {"theta": 3}]}, r"filters\[0\].theta is a number in \[-1, 1\]; got 3"),
        ({"filters": [SHADOW | {"theta": float("nan")}]}, r"theta is a number in \[-1, 1\]; got nan"),
        ({"filters": [SHADOW, {"name": "sepia", "theta": 0.1}]}, "no filter is named sepia; registered: .*shadow"),
        ({"filters": [SHADOW, SHADOW]}, "shadow more than once"),
        ({"filters": [SHADOW | {"statistic": 0.5}]}, "shadow takes no statistic; got 0.5"),
        ({"filters": [{"name": "contrast", "theta": 0, "statistic": [0, 0, 0]}]}, "contrast takes one mean"),
        ({"filters": [{"name": "temperature", "theta": 0, "statistic": 0.5}]}, "temperature takes a list of three"),
    ],
)
def test_a_file_that_is_refused(path, changes, message):
    with pytest.raises(EditError, match=message):
        edits.read(change(path, **changes))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[1]",
        "null",
        "[" * 100_000,
        '{"format": NaN}',
        '{"format": -Infinity}',
        '{"format": ' + "9" * 5000 + "}",
    ],
)
def test_a_file_that_is_no_edit(tmp_path, text):
    path = tmp_path / "edit.json"
    path.write_text(text)
    with pytest.raises(EditError, match=r"edit\.json.*(is not JSON|is no edit).*--edit"):
        edits.read(path)


def test_a_file_that_is_a_picture_or_not_there(tmp_path):
    path = tmp_path / "edit.json"
    path.write_bytes(b"\xff\xd8\xff\xe0")
    with pytest.raises(EditError, match="not JSON"):
        edits.read(path)
    with pytest.raises(EditError, match=r"none\.json cannot be read: No such file.*--edit"):
        edits.read(tmp_path / "none.json")


def test_older_filters_are_rendered_with_a_warning(path, monkeypatch):
    edit = edits.read(path)
    monkeypatch.setattr(wf, "REGISTRY_VERSION", wf.REGISTRY_VERSION + 1)
    with pytest.warns(HarmonizerWarning, match=r"edit\.json was made with filters of version"):
        assert edits.read(path) == edit


def test_a_person_may_leave_a_statistic_out(path, image, mask):
    whole = edits.read(path)
    entries = json.loads(path.read_text(encoding="utf-8"))["filters"]
    for entry in entries:
        entry.pop("statistic", None)
    edit = edits.read(change(path, filters=entries))
    assert [step.statistic for step in edit.steps] == [None] * 6
    assert jobs.apply(edit, image, mask)[1] == whole


def test_a_failed_write_leaves_nothing(path, tmp_path):
    edit = edits.read(path)
    before = set(tmp_path.rglob("*"))
    with pytest.raises(OutputError, match="no folder"):
        edits.write(tmp_path / "none" / "edit.json", edit)
    with pytest.raises(OutputError, match="is a folder"):
        edits.write(tmp_path, edit)
    assert set(tmp_path.rglob("*")) == before
