"""The folder of a study: what is read, and what is missing."""

from __future__ import annotations

import random

import pytest
from PIL import Image
from small_study import FILTERS, METHODS, write_picture

import whitebox_filters as wf
from harmonizer.errors import HarmonizerError, ImageFileError, MaskError, StudyError
from harmonizer.study.folder import read_folder
from harmonizer.study.tasks import Kind, draw_questions


def test_a_whole_folder(folder):
    study = read_folder(folder)
    assert (study.title, list(study.filters)) == ("Real or not?", FILTERS)
    assert list(study.composites) == ["cat0", "cat1"]
    assert study.composites["cat0"].mask == folder / "adjust/cat0/mask.png"
    assert list(study.comparisons["dog0"]) == METHODS


def test_either_part_is_a_study_and_settings_may_be_left_out(folder):
    (folder / "study.json").unlink()
    (folder / "compare").rename(folder / "elsewhere")
    (folder / "adjust" / ".DS_Store").write_bytes(b"")
    study = read_folder(folder)
    assert study.filters == tuple(wf.DEFAULT_FILTERS)
    assert not study.comparisons


def break_nothing_there(folder):
    (folder / "adjust").rename(folder / "adapt")
    (folder / "compare").rename(folder / "choose")


def break_mask_missing(folder):
    (folder / "adjust/cat1/mask.png").unlink()


def break_two_composites(folder):
    write_picture(folder / "adjust/cat1/composite.jpg", 9)


def break_one_method(folder):
    for method in METHODS[1:]:
        (folder / f"compare/dog0/{method}.jpg").unlink()


def break_no_picture(folder):
    (folder / "compare/dog0/beta.jpg").write_text("no picture")


def break_cut_off(folder):
    path = folder / "adjust/cat0/composite.png"
    path.write_bytes(path.read_bytes()[:60])


def break_size_of_mask(folder):
    Image.new("L", (9, 9), 255).save(folder / "adjust/cat0/mask.png")


def break_size_of_result(folder):
    write_picture(folder / "compare/dog0/beta.jpg", 90, (16, 24))


def break_settings(text):
    return lambda folder: (folder / "study.json").write_text(text)


@pytest.mark.parametrize(
    ("spoil", "error", "says"),
    [
        (
            break_nothing_there,
            StudyError,
            r"holds no study; expected adjust/NAME/composite\.\* and mask\.\*, or compare",
        ),
        (break_mask_missing, StudyError, r"cat1 has no mask\.\*; expected"),
        (break_two_composites, StudyError, r"holds both composite\.jpg and composite\.png; leave one"),
        (break_one_method, StudyError, r"dog0 holds alpha\.png; it needs results of two or more methods"),
        (break_no_picture, ImageFileError, r"beta\.jpg is not a picture"),
        (break_cut_off, ImageFileError, r"composite\.png cannot be"),
        (break_size_of_mask, MaskError, r"mask\.png has 9 x 9 pixels, its picture 32 x 24"),
        (break_size_of_result, StudyError, r"have one size; .*alpha\.png 32 x 24 and .*beta\.jpg 16 x 24"),
        (break_settings("{"), StudyError, r"study\.json cannot be read"),
        (break_settings('{"name": "x"}'), StudyError, "other fields than title and filters"),
        (break_settings('{"title": " "}'), StudyError, "is not a text"),
        (break_settings('{"filters": []}'), StudyError, "not a list of names"),
        (break_settings('{"filters": "hue"}'), StudyError, "not a list of names"),
        (
            break_settings('{"filters": ["glow"]}'),
            StudyError,
            "filters that are not there: glow; there are .*brightness",
        ),
        (break_settings('{"filters": ["hue", "hue"]}'), StudyError, "names a filter twice"),
    ],
)
def test_an_error_says_what_is_wrong(folder, spoil, error, says):
    spoil(folder)
    with pytest.raises(error, match=says):
        read_folder(folder)


def test_no_folder(tmp_path):
    with pytest.raises(HarmonizerError, match="there is no folder"):
        read_folder(tmp_path / "none")


def test_everybody_gets_all_tasks_in_an_order_of_their_own(folder):
    study = read_folder(folder)
    lists = [draw_questions(study, random.Random(seed)) for seed in range(40)]
    for questions in lists:
        assert [each.kind for each in questions] == [Kind.adjust] * 2 + [Kind.compare] * 3
        assert {each.name for each in questions[:2]} == {"cat0", "cat1"}
        assert {frozenset((each.first, each.second)) for each in questions[2:]} == {
            frozenset(pair) for pair in (("alpha", "beta"), ("alpha", "omega"), ("beta", "omega"))
        }
    assert {each[0].name for each in lists} == {"cat0", "cat1"}
    sides = [each.first for questions in lists for each in questions if {each.first, each.second} == {"alpha", "beta"}]
    assert 8 < sides.count("alpha") < 32
