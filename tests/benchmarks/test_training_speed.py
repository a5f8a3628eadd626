"""The page of the speed of training, of figures that are made up: what it decides by them."""

from __future__ import annotations

import pytest
import torch
from training_speed import page as pages
from training_speed import stages
from training_speed.roofline import MEMORY, SINGLE, Work

from harmonizer.learning.recipes import CONTINUE

QUICK = 60.0  # milliseconds a batch: with CONTINUE's 60 pictures one millisecond a picture
NAMES = (
    stages.BATCH,
    stages.TRUNK,
    stages.TRUNK_COMPILED,
    stages.TRUNK_BFLOAT16,
    stages.MEASURE_COMPILED,
    *stages.ATTENTION.values(),
    stages.FILTERS_COMPILED,
    *stages.STEP.values(),
    stages.ADAM,
    stages.AVERAGE,
)


def write(monkeypatch, dtype, seconds, **slow):
    """The page on a processor that multiplies in `dtype`, for a step that takes a GPU `seconds` a picture."""
    monkeypatch.setattr(pages, "fast_dtype", lambda device: dtype)
    milliseconds = dict.fromkeys(NAMES, QUICK) | {getattr(stages, name): value for name, value in slow.items()}
    works = {"all of it": Work(flops=1.0, bytes=seconds * MEMORY, operations=100, peak=SINGLE)}
    return " ".join(pages.page(CONTINUE, {"eq8": (1.0, 2.0)}, milliseconds, works).split())


@pytest.mark.parametrize(
    ("dtype", "trunk"),
    [
        (torch.bfloat16, "runs in bfloat16, since this processor has instructions for bfloat16, which takes 0.5"),
        (torch.float32, "runs in float32, since this processor only emulates bfloat16, which takes 0.5"),
    ],
)
def test_the_page_names_the_type_in_which_the_trunk_runs(monkeypatch, dtype, trunk):
    text = write(monkeypatch, dtype, 1e-4, TRUNK=240.0, TRUNK_COMPILED=120.0)
    faster = "4.0" if dtype == torch.bfloat16 else "2.0"
    assert trunk in text
    assert f"so it is {faster} times as fast as eager" in text
    assert f"the trunk in {str(dtype).removeprefix('torch.')};" in text


def test_an_emulated_trunk_is_not_what_takes_most(monkeypatch):
    text = write(monkeypatch, torch.float32, 1e-4, TRUNK_BFLOAT16=9000.0, BATCH=100.0)
    assert "What takes most of it: make the batch." in text


@pytest.mark.parametrize(
    ("seconds", "verdict", "possible"), [(1 / 2000, "within", "2,000"), (1 / 1000, "beyond", "1,000")]
)
def test_the_goal_is_held_against_what_the_gpu_allows(monkeypatch, seconds, verdict, possible):
    text = write(monkeypatch, torch.bfloat16, seconds)
    assert f"is {verdict} what an estimate allows: {possible} by memory and arithmetic" in text
