"""Numba-CUDA: compiled to PTX without a GPU, run in the simulator, and on a GPU where there is one."""

from __future__ import annotations

import json
import sys
import sysconfig

import numpy as np
import pytest

import whitebox_filters as wf

THETA = (0.3, -0.2, 0.4, 0.2, -0.3, 0.25)

COMPILE = """
import json, re, sys

opened = []
sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event in ("open", "ctypes.dlopen") else None)

import numpy as np
from numba import cuda, types
import whitebox_filters as wf
from whitebox_filters.backends import cuda as backend, fuse

FLOAT64 = re.compile(r"^\\s*(?:@\\S+\\s+)?([a-z][a-z0-9_.]*\\.f64[a-z0-9_.]*)\\s", re.MULTILINE)
REAL = {"float32": types.float32, "float64": types.float64}
found = {}

def record(name, function, signature, **options):
    for capability in ((8, 6), (9, 0)):
        ptx, _ = cuda.compile_ptx(function, signature, cc=capability, **options)
        target = re.search(r"^\\.target sm_(\\d+)", ptx, re.MULTILINE).group(1)
        found[f"{name} sm_{target}"] = sorted(set(FLOAT64.findall(ptx)))

def types_of(filters, dtype):
    stored, real = getattr(types, dtype.name), REAL[fuse.working_dtype(dtype).name]
    return stored[:, :, ::1], real[:, ::1], types.UniTuple(real, sum(counts[f.name] for f in filters))

def record_pixels(name, filters, kind):
    dtype = np.dtype(kind)
    frame, plane, row = types_of(filters, dtype)
    record(f"{name} pixels {kind}", backend.blend_pixels(fuse.pixels(filters), dtype).py_func, (frame, plane, row))

def record_sums(name, filters, kind):
    dtype = np.dtype(kind)
    frame, plane, row = types_of(filters, dtype)
    record(f"{name} sums {kind}", backend.sum_blocks(fuse.pixels(filters), dtype).py_func, (frame, row, plane))

six, every = wf.Cascade().filters, [wf.get(name) for name in wf.names()]
means = {None: None, "mean": np.asarray(0.5), "channel_means": np.array([0.4, 0.5, 0.6])}
counts = {f.name: len(f.coefficients(np, np.asarray(0.1), means[f.statistic])) for f in every}
for f in {f.pixel: f for f in every}.values():  # filters of one formula differ in coefficients only
    bound = fuse.bind(f.pixel, backend.device_function)
    record(f"{f.name} device", bound, (types.float32,) * (3 + counts[f.name]), device=True)
    record_pixels(f.name, (f,), "float32")
for dtype in ("uint8", "float32", "float64"):
    record_pixels("fused", six, dtype)
for dtype in ("uint8", "float32"):
    record_sums("before contrast", six[:2], dtype)

mapped = [line.split()[-1] for line in open("/proc/self/maps") if ".so" in line]
tools = sorted({path for path in opened + mapped if re.search("/.*(libnvvm|libnvrtc|libdevice)", path)})
print(json.dumps({"float64": found, "tools": tools, "opened": opened + mapped}))
"""


