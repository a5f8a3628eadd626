"""`harmonizer bench` times what a frame goes through."""

from __future__ import annotations

import numpy as np
import pytest

from harmonizer import Harmonizer, Predictor, Renderer
from harmonizer.evaluation import bench


def test_the_command_prints_every_stage(run, checkpoint):
    code, out, err = run("bench", "--size", "64x48", "--frames", 2, "--weights", checkpoint, weights=None)
    assert (code, err) == (0, "")
    for row in ("thumbnail", "network", "statistics", "filters", "whole", "frames a second", "peak memory"):
        (line,) = [line for line in out.splitlines() if line.strip().startswith(row)]
        assert len([word for word in line.split() if word[0].isdigit()]) >= 2  # a figure for each mask


@pytest.mark.parametrize(
    ("option", "message"), [(("--size", "64"), "WIDTHxHEIGHT"), (("--engine", "x"), "onnxruntime")]
)
def test_mistakes(run, option, message):
    code, out, err = run("bench", *option, weights=None)
    assert code == 2
    assert message in out + err


def test_masks_cover_what_they_say():
    full, quarter = bench.masks((48, 64)).values()
    assert (full == 255).all()
    assert np.mean(quarter == 255) == 0.25
    assert all(mask.any() for mask in bench.masks((1, 1)).values())


def test_a_stage_is_timed_for_what_it_takes(checkpoint, monkeypatch):
    """With a clock that only the network and the pixel pass move."""
    now = [0.0]
    predict, render = Predictor.predict_prepared, Renderer.render

    def slow(call, seconds):
        def run(*arguments, **options):
            now[0] += seconds
            return call(*arguments, **options)

        return run

    monkeypatch.setattr(bench.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(Predictor, "predict_prepared", slow(predict, 3.0))
    monkeypatch.setattr(Renderer, "render", slow(render, 4.0))
    picture = bench.picture((48, 64))
    times = bench.time_frames(Harmonizer.load(checkpoint), picture, bench.masks((48, 64))["a quarter"], 2)
    assert times.stages == {
        "thumbnail": [0, 0],
        "network": [3.0, 3.0],
        "statistics": [0, 0],
        "filters": [4.0, 4.0],
    }
    assert times.whole == [7.0, 7.0]
