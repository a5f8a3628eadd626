"""Edits as a library: rendered bit for bit, changed, and used on other pictures."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from tiny_checkpoint import write_checkpoint

import whitebox_filters as wf
from harmonizer import Edit, EditError, Harmonizer, HarmonizerWarning, edits, jobs
from harmonizer.pictures.compare import difference

DEPTHS = {
    "uint8": lambda image: image,
    "uint16": lambda image: image.astype(np.uint16) * 257 - np.uint16(3),
    "float32": lambda image: (image / 260).astype(np.float32),
    "float64": lambda image: image / 260,
}


@pytest.fixture(scope="module")
def harmonizer(checkpoint):
    return Harmonizer.load(checkpoint)


@pytest.fixture
def edit(harmonizer, image, mask):
    return Edit.from_result(harmonizer.harmonize(image, mask), image, mask)


@pytest.mark.parametrize("region", ["frame", "mask"])
@pytest.mark.parametrize("depth", DEPTHS)
def test_from_a_file_it_renders_the_same_bits(tmp_path, image, mask, depth, region):
    harmonizer = Harmonizer.load(write_checkpoint(tmp_path / "checkpoint", statistics=region))
    given = DEPTHS[depth](image)
    result = harmonizer.harmonize(given, mask)
    edits.write(tmp_path / "edit.json", Edit.from_result(result, given, mask))
    edit = edits.read(tmp_path / "edit.json")
    again = jobs.apply(edit, given, mask)[0]
    assert again.image.dtype == given.dtype
    assert again.image.tobytes() == result.image.tobytes()
    assert again.theta == result.theta
    assert edit.region == region


def test_what_a_result_tells_of_statistics_is_frozen(harmonizer, image, mask):
    """Measured anew they could differ in the last bit, since cores add up their sums in the order they end."""
    result = harmonizer.harmonize(image, mask)
    others = [None if value is None else value + 0.01 for value in result.statistics]
    edit = Edit.from_result(replace(result, statistics=others), image, mask)
    assert edit.steps[2].statistic == others[2]
    assert edit.steps[0].statistic == tuple(others[0])


def test_only_what_filters_need_is_frozen(edit):
    needed = {step.name: np.size(step.statistic) for step in edit.steps if step.statistic is not None}
    assert needed == {"temperature": 3, "contrast": 1}


def test_an_empty_mask(harmonizer, image, mask):
    nothing = np.zeros_like(mask)
    with pytest.warns(HarmonizerWarning, match="empty"):
        result = harmonizer.harmonize(image, nothing)
    edit = Edit.from_result(result, image, nothing)
    np.testing.assert_array_equal(jobs.apply(edit, image, nothing)[0].image, image)


@pytest.mark.parametrize("changes", [{"shadow": 0.3}, {"temperature": -0.6}, {"temperature": 0.4, "shadow": -0.5}])
def test_a_change_is_as_if_harmonized_with_it(harmonizer, edit, image, mask, changes):
    expected = harmonizer.harmonize(image, mask, theta=edit.theta | changes)
    changed = jobs.apply(edit.set(changes), image, mask)[0]
    assert changed.theta == expected.theta
    np.testing.assert_array_equal(changed.image, expected.image)


def test_what_lies_behind_a_change_is_measured_anew(edit, image, mask):
    behind = edit.set({"brightness": -0.4})
    assert [step.statistic is None for step in behind.steps] == [False, True, True, True, True, True]
    assert edit.set({"contrast": -0.4}).steps[2].statistic == edit.steps[2].statistic
    measured = jobs.apply(behind, image, mask)[1]
    assert measured.steps[0] == edit.steps[0]
    assert measured.steps[2].statistic < edit.steps[2].statistic
    back = jobs.apply(measured.set({"brightness": edit.theta["brightness"]}), image, mask)[1]
    assert back == edit


def test_the_same_theta_is_no_change(edit):
    assert edit.set({"temperature": edit.theta["temperature"]}) == edit
    assert edit.set({}) == edit


def test_a_missing_statistic_is_measured_behind_the_frozen_ones(edit, image, mask):
    frozen = edits.Step("temperature", edit.theta["temperature"], (0.9, 0.1, 0.1))
    partial = Edit((frozen, *edit.set({"temperature": 0.5}).steps[1:]), "frame", edit.image_sha256, edit.mask_sha256)
    measured = jobs.apply(partial, image, mask)[1]
    assert measured.steps[0] == frozen
    assert measured.steps[2].statistic != edit.steps[2].statistic
    np.testing.assert_array_equal(jobs.apply(measured, image, mask)[0].image, jobs.apply(partial, image, mask)[0].image)


@pytest.mark.parametrize("what", ["picture", "mask", "picture and mask"])
def test_another_input_is_rendered_with_a_warning(edit, image, mask, what):
    other_image = image[:, ::-1].copy() if "picture" in what else image
    other_mask = mask // 2 if "mask" in what else mask
    with pytest.warns(HarmonizerWarning, match=f"made for another {what};"):
        result = jobs.apply(edit, other_image, other_mask)[0]
    plan = wf.Cascade().compile()
    frozen = plan(other_image, edit.theta, other_mask, statistics=edit.statistics)
    np.testing.assert_array_equal(result.image, frozen)


def test_another_picture_gets_the_frozen_statistics(edit, image, mask):
    darker = image // 2
    with pytest.warns(HarmonizerWarning, match="frozen"):
        result, moved = jobs.apply(edit, darker, mask)
    assert (result.image != wf.Cascade().compile()(darker, edit.theta, mask)).any()
    assert moved.steps == edit.steps
    np.testing.assert_array_equal(jobs.apply(moved, darker, mask)[0].image, result.image)


def test_the_fingerprint_is_what_the_schema_says():
    pixels = np.arange(2 * 3 * 3, dtype=np.uint16).reshape(2, 3, 3) * 1000
    samples = b"".join(int(value).to_bytes(2, "little") for value in pixels.ravel())
    expected = hashlib.sha256(b"uint16 2x3x3\n" + samples).hexdigest()
    assert edits.fingerprint(pixels) == expected
    assert edits.fingerprint(np.asfortranarray(pixels)) == expected
    assert edits.fingerprint(pixels.astype(">u2")) == expected
    others = [pixels.reshape(3, 2, 3), pixels.astype(np.int16), pixels + np.uint16(1)]
    assert expected not in [edits.fingerprint(other) for other in others]


def test_a_filter_that_is_not_there(edit):
    with pytest.raises(EditError, match=r"no filter sepia, tint here; there are temperature.*shadow"):
        edit.set({"sepia": 0.1, "tint": 0.2, "shadow": 0.1})


@pytest.mark.parametrize("value", [1.2, float("nan")])
def test_a_theta_out_of_range(edit, value):
    with pytest.raises(wf.ThetaError, match=r"\[-1, 1\]; got shadow"):
        edit.set({"shadow": value})


def test_settings():
    assert edits.parse_settings(["shadow=0.3", "contrast = -1e-1", "shadow=.2"]) == {"shadow": 0.2, "contrast": -0.1}


@pytest.mark.parametrize("setting", ["shadow", "shadow=", "shadow:0.3", "shadow=a lot", "=", ""])
def test_no_setting(setting):
    with pytest.raises(EditError, match="NAME=THETA"):
        edits.parse_settings([setting])


def test_a_lut_does_what_the_edit_does(edit, image, mask):
    inside = mask == 255
    through = wf.apply_lut(image / 255, edit.bake_lut())[inside]
    expected = jobs.apply(edit, image, mask)[0].image[inside]
    assert np.mean(np.abs(through * 255 - expected).max(axis=1) <= 1) > 0.98
    with pytest.raises(wf.LutError, match="contrast would be measured"):
        edit.set({"temperature": 0.1}).bake_lut()


@pytest.mark.parametrize("depth", ["uint8", "uint16"])
def test_a_difference_gives_the_picture_back(depth):
    levels = np.iinfo(depth).max
    before, after = np.random.default_rng(2).integers(0, levels + 1, (2, 50, 40, 3)).astype(depth)
    before[0, :3], after[0, :3] = [[0], [levels], [7]], [[levels], [0], [7]]
    encoded = difference(before, after)
    assert encoded.dtype == np.uint16
    assert (encoded[0, 2] == 32768).all()
    move = (encoded.astype(float) - 32768) * 2
    if depth == "uint8":
        np.testing.assert_array_equal(before + np.rint(move / 257), after)
    else:
        assert np.abs(before + move - after).max() <= 1


def test_a_difference_of_floats():
    before, after = np.random.default_rng(2).random((2, 5, 4, 3)).astype(np.float32)
    encoded = difference(before, after)
    assert encoded.dtype == np.float32
    assert 0 <= encoded.min() <= encoded.max() <= 1
    np.testing.assert_allclose(before + 2 * (encoded - 0.5), after, atol=1e-6)
