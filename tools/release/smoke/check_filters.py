"""Run by the Python of an environment that holds whitebox-filters and NumPy: python check_filters.py SITE_PACKAGES."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np

import whitebox_filters as wf
from whitebox_filters.testing import check_filter

assert Path(sys.argv[1]) in Path(wf.__file__).parents, wf.__file__
assert not [name for name in ("torch", "numba", "harmonizer") if find_spec(name)]

photo = np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8)
for name in wf.names():
    np.testing.assert_array_equal(wf.get(name)(photo, 0.0), photo)
    assert (wf.get(name)(photo, 0.7) != photo).any(), name
assert check_filter(wf.get("shadow")).backends

cascade = wf.Cascade(["exposure", "gamma"])
wf.write_cube("grade.cube", wf.bake_lut(cascade, [0.3, -0.2], None))
looked_up = wf.apply_lut(photo, wf.read_cube("grade.cube"))
assert np.abs(looked_up.astype(int) - cascade(photo, [0.3, -0.2])).max() <= 3
