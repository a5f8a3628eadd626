from __future__ import annotations

import numpy as np
import pytest

from harmonizer.pictures.compare import GAP, LABEL_HEIGHT, LONG_SIDE, side_by_side


def test_both_pictures_are_there_in_order():
    before, after = np.full((90, 200, 3), 10, np.uint8), np.full((90, 200, 3), 240 * 257, np.uint16)
    sheet = side_by_side(before, after)
    assert sheet.shape == (90 + LABEL_HEIGHT, 2 * 200 + GAP, 3)
    assert (sheet[LABEL_HEIGHT:, :200] == 10).all()
    assert (sheet[LABEL_HEIGHT:, -200:] == 240).all()
    for half in (sheet[:LABEL_HEIGHT, :200], sheet[:LABEL_HEIGHT, -200:]):
        assert half.min() < 100  # a label in ink
        assert half.max() == 255


@pytest.mark.parametrize(("size", "panel"), [((3000, 1500), (1280, 640)), ((10, 30_000), (1, 1280))])
def test_large_pictures_are_scaled_down(size, panel):
    sheet = side_by_side(*[np.zeros((*size, 3), np.uint8)] * 2)
    assert sheet.shape[:2] == (panel[0] + LABEL_HEIGHT, 2 * panel[1] + GAP)
    assert max(panel) == LONG_SIDE


def test_one_pixel():
    sheet = side_by_side(np.zeros((1, 1, 3), np.uint8), np.full((1, 1, 3), 255, np.uint8))
    assert (sheet[LABEL_HEIGHT] == 0).all(axis=1).sum() == 1
