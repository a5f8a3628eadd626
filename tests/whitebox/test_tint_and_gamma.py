"""What tint and gamma promise beyond the conformance suite."""

from __future__ import annotations

import colorsys

import numpy as np
import pytest

import whitebox_filters as wf

LUMA = np.array([0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("theta", [-1.0, -0.5, 0.5, 1.0])
def test_tint_moves_along_green_and_magenta_and_keeps_luma_of_grey(theta):
    grey = np.full((1, 1, 3), 0.4)
    red, green, blue = wf.get("tint")(grey, theta)[0, 0]
    assert red == blue
    assert red / green == pytest.approx(2**theta)
    assert LUMA @ [red, green, blue] == pytest.approx(0.4, rel=0.06)


@pytest.mark.parametrize("theta", [-1.0, -0.3, 0.3, 1.0])
def test_gamma_is_a_power_of_the_value_of_hsv_with_hue_and_saturation_kept(theta):
    image = np.random.default_rng(0).uniform(0.05, 1, (1, 50, 3))
    for before, after in zip(image[0], wf.get("gamma")(image, theta)[0], strict=True):
        hue, saturation, value = colorsys.rgb_to_hsv(*before)
        expected = (hue, saturation, value ** (0.5**theta))
        assert colorsys.rgb_to_hsv(*after) == pytest.approx(expected, abs=1e-9)
