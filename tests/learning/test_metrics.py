import numpy as np
import pytest

from harmonizer.metrics import score


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


def test_differences_below_zero_do_not_wrap_around():
    real, harmonized = np.full((1, 1, 3), 200, np.uint8), np.full((1, 1, 3), 100, np.uint8)
    assert score(harmonized, real, np.ones((1, 1), bool)).mse == 10000


def test_equal_pictures_and_an_empty_mask():
    picture = np.full((2, 2, 3), 7, np.uint8)
    scores = score(picture, picture, np.zeros((2, 2), bool))
    assert scores.mse == 0
    assert scores.psnr == np.inf
    assert np.isnan(scores.fmse)


def test_shapes_must_agree():
    with pytest.raises(ValueError, match="shapes differ"):
        score(np.zeros((2, 2, 3), np.uint8), np.zeros((2, 3, 3), np.uint8), np.zeros((2, 2), bool))
