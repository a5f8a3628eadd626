"""What is refused, and that the message names what was given."""

from __future__ import annotations

import dataclasses
import types

import numpy as np
import pytest
import torch

import whitebox_filters as wf

IMAGE = np.full((4, 5, 3), 0.5)
ZERO = [0.0] * 6


@pytest.mark.parametrize("backend", [None, "numba"])
@pytest.mark.parametrize(
    ("image", "message"),
    [
        (IMAGE[..., 0], r"\(H, W, 3\).*\(4, 5\)"),
        (np.zeros((4, 5, 4)), r"\(4, 5, 4\)"),
        (np.zeros((0, 5, 3)), r"\(0, 5, 3\)"),
        (IMAGE.astype(np.float16), "float16"),
        (IMAGE.astype(np.int32), "int32"),
        (np.where(np.arange(3) == 1, np.nan, IMAGE), "NaN"),
        (np.where(np.arange(3) == 1, np.inf, IMAGE), "infinity"),
        (IMAGE * 3, r"\[0, 1\].*1\.5"),
        (IMAGE - 1, r"-0\.5"),
    ],
)
def test_an_image_that_no_backend_takes(image, message, backend):
    with pytest.raises(wf.ImageError, match=message):
        wf.Cascade()(image, ZERO, backend=backend)


def test_an_image_of_no_known_type():
    with pytest.raises(wf.ImageError, match="list"):
        wf.Cascade()([[0.5]], ZERO)


@pytest.mark.parametrize("backend", [None, "numba"])
@pytest.mark.parametrize(
    ("theta", "message"),
    [
        ([0.0] * 5, "6 numbers"),
        (0.5, "6 numbers"),
        ([0, 0, 1.5, 0, 0, 0], r"contrast = 1\.5"),
        ([0, 0, 0, 0, 0, float("nan")], "shadow = nan"),
        ({"shadow": 0.1}, "takes exactly"),
        (dict.fromkeys([*wf.DEFAULT_FILTERS, "sepia"], 0.0), "sepia"),
    ],
)
def test_theta_of_a_wrong_length_name_or_value(theta, message, backend):
    with pytest.raises(wf.ThetaError, match=message):
        wf.Cascade()(IMAGE, theta, backend=backend)


@pytest.mark.parametrize("backend", [None, "numba"])
@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (np.ones((5, 4)), r"\(5, 4\).*\(4, 5\)"),
        (np.ones((4, 5, 1)), r"\(4, 5, 1\)"),
        (np.ones((4, 5), np.int64), "int64"),
        (np.full((4, 5), 2.0), r"\[0, 1\]"),
        (np.full((4, 5), np.nan), "nan"),
    ],
)
def test_a_mask_that_does_not_fit(mask, message, backend):
    with pytest.raises(wf.ImageError, match=message):
        wf.Cascade()(IMAGE, ZERO, mask, backend=backend)


@pytest.mark.parametrize("filters", [[], "shadow"])
def test_a_cascade_of_no_filters(filters):
    with pytest.raises(wf.FilterError, match="at least one"):
        wf.Cascade(filters)


def test_a_cascade_of_an_unknown_filter():
    with pytest.raises(wf.UnknownFilterError, match="shadow"):
        wf.Cascade(["shadwo"])


def test_statistics_of_a_wrong_length():
    for backend in (None, "numba"):
        with pytest.raises(wf.FilterError, match="6"):
            wf.Cascade()(IMAGE, ZERO, statistics=[None], backend=backend)


def test_an_unknown_backend():
    with pytest.raises(wf.BackendError, match="'tpu'"):
        wf.Cascade()(IMAGE, ZERO, backend="tpu")


def test_numba_takes_no_tensor():
    with pytest.raises(wf.BackendError, match="Tensor"):
        wf.Cascade()(torch.zeros(1, 3, 2, 2), ZERO, backend="numba")


def test_a_missing_backend_says_what_to_install(run_python):
    code = """
import sys
sys.modules["numba"] = None
import numpy as np
import whitebox_filters as wf
class OnDevice:
    __cuda_array_interface__ = {}
for image, backend in ((np.zeros((2, 2, 3)), "numba"), (OnDevice(), None)):
    try:
        wf.Cascade(["shadow"])(image, [0.1], backend=backend)
    except wf.BackendError as error:
        print(error)
"""
    numba, cuda = run_python(code).splitlines()
    assert "pip install 'whitebox-filters[numba]'" in numba
    assert "pip install 'whitebox-filters[cuda]'" in cuda


def test_a_cuda_array_cannot_be_traced():
    on_device = types.SimpleNamespace(__cuda_array_interface__={})
    with pytest.raises(wf.BackendError, match="copy"):
        wf.Cascade().trace(on_device, ZERO)


def test_a_pixel_formula_of_another_number_of_coefficients():
    broken = dataclasses.replace(wf.get("shadow"), pixel=lambda r, g, b: (r, g, b))
    with pytest.raises(wf.FilterError, match="1 coefficients; its pixel formula takes 0"):
        wf.Cascade([broken])(IMAGE, [0.1], backend="numba")
