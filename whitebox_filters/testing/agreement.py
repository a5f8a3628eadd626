"""All backends compute the same: NumPy in float64 is the oracle."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from whitebox_filters.cascade import Cascade
from whitebox_filters.spec import Array, Filter
from whitebox_filters.statistics import measure
from whitebox_filters.testing import samples
from whitebox_filters.testing.report import require

# A pixel formula may hold float32 constants (6e-8 apart from the array formula's), and a filter amplify by 1000.
FLOAT64_TOLERANCE = 2e-6
# float32 rounding, amplified by 1000 at the ends of the range: a quarter of an 8-bit level.
FLOAT32_TOLERANCE = 1e-3
# A value between two levels may be rounded to either.
LEVELS_TOLERANCE = 1

THETAS = (-1.0, -0.7, -0.3, -0.01, 0.0, 0.01, 0.3, 0.7, 1.0)

IMAGES = samples.everywhere() | {"colour sweep": samples.colour_sweep()}

# The simulator runs a Python thread for each CUDA thread.
SLOW_THETAS = (-1.0, -0.3, 0.0, 0.3, 1.0)
SLOW_IMAGES = {"extremes": samples.extremes()[:3]}

Case = tuple[npt.NDArray[Any], float]
Runner = Callable[[Filter, Sequence[Case]], list[npt.NDArray[Any]]]


def check(filter: Filter, backends: Sequence[str]) -> None:
    """Compare each backend with NumPy float64 (integers: with NumPy), exactly at theta 0."""
    for backend in backends:
        runner, dtypes = _RUNNERS[backend]
        images, thetas = (SLOW_IMAGES, SLOW_THETAS) if backend == "cuda-simulator" else (IMAGES, THETAS)
        for dtype in map(np.dtype, dtypes):
            labels = [(name, theta) for name in images for theta in thetas]
            cases = [(samples.stored(images[name], dtype), theta) for name, theta in labels]
            for label, case, result in zip(labels, cases, runner(filter, cases), strict=True):
                _compare(filter, f"{backend} in {dtype}", label[0], case, result)


def _compare(filter: Filter, backend: str, name: str, case: Case, result: npt.NDArray[Any]) -> None:
    image, theta = case
    where = f"{backend} at theta {theta:g} on the {name} image"
    kept = result.dtype == image.dtype and result.shape == image.shape
    require(kept, filter.name, "dtype and shape", f"{where}: {result.dtype}, {result.shape}")
    if theta == 0:
        require(np.array_equal(result, image), filter.name, "identity", f"{where} is not the input")
    expected = filter(image.astype(np.float64) if image.dtype.kind == "f" else image, theta)
    error = float(np.max(np.abs(result.astype(np.float64) - expected)))
    tolerance = {"u": LEVELS_TOLERANCE, "f": FLOAT64_TOLERANCE if image.dtype == np.float64 else FLOAT32_TOLERANCE}
    finding = f"{where} is {error:.3g} from NumPy, beyond {tolerance[image.dtype.kind]:g}"
    require(error <= tolerance[image.dtype.kind], filter.name, "agreement", finding)


def _run_numpy(filter: Filter, cases: Sequence[Case]) -> list[npt.NDArray[Any]]:
    return [filter(image, theta) for image, theta in cases]


def _run_python(filter: Filter, cases: Sequence[Case]) -> list[npt.NDArray[Any]]:
    """The pixel formula in plain Python, pixel by pixel."""
    results = []
    for image, theta in cases:
        planes = np.moveaxis(image, -1, 0)
        statistic = None if filter.statistic is None else measure(np, planes, filter.statistic)
        coefficients = [np.float64(value) for value in filter.coefficients(np, np.asarray(theta), statistic)]
        pixels = [filter.pixel(*pixel, *coefficients) for pixel in image.reshape(-1, 3)]
        results.append(np.clip(np.asarray(pixels, np.float64), 0, 1).reshape(image.shape))
    return results


def _run_torch(filter: Filter, cases: Sequence[Case]) -> list[npt.NDArray[Any]]:
    import torch

    from whitebox_filters.testing.gradients import to_batch

    results = []
    for image, theta in cases:
        batch = to_batch(image, dtype=getattr(torch, image.dtype.name))
        before = batch.clone()
        result: Array = filter(batch, torch.tensor([theta], dtype=batch.dtype))
        require(torch.equal(batch, before), filter.name, "input untouched", f"torch at theta {theta:g}")
        results.append(result[0].movedim(0, -1).numpy())
    return results


def _run_numba(filter: Filter, cases: Sequence[Case]) -> list[npt.NDArray[Any]]:
    return [Cascade([filter])(image, [theta], backend="numba") for image, theta in cases]


def _run_simulator(filter: Filter, cases: Sequence[Case]) -> list[npt.NDArray[Any]]:
    """Numba-CUDA's simulator, in a process of its own, since it must be chosen before Numba is imported."""
    from numba import cloudpickle

    environment = os.environ | {"NUMBA_ENABLE_CUDASIM": "1", "PYTHONPATH": os.pathsep.join(_import_path())}
    finished = subprocess.run(
        [sys.executable, "-m", "whitebox_filters.testing.simulator"],
        input=cloudpickle.dumps((filter, list(cases))),
        capture_output=True,
        env=environment,
        check=False,
    )
    error = finished.stderr.decode()[-2000:]
    require(finished.returncode == 0, filter.name, "agreement", f"the CUDA simulator fails:\n{error}")
    results: list[npt.NDArray[Any]] = cloudpickle.loads(finished.stdout)
    return results


def _import_path() -> list[str]:
    """Where a second process finds the modules that this one can import."""
    return [entry or str(Path.cwd()) for entry in sys.path]


# backend -> how to run it, on which dtypes
_RUNNERS: dict[str, tuple[Runner, tuple[str, ...]]] = {
    "numpy": (_run_numpy, ("float32",)),
    "python": (_run_python, ("float64",)),
    "torch": (_run_torch, ("float32", "float64")),
    "numba": (_run_numba, ("uint8", "uint16", "float32", "float64")),
    "cuda-simulator": (_run_simulator, ("float32",)),
}
