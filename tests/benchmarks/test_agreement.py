"""The same picture, theta and version give the same bytes: with other threads, and other instructions."""

from __future__ import annotations

import platform
import subprocess
import sys

import agreement
import numpy as np
import pytest


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="the instructions are those of x86-64")
def test_pictures_of_bytes_are_the_same_by_every_number_of_threads_and_set_of_instructions(tmp_path):
    results = []
    for number, processor in enumerate(("this one", "with SSE2 alone (x86-64)")):
        place = tmp_path / f"{number}.npz"
        subprocess.run([sys.executable, agreement.__file__, "--render", processor, str(place)], check=True)
        results.append(dict(np.load(place)))
    expected = results[0]
    for name, pixels in results[1].items():
        threads, what = name.split(" ", 1)
        own = results[0][name]
        assert np.array_equal(own, expected[f"{agreement.THREADS[0]} {what}"]), f"{threads} threads change {what}"
        if what.startswith("uint8"):
            assert np.array_equal(pixels, own), what
        elif what.startswith("uint16"):
            assert np.abs(pixels.astype(int) - own).max() <= 1
        else:
            np.testing.assert_allclose(pixels, own, atol=1e-6)