@pytest.fixture(scope="module")
def compiled():
    """What COMPILE finds, in a process that is told of no CUDA toolkit."""
    import subprocess
    from pathlib import Path

    if not sys.platform.startswith("linux"):
        pytest.skip("which libraries are loaded is read from /proc")
    finished = subprocess.run(
        [sys.executable, "-c", COMPILE],
        env={"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": str(Path(sys.executable).parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout)


def test_every_device_function_and_kernel_compiles_for_both_capabilities(compiled):
    formulas = {wf.get(name).pixel: name for name in wf.names()}.values()
    names = [f"{name} {part}" for name in formulas for part in ("device", "pixels float32")]
    names += [f"fused pixels {kind}" for kind in ("uint8", "float32", "float64")]
    names += [f"before contrast sums {kind}" for kind in ("uint8", "float32")]
    assert set(compiled["float64"]) == {f"{name} sm_{target}" for name in names for target in (86, 90)}


def test_single_precision_kernels_hold_no_double_precision_instruction(compiled):
    single = {name: found for name, found in compiled["float64"].items() if "float64" not in name}
    assert {name: found for name, found in single.items() if found} == {}
    double = {name: found for name, found in compiled["float64"].items() if "float64" in name}
    assert len(double) == 2
    assert all(double.values()), "the search itself finds nothing"


def test_the_compiler_comes_from_the_wheels(compiled):
    packages = sysconfig.get_path("purelib")
    for tool in ("libnvvm", "libdevice"):
        assert any(tool in path for path in compiled["tools"]), compiled["tools"]
    assert [path for path in compiled["tools"] if not path.startswith(packages)] == []
    assert [path for path in compiled["opened"] if "/usr/local/cuda" in path] == []


def test_the_simulator_runs_every_filter_and_the_fused_cascade(run_python):
    code = f"""
import numpy as np
import whitebox_filters as wf
from whitebox_filters.backends import cuda

assert "simulator" in cuda.cuda.jit.__module__, cuda.cuda.jit.__module__
random = np.random.default_rng(0)
checked = 0

def compare(filters, image, theta, mask):
    global checked
    result = cuda.run(filters, image, np.asarray(theta), mask, [None] * len(filters)).copy_to_host()
    expected = wf.Cascade(filters)(image, theta, mask)
    assert result.dtype == image.dtype and result.shape == image.shape
    error = np.abs(result.astype(float) - expected.astype(float)).max()
    assert error <= (1 if image.dtype.kind == "u" else 1e-5), (filters[0].name, image.dtype, error)
    if mask is not None:
        assert (result[mask == 0] == image[mask == 0]).all()
    checked += 1

for size in ((5, 7), (1, 1)):
    image = random.random((*size, 3)).astype(np.float32)
    mask = random.random(size).astype(np.float32)
    mask[:, 1::2] = 0
    for name in wf.names():
        compare((wf.get(name),), image, [0.4], mask)
    for dtype in (np.uint8, np.uint16, np.float32, np.float64) if size == (5, 7) else (np.uint8,):
        scale = np.iinfo(dtype).max if np.issubdtype(dtype, np.integer) else 1
        compare(wf.Cascade().filters, (image * scale).astype(dtype), {THETA}, mask)
# More pixels than one block sums, in more than one block of columns and rows.
compare((wf.get("temperature"), wf.get("contrast")), random.random((5, 37, 3)), [0.3, 0.4], None)
print(checked)
"""
    assert run_python(code, NUMBA_ENABLE_CUDASIM="1").strip() == str(2 * len(wf.names()) + 6)


def test_the_simulator_refuses_what_it_cannot_take(run_python):
    code = """
import numpy as np
import whitebox_filters as wf
from whitebox_filters.backends import cuda
for image, mask in (
    (np.zeros((2, 2)), None),
    (np.zeros((2, 2, 3), np.int32), None),
    (np.zeros((2, 2, 3)), np.zeros((2, 3))),
):
    try:
        cuda.run((wf.get("shadow"),), image, np.array([0.1]), mask, [None])
    except wf.ImageError as error:
        print(error)
"""
    shape, dtype, mask = run_python(code, NUMBA_ENABLE_CUDASIM="1").splitlines()
    assert "(2, 2)" in shape
    assert "int32" in dtype
    assert "(2, 3)" in mask


def gpu():
    from numba import cuda

    return cuda.is_available()


@pytest.mark.gpu
@pytest.mark.skipif(not gpu(), reason="no CUDA device")
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
@pytest.mark.parametrize("size", [(1, 1), (5, 7), (129, 257)])
def test_a_gpu_computes_the_same(dtype, size):
    from numba import cuda

    random = np.random.default_rng(0)
    scale = np.iinfo(dtype).max if np.issubdtype(dtype, np.integer) else 1
    image = (random.random((*size, 3)) * scale).astype(dtype)
    mask = random.random(size)
    mask[:, 1::2] = 0
    tolerance = 1 if scale > 1 else 1e-4
    runs = [(wf.Cascade([name]), [0.4]) for name in wf.names()] + [(wf.Cascade(), THETA)]
    for cascade, theta in runs:
        for given in (mask, cuda.to_device(mask)):
            result = cascade(cuda.to_device(image), theta, given)
            assert hasattr(result, "__cuda_array_interface__")
            host = result.copy_to_host()
            assert np.abs(host.astype(float) - cascade(image, theta, mask).astype(float)).max() <= tolerance
            np.testing.assert_array_equal(host[mask == 0], image[mask == 0])
