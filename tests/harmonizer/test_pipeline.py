"""Harmonizer.harmonize: its promises, and what it refuses."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from tiny_checkpoint import write_checkpoint

import whitebox_filters as wf
from harmonizer import Harmonizer, HarmonizerWarning

CONVERSIONS = {
    "uint8": lambda image: image,
    "uint16": lambda image: image.astype(np.uint16) * 257,
    "float32": lambda image: (image / 255).astype(np.float32),
    "float64": lambda image: image / 255,
}


@pytest.fixture(scope="module")
def harmonizer(checkpoint):
    return Harmonizer.load(checkpoint)


@pytest.mark.parametrize("depth", CONVERSIONS)
def test_foreground_changes_background_does_not(harmonizer, image, mask, depth):
    given = CONVERSIONS[depth](image)
    before = given.copy()
    result = harmonizer.harmonize(given, mask)
    assert (result.image.dtype, result.image.shape) == (given.dtype, given.shape)
    np.testing.assert_array_equal(given, before)
    np.testing.assert_array_equal(result.image[mask == 0], given[mask == 0])
    assert (result.image[mask == 255] != given[mask == 255]).mean() > 0.5


def levels_apart(one, other):
    return np.abs(one.astype(int) - other).max()


def test_result_is_the_cascade_with_the_theta_it_reports(harmonizer, image, mask):
    result = harmonizer.harmonize(image, mask)
    assert list(result.theta) == list(wf.DEFAULT_FILTERS)
    assert levels_apart(result.image, wf.Cascade()(image, result.theta, mask)) <= 1
    again = harmonizer.harmonize(image, mask, theta=result.theta)
    np.testing.assert_array_equal(again.image, result.image)
    assert again.theta == result.theta


def test_filters_measure_where_the_checkpoint_says(tmp_path, image, mask):
    harmonizer = Harmonizer.load(write_checkpoint(tmp_path, statistics="mask"))
    theta = {**dict.fromkeys(wf.DEFAULT_FILTERS, 0.0), "contrast": 0.4}
    result = harmonizer.harmonize(image, mask, theta=theta).image
    assert levels_apart(result, wf.Cascade(statistics="mask")(image, theta, mask)) <= 1
    assert levels_apart(result, wf.Cascade()(image, theta, mask)) > 1


def test_masks_of_every_dtype_agree(harmonizer, image, mask):
    hard = mask > 127
    expected = harmonizer.harmonize(image, hard).image
    for same in (hard.astype(np.uint8), hard * np.uint8(255), hard.astype(np.float32), hard * np.uint16(65535)):
        np.testing.assert_array_equal(harmonizer.harmonize(image, same).image, expected)


@pytest.mark.parametrize("theta", [[0, 0.5, 0, 0, 0, 0], dict.fromkeys(wf.DEFAULT_FILTERS, 0) | {"brightness": 0.5}])
def test_theta_by_hand(harmonizer, theta):
    image = np.full((4, 4, 3), 51, np.uint8)
    mask = np.eye(4, dtype=bool)
    result = harmonizer.harmonize(image, mask, theta=theta)
    assert result.theta["brightness"] == 0.5
    # gain 1 / (1 - 0.5), less what bounds it at its pole
    assert abs(int(result.image[0, 0, 0]) - 102) <= 1
    assert result.image[0, 1, 0] == 51


def test_filters_of_the_checkpoint_in_its_order(tmp_path, image, mask):
    names = list(reversed(wf.DEFAULT_FILTERS))
    result = Harmonizer.load(write_checkpoint(tmp_path, filters=names)).harmonize(image, mask)
    assert list(result.theta) == names


@pytest.mark.parametrize("depth", CONVERSIONS)
def test_empty_mask_gives_the_picture_back(harmonizer, image, depth):
    given = CONVERSIONS[depth](image)
    with pytest.warns(HarmonizerWarning, match="empty"):
        result = harmonizer.harmonize(given, np.zeros(image.shape[:2], np.uint8), theta=[0.5] * 6)
    assert result.image.tobytes() == given.tobytes()
    assert result.image is not given
    assert set(result.theta.values()) == {0.0}


def test_full_mask_is_harmonized_with_a_warning(harmonizer, image):
    with pytest.warns(HarmonizerWarning, match="covers the whole picture"):
        result = harmonizer.harmonize(image, np.full(image.shape[:2], 255, np.uint8))
    assert (result.image != image).any()


@pytest.mark.parametrize("size", [(1, 1), (10, 30_000), (30_000, 10)])
def test_extreme_sizes(harmonizer, size):
    image = np.random.default_rng(1).integers(0, 256, (*size, 3), np.uint8)
    mask = np.zeros(size, np.uint8)
    mask[0, 0] = 128
    result = harmonizer.harmonize(image, mask, theta=[0, 0.5, 0, 0, 0, 0]) if size != (1, 1) else None
    if result is None:
        with pytest.warns(HarmonizerWarning, match="whole"):
            result = harmonizer.harmonize(image, mask)
    assert result.image.shape == image.shape


@pytest.mark.parametrize("value", [np.nan, np.inf, -1.0, 2.0])
def test_float_image_outside_the_range(harmonizer, mask, value):
    image = np.full((24, 32, 3), 0.5, np.float32)
    image[3, 4, 1] = value
    with pytest.raises(wf.ImageError):
        harmonizer.harmonize(image, mask)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((24, 32), np.uint8),
        np.zeros((24, 32, 4), np.uint8),
        np.zeros((0, 32, 3), np.uint8),
        np.zeros((24, 32, 3), np.int64),
        [[[0, 0, 0]]],
        None,
    ],
)
def test_what_is_no_image(harmonizer, mask, image):
    with pytest.raises(wf.ImageError):
        harmonizer.harmonize(image, mask)


@pytest.mark.parametrize(
    "mask",
    [np.ones((24, 31), bool), np.ones((24, 32, 1), bool), np.full((24, 32), np.nan), np.full((24, 32), 2.0), "mask"],
)
def test_what_is_no_mask(harmonizer, image, mask):
    with pytest.raises(wf.ImageError):
        harmonizer.harmonize(image, mask)


@pytest.mark.parametrize(
    "theta",
    [[0.0] * 5, [0.0] * 7, [0, 0, 1.5, 0, 0, 0], [np.nan] * 6, {"sepia": 0.1}, {"shadow": 0.1}, 0.5],
)
def test_what_is_no_theta(harmonizer, image, mask, theta):
    for given in (mask, np.zeros_like(mask)):
        with pytest.raises(wf.ThetaError):
            harmonizer.harmonize(image, given, theta=theta)


def test_python_without_the_extras():
    """Torch, Numba and timm belong to training and to extras: neither the package nor a run may import them."""
    program = (
        "import sys\n"
        "for name in ('torch', 'numba', 'timm', 'onnx', 'skimage'): sys.modules[name] = None\n"
        "import harmonizer, harmonizer.pictures.files, harmonizer.cli.app\n"
        "print('onnxruntime' in sys.modules, 'PIL' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]  # what is heavy waits for its first use
