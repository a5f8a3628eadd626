"""Predictions timed in turns, and the table of them. No time is asserted."""

from __future__ import annotations

import numpy as np
from prediction_speed import measure, table

from harmonizer.predictor import WEIGHTS


def test_every_network_is_timed_in_every_round():
    seconds = measure([WEIGHTS, WEIGHTS], 3)
    assert seconds.shape == (3, 2)
    assert (seconds > 0).all()


def test_a_ratio_is_of_one_round():
    """The second network takes twice the first's time in each round, though the machine is ten times slower in one."""
    text = table([WEIGHTS, WEIGHTS], np.array([[0.01, 0.02], [0.1, 0.2], [0.01, 0.02]]))
    assert "| 20 (20 to 110) | 2 (2 to 2) |" in text
