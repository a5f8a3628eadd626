"""Prints the seconds from import to the first frame filtered: python first_frame.py WIDTH HEIGHT THETA ..."""

import sys
import time

start = time.perf_counter()

import numpy as np  # noqa: E402 - the import is part of what is timed

import whitebox_filters as wf  # noqa: E402

width, height = int(sys.argv[1]), int(sys.argv[2])
frame = np.resize(np.arange(256, dtype=np.uint8), (height, width, 3))
mask = np.full((height, width), 255, np.uint8)
theta = [float(value) for value in sys.argv[3:]]
wf.Cascade().compile("numba")(frame, theta, mask)
print(time.perf_counter() - start)
