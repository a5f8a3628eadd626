"""Compiles and assembles the CUDA kernels, and prints as JSON what it finds. `test_cuda.py` runs this."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

opened: list[str] = []
sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event in ("open", "ctypes.dlopen") else None)
sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import cuda_kernels as report  # noqa: E402
import numpy as np  # noqa: E402

import whitebox_filters as wf  # noqa: E402

FLOAT64 = re.compile(r"^\s*(?:@\S+\s+)?([a-z][a-z0-9_.]*\.f64[a-z0-9_.]*)\s", re.MULTILINE)

SIX, EIGHT = wf.Cascade().filters, wf.Cascade(wf.EIGHT_FILTERS).filters
# Filters of one formula differ in coefficients only.
EVERY = tuple({filter.pixel: filter for filter in map(wf.get, wf.names())}.values())
BYTE, HALF, SINGLE, DOUBLE = (np.dtype(kind) for kind in ("uint8", "uint16", "float32", "float64"))

kernels = {
    "histogram": report.histogram_kernel(),
    "every formula float32": report.pixel_kernel(EVERY, SINGLE, masked=True),
    "table uint8": report.pixel_kernel(SIX[3:], BYTE, masked=True, tabled=True),
    "no mask uint8": report.pixel_kernel(SIX, BYTE, masked=False),
    "six float64": report.pixel_kernel(SIX, DOUBLE, masked=True),
}
kernels |= {f"eight {dtype}": report.pixel_kernel(EIGHT, dtype, masked=True) for dtype in (BYTE, HALF, SINGLE)}
kernels |= {f"bounds {dtype}": report.bound_kernel(dtype) for dtype in (BYTE, SINGLE)}
kernels |= {f"sums {dtype}": report.sum_kernel(SIX[:2], dtype) for dtype in (BYTE, SINGLE)}

found = {}
for name, kernel in kernels.items():
    for capability in report.CAPABILITIES:
        ptx = report.compile_ptx(kernel, capability)
        target = re.search(r"^\.target sm_(\d+)", ptx, re.MULTILINE).group(1)
        found[f"{name} sm_{target}"] = {
            "float64": sorted(set(FLOAT64.findall(ptx))),
            "spilled": report.assemble(ptx, capability).spilled,
            "wide loads": len(re.findall(r"ld\.global\.[a-z]+32", ptx)),
            "wide stores": len(re.findall(r"st\.global\.[a-z]+32", ptx)),
            "approximate powers": len(re.findall(r"ex2\.approx", ptx)),
        }

opened += [line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if ".so" in line]
tools = sorted({path for path in opened if re.search("/.*(libnvvm|libnvJitLink|libnvrtc|libdevice)", path)})
sys.stdout.write(json.dumps({"kernels": found, "tools": tools, "opened": opened}))
