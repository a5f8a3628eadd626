from __future__ import annotations
import numpy as np


def choose_theta(cascade, sample):
    return np.zeros(len(cascade))
