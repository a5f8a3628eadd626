"""Ours against what the authors' released filters return, away from the faults that ours mend."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import whitebox_filters as wf

LEVEL = 1 / 255
TOLERANCE = 3 * LEVEL
# Highlight and shadow have slopes above 1, which amplify what contrast rounds with its floor().
CHAIN_TOLERANCE = 4 * LEVEL

GOLDEN = np.load(Path(__file__).parents[1] / "data" / "released_filters.npz")
IMAGE = GOLDEN["image"]


def hsl_saturation(image):
    high, low = image.max(axis=-1), image.min(axis=-1)
    total = high + low
    return (high - low) / np.maximum(np.where(total < 1, total, 2 - total), 1e-9)


def fault(name, theta, image):
    """The values where the released filter has the fault that ours mends."""
    if name == "saturation" and theta > 0:
        past_full = hsl_saturation(image) + theta > 1
        return np.broadcast_to(past_full[..., None], image.shape)
    if name == "highlight":
        return 1 - image < LEVEL
    if name == "shadow":
        return image < LEVEL
    return np.zeros(image.shape, bool)


@pytest.mark.parametrize("name", wf.DEFAULT_FILTERS)
def test_each_filter_stays_within_three_levels(name):
    compared = 0
    for theta, released in zip(GOLDEN["theta"], GOLDEN[f"filter_{name}"], strict=True):
        if abs(theta) <= 0.9 + 1e-6:
            sound = ~fault(name, theta, IMAGE)
            error = np.abs(wf.get(name)(IMAGE, float(theta)) - released)[sound]
            assert error.max() <= TOLERANCE, f"theta {theta}"
            compared += error.size
    # The fault regions must not swallow the comparison; saturation's, most of the image above 0, is the largest.
    assert compared > 0.5 * IMAGE.size * 13


@pytest.mark.parametrize("index", range(len(GOLDEN["chain_theta"])))
def test_every_step_of_a_chain_stays_within_four_levels(index):
    cascade = wf.Cascade(GOLDEN["chain_order"].tolist())
    theta = GOLDEN["chain_theta"][index]
    unblended = [IMAGE, *cascade.trace(IMAGE, theta)]
    faulty = np.zeros(IMAGE.shape, bool)
    blended = cascade.trace(IMAGE, theta, GOLDEN["mask"])
    for step, name in enumerate(cascade.names):
        faulty |= fault(name, theta[step], unblended[step])
        if name == "saturation":  # mixes the channels
            faulty |= faulty.any(axis=-1, keepdims=True)
        error = np.abs(blended[step] - GOLDEN["chain_steps"][index, step])
        assert error[~faulty].max() <= CHAIN_TOLERANCE, name
    assert (~faulty).any()


@pytest.mark.parametrize(("theta", "start", "expected"), [(-0.7, 204, 174), (0.7, 174, 227)])
def test_figure_4_of_the_paper(theta, start, expected):
    image = np.full((1, 1, 3), start / 255)
    assert np.floor(wf.get("shadow")(image, theta) * 255) == pytest.approx(expected, abs=0)
