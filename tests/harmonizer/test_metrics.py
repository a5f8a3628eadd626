import json
from pathlib import Path

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from harmonizer.evaluation.metrics import score, ssim

# How often each absolute difference occurs in the foregrounds of three composites of iHarmony4, and what was
# published of them; the pictures themselves may not be passed on.
PUBLISHED = json.loads((Path(__file__).parents[1] / "data" / "published_composites.json").read_text())


def test_scores_by_hand():
    real = np.zeros((2, 4, 3), np.uint8)
    harmonized = real.copy()
    mask = np.zeros((2, 4), bool)
    mask[0, :2] = True
    harmonized[0, 0] = 10  # inside the mask: one of two pixels
    harmonized[1, 3] = 4  # outside
    scores = score(harmonized, real, mask)
    assert scores.mse == pytest.approx((100 + 16) / 8)
    assert scores.fmse == pytest.approx(50)
    assert scores.psnr == pytest.approx(10 * np.log10(255**2 / 14.5))
    assert scores.psnr_released == pytest.approx(10 * np.log10(10**2 / 14.5))


@pytest.mark.parametrize("picture", PUBLISHED, ids=lambda picture: picture["name"])
def test_composites_score_what_was_published(picture):
    differences = np.repeat(np.arange(len(picture["counts"])), picture["counts"]).reshape(-1, 3)
    real = np.zeros((1, picture["pixels"], 3), np.uint8)
    composite, mask = real.copy(), np.zeros(real.shape[:2], bool)
    composite[0, : len(differences)], mask[0, : len(differences)] = differences, True
    scores = score(composite, real, mask)
    assert round(scores.fmse, 2) == round(picture["published"]["fmse"], 2)
    assert scores.mse == pytest.approx(picture["published"]["mse"], rel=1e-4)
    assert scores.psnr == pytest.approx(picture["published"]["psnr"], abs=1e-3)


def test_differences_below_zero_do_not_wrap_around():
    real, harmonized = np.full((1, 1, 3), 200, np.uint8), np.full((1, 1, 3), 100, np.uint8)
    assert score(harmonized, real, np.ones((1, 1), bool)).mse == 10000


def test_equal_pictures_and_an_empty_mask():
    picture = np.full((12, 12, 3), 7, np.uint8)
    scores = score(picture, picture, np.zeros((12, 12), bool))
    assert scores.mse == 0
    assert scores.psnr == scores.psnr_released == np.inf
    assert scores.ssim == 1
    assert np.isnan(scores.fmse)


def test_shapes_must_agree():
    with pytest.raises(ValueError, match="shapes differ"):
        score(np.zeros((2, 2, 3), np.uint8), np.zeros((2, 3, 3), np.uint8), np.zeros((2, 2), bool))


@pytest.mark.parametrize(
    ("shape", "changed"),
    [
        ((60, 80), np.s_[10:30, 20:50]),
        ((11, 11), np.s_[:, :]),  # a single window
        ((40, 30), np.s_[:3, 27:]),  # in a corner, which few windows reach
        ((100, 15), np.s_[50, 14]),
        ((90, 70), np.s_[:, :]),  # more rows than are computed at a time
    ],
)
def test_ssim_is_that_of_scikit_image(shape, changed):
    random = np.random.default_rng(0)
    picture = random.integers(0, 256, (*shape, 3), dtype=np.uint8)
    other = picture.copy()
    other[changed] = other[changed] // 2 + random.integers(0, 60, other[changed].shape, dtype=np.uint8)
    expected = structural_similarity(
        picture, other, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255, channel_axis=2
    )
    assert ssim(picture, other) == pytest.approx(expected, abs=1e-12)
    assert expected < 1 - 1e-8


def test_ssim_of_less_than_a_window_is_undefined():
    assert np.isnan(ssim(np.zeros((10, 40, 3), np.uint8), np.ones((10, 40, 3), np.uint8)))
