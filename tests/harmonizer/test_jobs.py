"""One picture in memory to its result and its edit: what every program around it calls."""

from __future__ import annotations

import ast
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from tiny_checkpoint import write_checkpoint

import harmonizer as package
import whitebox_filters as wf
from harmonizer import Edit, EditError, Harmonizer, HarmonizerWarning, Renderer, edits, jobs

PACKAGE = Path(package.__file__).parent


@pytest.fixture(scope="module")
def harmonizer(checkpoint):
    return Harmonizer.load(checkpoint)


def test_it_gives_what_the_harmonizer_gives_and_the_edit_of_it(harmonizer, image, mask):
    result, edit = jobs.harmonize(harmonizer, image, mask)
    expected = harmonizer.harmonize(image, mask)
    np.testing.assert_array_equal(result.image, expected.image)
    assert result.theta == expected.theta
    assert edit == Edit.from_result(expected, image, mask)


@pytest.mark.parametrize("region", ["frame", "mask"])
def test_a_result_knows_its_cascade(tmp_path, image, mask, region):
    harmonizer = Harmonizer.load(write_checkpoint(tmp_path, statistics=region))
    result, edit = jobs.harmonize(harmonizer, image, mask)
    assert result.cascade.names == harmonizer.cascade.names
    assert result.cascade.region == edit.region == region
    again = Renderer(result.cascade).render(image, result.theta, mask, result.statistics)
    assert again.image.tobytes() == result.image.tobytes()


def test_a_change_replaces_what_the_network_predicts(harmonizer, image, mask):
    predicted = harmonizer.predict(image, mask)
    result, edit = jobs.harmonize(harmonizer, image, mask, {"shadow": 0.3})
    assert result.theta == edit.theta == {**predicted, "shadow": 0.3}
    np.testing.assert_array_equal(result.image, harmonizer.harmonize(image, mask, theta=result.theta).image)


def test_an_edit_renders_without_a_network_by_the_same_function(harmonizer, image, mask, monkeypatch):
    result, edit = jobs.harmonize(harmonizer, image, mask, {"shadow": 0.3})
    monkeypatch.setattr("harmonizer.predictor.Predictor.predict", lambda *_: pytest.fail("the network was asked"))
    again, same = jobs.apply(edit, image, mask)
    assert again.image.tobytes() == result.image.tobytes()
    assert same == edit


def test_an_edit_made_by_hand_needs_neither_network_nor_hashes(image, mask):
    steps = (edits.Step("contrast", 0.4), edits.Step("shadow", -0.2))
    with pytest.warns(HarmonizerWarning, match="another picture and mask"):
        result, edit = jobs.apply(Edit(steps, "frame", "", ""), image, mask)
    expected = wf.Cascade(["contrast", "shadow"]).compile()(image, [0.4, -0.2], mask)
    np.testing.assert_array_equal(result.image, expected)
    assert edit.steps[0].statistic == float(result.statistics[0])


@pytest.mark.parametrize("job", ["harmonize", "apply"])
def test_a_change_of_a_filter_that_is_not_there(harmonizer, image, mask, monkeypatch, job):
    edit = jobs.harmonize(harmonizer, image, mask)[1]
    monkeypatch.setattr("harmonizer.predictor.Predictor.predict", lambda *_: pytest.fail("the network was asked"))
    with pytest.raises(EditError, match=r"no filter sepia here; there are temperature.*shadow"):
        getattr(jobs, job)(harmonizer if job == "harmonize" else edit, image, mask, {"sepia": 0.1})


def test_the_inputs_stay_as_they_are(harmonizer, image, mask):
    before = image.copy(), mask.copy()
    jobs.apply(jobs.harmonize(harmonizer, image, mask, {"shadow": 0.3})[1], image, mask)
    np.testing.assert_array_equal(image, before[0])
    np.testing.assert_array_equal(mask, before[1])


def test_an_empty_mask_gives_the_picture_back_and_an_edit(harmonizer, image, mask):
    with pytest.warns(HarmonizerWarning, match="the mask is empty"):
        result, edit = jobs.harmonize(harmonizer, image, np.zeros_like(mask), {"shadow": 0.3})
    assert result.image.tobytes() == image.tobytes()
    assert edit.theta == {**dict.fromkeys(harmonizer.cascade.names, 0.0), "shadow": 0.3}


def test_threads_share_one_harmonizer(harmonizer, image, mask):
    pictures = [np.roll(image, shift, axis=1) for shift in range(8)]
    alone = [jobs.harmonize(harmonizer, picture, mask)[0].image for picture in pictures]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda picture: jobs.harmonize(harmonizer, picture, mask)[0].image, pictures))
    np.testing.assert_array_equal(together, alone)


@pytest.mark.parametrize("depth", [np.uint8, np.uint16, np.float32, np.float64])
def test_a_buffer_takes_the_result_even_the_picture_itself(harmonizer, image, mask, depth):
    scale = np.iinfo(depth).max if np.dtype(depth).kind == "u" else 1
    picture = (image / 255 * scale).astype(depth)
    theta = harmonizer.predict(picture, mask)
    expected = harmonizer.render(picture, theta, mask)
    out = np.empty_like(picture)
    assert harmonizer.render(picture, theta, mask, out=out).image is out
    np.testing.assert_array_equal(out, expected.image)
    assert harmonizer.render(picture, theta, mask, expected.statistics, picture).image is picture
    np.testing.assert_array_equal(picture, expected.image)


def test_cascades_are_compiled_in_one_place():
    callers = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "compile" and "learning" not in path.parts
    }
    assert callers == {"render.py"}
