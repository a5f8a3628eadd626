"""What the fused cascade is compared with does the same job: else the comparison would say nothing."""

from __future__ import annotations

from pathlib import Path

import baselines
import numpy as np
import pytest
import skimage.data
import torch
from baselines import kornia_filters, opencv_filters, released

import whitebox_filters as wf

GOLDEN = np.load(Path(__file__).parents[1] / "data" / "released_filters.npz")
PHOTO = np.ascontiguousarray(skimage.data.astronaut()[::8, ::8])
MASK = np.linspace(0, 255, PHOTO.shape[0] * PHOTO.shape[1]).reshape(PHOTO.shape[:2]).astype(np.uint8)
HALF_LEVEL = 0.5 / 255


def planes(image):
    return torch.from_numpy(image).permute(2, 0, 1)[None]


@pytest.mark.parametrize("name", wf.DEFAULT_FILTERS)
def test_the_released_filters_are_the_released_ones(name):
    for theta, expected in zip(GOLDEN["theta"], GOLDEN[f"filter_{name}"], strict=True):
        filtered = released.FILTERS[name](planes(GOLDEN["image"]), float(theta)).clamp(0, 1)
        assert (filtered - planes(expected)).abs().max() <= HALF_LEVEL, f"theta {theta}"


def test_their_chain_is_the_released_one():
    names, mask = tuple(GOLDEN["chain_order"].tolist()), torch.from_numpy(GOLDEN["mask"])[None, None]
    for theta, steps in zip(GOLDEN["chain_theta"], GOLDEN["chain_steps"], strict=True):
        run = released.prepare(names, tuple(theta.tolist()))
        filtered = run.filter_batch(planes(GOLDEN["image"]), mask)
        assert (filtered - planes(steps[-1])).abs().max() <= HALF_LEVEL


def by_kornia(name, theta):
    filtered = kornia_filters.OPERATIONS[name](planes(PHOTO).float() / 255, theta)
    return (filtered[0] * 255 + 0.5).byte().permute(1, 2, 0).numpy()


def by_opencv(name, theta):
    return opencv_filters.OPERATIONS[name](PHOTO, theta)


OPERATIONS = [(by_kornia, name) for name in kornia_filters.OPERATIONS]
OPERATIONS += [(by_opencv, name) for name in opencv_filters.OPERATIONS]


@pytest.mark.parametrize("theta", [-0.2, 0.2])
@pytest.mark.parametrize(("library", "name"), OPERATIONS)
def test_the_operations_of_other_libraries_do_what_our_filters_do(library, name, theta):
    theirs, ours = library(name, theta).astype(float), wf.get(name)(PHOTO, theta).astype(float)
    if name in ("saturation", "hue"):  # other definitions: at least they turn the same screw the same way
        contrary = wf.get(name)(PHOTO, -theta)
        assert np.linalg.norm(theirs - ours) < 0.8 * np.linalg.norm(theirs - contrary)
    else:
        assert np.abs(theirs - ours).max() <= (4 if (library, name) == (by_opencv, "gamma") else 1)


@pytest.mark.parametrize(
    "contender", [c for c in baselines.CONTENDERS if c is not baselines.COPY], ids=lambda c: c.name
)
def test_every_contender_returns_the_filtered_frame(contender, monkeypatch):
    names, theta = ("brightness", "shadow"), (0.2, -0.3)
    if reason := contender.lacks(names):
        pytest.skip(reason)
    monkeypatch.setattr(torch, "compile", without_compiling)
    before = PHOTO.copy()
    filtered = contender.prepare(names, theta)(PHOTO, MASK)
    expected = wf.Cascade(names)(PHOTO, theta, MASK)
    assert filtered.dtype == np.uint8
    assert filtered.shape == PHOTO.shape
    # One level between the filters, where a library has 8 bits there, is up to two after them.
    assert np.abs(filtered.astype(int) - expected).max() <= 2
    np.testing.assert_array_equal(filtered[MASK == 0], PHOTO[MASK == 0])
    np.testing.assert_array_equal(PHOTO, before)


def without_compiling(function=None, **options):
    """torch.compile, both as a call and as a decorator with options, which leaves a function as it is."""
    return function or (lambda decorated: decorated)


def test_a_library_without_an_operation_says_so():
    assert baselines.OPENCV.lacks(("brightness", "vibrance")) == "OpenCV has no operation for vibrance"
    assert baselines.OPENCV.lacks(("brightness",)) == ""


def test_the_copy_copies():
    np.testing.assert_array_equal(baselines.COPY.prepare((), ())(PHOTO, MASK), PHOTO)
