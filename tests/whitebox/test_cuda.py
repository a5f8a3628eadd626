"""Numba-CUDA: compiled to PTX and assembled without a GPU, run in the simulator, and on a GPU where there is one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pytest

import whitebox_filters as wf

HERE = Path(__file__).parent
THETA = (0.3, -0.2, 0.4, 0.2, -0.3, 0.25)


@pytest.fixture(scope="module")
def compiled():
    """What `cuda_to_ptx.py` finds, in a process that is told of no CUDA toolkit."""
    if not sys.platform.startswith("linux"):
        pytest.skip("which libraries are loaded is read from /proc")
    finished = subprocess.run(
        [sys.executable, HERE / "cuda_to_ptx.py"],
        env={"PYTHONPATH": str(HERE.parents[1]), "PATH": str(Path(sys.executable).parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout)


def of(compiled, what, *words):
    """What was found in the kernels whose names hold all words."""
    return {
        name: found[what] for name, found in compiled["kernels"].items() if all(word in name.split() for word in words)
    }


def test_single_precision_kernels_hold_no_double_precision_instruction(compiled):
    double = of(compiled, "float64", "float64")
    assert {name.split()[-1] for name in compiled["kernels"]} == {"sm_86", "sm_90"}
    assert len(double) == 2
    assert all(double.values()), "the search itself finds nothing"
    others = {name: found for name, found in of(compiled, "float64").items() if name not in double}
    assert {name: found for name, found in others.items() if found} == {}


def test_powers_are_approximate_instructions(compiled):
    """A power in full precision is a function of a hundred instructions, of which a frame needs millions."""
    assert all(of(compiled, "approximate powers", "eight").values())


def test_eight_filters_spill_no_register(compiled):
    spilled = of(compiled, "spilled", "eight")
    assert len(spilled) == 6
    assert set(spilled.values()) == {0}


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_a_group_of_pixels_moves_as_three_words(compiled, dtype):
    assert set(of(compiled, "wide loads", "eight", dtype).values()) == {3}
    assert set(of(compiled, "wide stores", "eight", dtype).values()) == {3}


def test_the_compiler_comes_from_the_wheels(compiled):
    packages = sysconfig.get_path("purelib")
    for tool in ("libnvvm", "libdevice", "libnvJitLink"):
        assert any(tool in path for path in compiled["tools"]), compiled["tools"]
    assert [path for path in compiled["tools"] if not path.startswith(packages)] == []
    assert [path for path in compiled["opened"] if "/usr/local/cuda" in path] == []


def test_the_plan_in_the_simulator():
    """The simulator must be chosen before Numba is imported, hence a process of its own."""
    finished = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:xdist",
            HERE / "cuda_in_simulator.py",
        ],
        env=os.environ | {"NUMBA_ENABLE_CUDASIM": "1", "PYTHONPATH": str(HERE.parents[1])},
        cwd=HERE.parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr


def gpu():
    from numba import cuda

    return cuda.is_available()


on_a_gpu = [pytest.mark.gpu, pytest.mark.skipif(not gpu(), reason="no CUDA device")]


def stored(size, dtype):
    levels = np.iinfo(dtype).max if np.issubdtype(dtype, np.integer) else 1
    return (np.random.default_rng(0).random((*size, 3)) * levels).astype(dtype), levels


class TestOnAGpu:
    pytestmark = on_a_gpu

    @pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
    @pytest.mark.parametrize("size", [(1, 1), (5, 7), (129, 257)])
    def test_it_computes_the_same(self, dtype, size):
        from numba import cuda

        image, levels = stored(size, dtype)
        mask = np.random.default_rng(1).random(size)
        mask[:, 1::2] = 0
        tolerance = {255: 1, 65535: 2}.get(levels, 1e-4)
        runs = [(wf.Cascade([name]), [0.4]) for name in wf.names()] + [(wf.Cascade(), THETA)]
        for cascade, theta in runs:
            expected = cascade(image / np.float64(levels), theta, mask) * levels
            for given in (mask, cuda.to_device(mask)):
                result = cascade(cuda.to_device(image), theta, given)
                assert hasattr(result, "__cuda_array_interface__")
                host = result.copy_to_host()
                assert np.abs(host - expected).max() <= tolerance
                np.testing.assert_array_equal(host[mask == 0], image[mask == 0])

    @pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
    @pytest.mark.parametrize("region", ["frame", "mask"])
    def test_in_place(self, dtype, region):
        from numba import cuda

        from whitebox_filters.backends.cuda.plan import Plan

        image, levels = stored((131, 257), dtype)
        mask = np.zeros((131, 257), np.uint8)
        mask[40:90, 33:201] = 200
        cascade = wf.Cascade(wf.EIGHT_FILTERS, statistics=region)
        plan, frame = Plan(cascade), cuda.to_device(image)
        assert plan(frame, (*THETA, 0.2, 0.3), mask, frame) is frame
        expected = cascade(image / np.float64(levels), (*THETA, 0.2, 0.3), mask) * levels
        assert np.abs(frame.copy_to_host() - expected).max() <= {255: 1, 65535: 2}.get(levels, 1e-4)

    @pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
    def test_theta_zero_is_exact(self, dtype):
        from numba import cuda

        image, _ = stored((33, 65), dtype)
        for name in wf.names():
            result = wf.Cascade([name])(cuda.to_device(image), [0.0])
            np.testing.assert_array_equal(result.copy_to_host(), image, err_msg=name)
