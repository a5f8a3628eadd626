"""Checkpoints: what is predicted, and what is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from tiny_checkpoint import SIZE, write_checkpoint, write_model

import whitebox_filters as wf
from harmonizer import CheckpointError, Predictor


def test_theta_is_what_the_network_says(checkpoint, image):
    alpha = np.ones(image.shape[:2], np.float32)
    flat = np.full_like(image, 51)
    weights = np.linspace(-1, 1, 18).reshape(3, 6) * 2
    theta = Predictor.load(checkpoint).predict(flat, alpha)
    np.testing.assert_allclose(theta, np.tanh(np.full(3, -0.2) @ weights), atol=1e-6)


@pytest.mark.parametrize(
    "convert", [lambda i: i.astype(np.uint16) * 257, lambda i: i / 255, lambda i: np.float32(i / 255)]
)
def test_every_depth_gives_the_same_theta(checkpoint, image, mask, convert):
    predictor = Predictor.load(checkpoint)
    alpha = mask / np.float32(255)
    np.testing.assert_allclose(predictor.predict(convert(image), alpha), predictor.predict(image, alpha), atol=1e-6)


def test_thumbnail_averages_all_pixels(checkpoint):
    # One-pixel stripes: without antialiasing the thumbnail, and theta with it, would see only one of the two colours.
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 200
    predictor = Predictor.load(checkpoint)
    alpha = np.ones((64, 64), np.float32)
    expected = predictor.predict(np.full_like(stripes, 100), alpha)
    np.testing.assert_allclose(predictor.predict(stripes, alpha), expected, atol=0.02)


@pytest.mark.parametrize("part", [".", "config.json", "model.onnx"])
def test_a_checkpoint_is_named_by_folder_or_file(checkpoint, part):
    assert Predictor.load(checkpoint / part).config.filters == wf.DEFAULT_FILTERS
    assert Predictor.load(str(checkpoint / part)).config.input_size == SIZE


@pytest.mark.parametrize("missing", ["config.json", "model.onnx"])
def test_missing_file(tmp_path, missing):
    write_checkpoint(tmp_path)
    (tmp_path / missing).unlink()
    with pytest.raises(CheckpointError, match=f"there is no .*{missing}; a checkpoint is a folder with"):
        Predictor.load(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "\xff", "[1, 2]", '"text"', "{}"])
def test_bad_json(tmp_path, text):
    write_checkpoint(tmp_path)
    (tmp_path / "config.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(CheckpointError, match=r"config\.json"):
        Predictor.load(tmp_path)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"format": 2}, "format 2; this version reads format 1: upgrade"),
        ({"registry_version": wf.REGISTRY_VERSION + 1}, "upgrade harmonizer"),
        ({"registry_version": "1"}, "positive integer"),
        ({"filters": ["temperature", "sepia"]}, "sepia.*registered: .*brightness"),
        ({"filters": []}, "names the filters"),
        ({"filters": "shadow"}, "names the filters"),
        ({"filters": [["shadow"]]}, "names the filters"),
        ({"input_size": 0}, "input_size"),
        ({"input_size": "256"}, "input_size"),
        ({"theta_range": [0, 1]}, "theta_range"),
        ({"statistics": "foreground"}, "statistics is one of .*foreground"),
        ({"channels": 4}, "takes 4 channels"),
    ],
)
def test_config_that_does_not_fit(tmp_path, changes, reason):
    write_checkpoint(tmp_path, **changes)
    with pytest.raises(CheckpointError, match=reason):
        Predictor.load(tmp_path)


def test_extra_keys_are_allowed(tmp_path):
    assert Predictor.load(write_checkpoint(tmp_path, trained_on="photographs")).config.input_size == SIZE


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_truncated_model(tmp_path, share, capfd):
    model = write_checkpoint(tmp_path) / "model.onnx"
    model.write_bytes(model.read_bytes()[: int(model.stat().st_size * share)])
    with pytest.raises(CheckpointError, match=r"Get the checkpoint again|do not belong together"):
        Predictor.load(tmp_path)
    assert capfd.readouterr().err == ""


def test_foreign_file_as_model(tmp_path, capfd):
    write_checkpoint(tmp_path)
    shutil.copy(Path(__file__), tmp_path / "model.onnx")
    with pytest.raises(CheckpointError, match="cannot be loaded"):
        Predictor.load(tmp_path)
    assert capfd.readouterr().err == ""


def test_foreign_network(tmp_path):
    model = onnx.load(write_checkpoint(tmp_path) / "model.onnx")
    for values in (model.graph.input, *(node.input for node in model.graph.node)):
        for index, value in enumerate(values):
            if isinstance(value, str):
                values[index] = value.replace("composite", "pixels")
            else:
                value.name = value.name.replace("composite", "pixels")
    onnx.save(model, tmp_path / "model.onnx")
    with pytest.raises(CheckpointError, match="do not belong together"):
        Predictor.load(tmp_path)


@pytest.mark.parametrize("changes", [{"filters": 5}, {"size": SIZE * 2}])
def test_network_of_another_width_than_the_config(tmp_path, changes):
    write_checkpoint(tmp_path)
    write_model(tmp_path / "model.onnx", **changes)
    with pytest.raises(CheckpointError, match="do not belong together"):
        Predictor.load(tmp_path)


def test_network_that_leaves_the_range(tmp_path, image, mask):
    model = onnx.load(write_checkpoint(tmp_path) / "model.onnx")
    last = model.graph.node[-1]
    last.CopyFrom(helper.make_node("Sqrt", list(last.input), list(last.output)))  # NaN for what is below 0
    onnx.save(model, tmp_path / "model.onnx")
    with pytest.raises(CheckpointError, match=r"not 6 numbers in \[-1, 1\]"):
        Predictor.load(tmp_path).predict(image, mask / np.float32(255))


def test_network_whose_theta_is_of_no_picture(tmp_path, image, mask):
    model = onnx.load(write_checkpoint(tmp_path) / "model.onnx")
    last = model.graph.node[-1]
    model.graph.initializer.append(numpy_helper.from_array(np.zeros(1, np.int64), "zero"))
    last.CopyFrom(helper.make_node("Slice", [*last.input, "zero", "zero", "zero"], list(last.output)))
    onnx.save(model, tmp_path / "model.onnx")
    with pytest.raises(CheckpointError, match=r"theta \[\], not 6 numbers"):
        Predictor.load(tmp_path).predict(image, mask / np.float32(255))
