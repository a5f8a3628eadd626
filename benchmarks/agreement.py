"""How far the numbers agree: from run to run, and between threads, processors, backends and engines.

From the repository root: python benchmarks/agreement.py --data DIR, where DIR holds the folders iharmony4_sample,
iharmony4_more, webcam, webcam_chamonix and triples_256. Writes benchmarks/results/agreement.md. Needs the extras
`train` and `openvino`. `--only bytes`, `filters` or `engines` prints a part.
"""

from __future__ import annotations

import argparse
import functools
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from report import describe_machine, grid

import whitebox_filters as wf
from harmonizer.evaluation.samples import read_samples, resize
from harmonizer.predictor import WEIGHTS, Predictor
from whitebox_filters.aliases import Region

RESULTS = Path(__file__).parent / "results" / "agreement.md"
THREADS = (1, 2, 4)
RUNS = 2
PROCESSORS = {
    "this one": (None, ()),
    "with AVX2 and FMA, without AVX-512": ("haswell", ("avx512", "amx", "avx10", "evex512")),
    "with AVX2, without AVX-512 and FMA": ("haswell", ("avx512", "amx", "avx10", "evex512", "fma")),
    "with SSE2 alone (x86-64)": (
        "x86-64",
        ("avx", "fma", "amx", "f16c", "vaes", "vpclmul", "xop", "sse3", "ssse3", "sse4"),
    ),
}
"""By title: LLVM's name of a processor, and the beginnings of the features that are turned off."""
REGIONS: tuple[Region, ...] = ("frame", "mask")
DTYPES = ("uint8", "uint16", "float32")
SIDE = 1000
THETAS = (-1.0, -0.3, 0.3, 1.0)
FOLDERS = {
    "iharmony4_sample": "iharmony4",
    "iharmony4_more": "iharmony4",
    "webcam": "iharmony4",
    "webcam_chamonix": "iharmony4",
    "triples_256": "triples",
}
LIMIT = 1e-3
SAME = "same"


def main() -> None:
    """Measure, then write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--only", choices=["bytes", "filters", "engines"])
    parser.add_argument("--render", nargs=2, help=argparse.SUPPRESS)  # what a process of its own does
    options = parser.parse_args()
    if options.render:
        processor, place = options.render
        render(processor, Path(place))
        return
    parts: dict[str, Callable[[], Section]] = {
        "bytes": same_bytes,
        "filters": filters,
        "engines": functools.partial(engines, options.data),
    }
    if options.only:
        print(*parts[options.only](), sep="\n\n")
        return
    sections = [part() for part in parts.values()]
    decision = " ".join(["Whether an edit can be repeated elsewhere:", *(each.conclusion for each in sections)])
    texts = ["# How far the numbers agree", decision, *(each.text for each in sections), describe_machine()]
    RESULTS.write_text("\n\n".join(texts) + "\n")


class Section(NamedTuple):
    """What a part of the page shows, in a sentence, and the part."""

    conclusion: str
    text: str


def same_bytes() -> Section:
    """Pictures filtered with other threads and instructions, compared bit for bit."""
    results: dict[tuple[str, int], dict[str, np.ndarray[Any, Any]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for processor, run in product(PROCESSORS, range(RUNS)):
            place = Path(folder, f"{len(results)}.npz")
            command = [sys.executable, __file__, "--render", processor, str(place)]
            subprocess.run(command, check=True)
            results[processor, run] = dict(np.load(place))
            print(processor, run, flush=True)
    first = results["this one", 0]
    rows = []
    for processor in PROCESSORS:
        own = results[processor, 0]
        among = _count_others([results[processor, run] for run in range(RUNS)])
        rows.append([processor, str(among), *(_difference(own, first, dtype) for dtype in DTYPES), _theta(own, first)])
    header = ["instructions", "results that differ by run or threads", *DTYPES, "theta"]
    text = (
        "## The same bytes\n\n"
        "A photograph of 640 x 480 with a soft mask through the six filters, with statistics of the whole frame and of "
        f"the mask, in {RUNS} processes for each of {len(PROCESSORS)} sets of the processor's instructions, for which "
        f"the filters are compiled; each process with {', '.join(map(str, THREADS))} threads. The last columns: "
        "the share of values that are other than with all instructions, and by how much at most, in levels for "
        "integers. Theta is what the network predicts with ONNX Runtime and as many threads; that chooses its "
        "instructions by itself.\n\n"
    )
    changed = [
        dtype for dtype in DTYPES if any(_difference(results[each, 0], first, dtype) != SAME for each in PROCESSORS)
    ]
    steady = not any(int(row[1]) for row in rows)
    conclusion = (
        f"Another run or number of threads {'never changed' if steady else 'changed'} a bit; other instructions of the "
        f"processor changed {' and '.join(changed) or 'nothing'}, by rounding alone (below)."
    )
    return Section(conclusion, text + grid(header, rows, 1))


def render(processor: str, place: Path) -> None:
    """Filter the picture with only such instructions, and leave the results at `place`, by number of threads."""
    import llvmlite.binding as llvm

    from whitebox_filters.native import cache, cores

    name, left_out = PROCESSORS[processor]
    if name is not None:
        features = llvm.get_host_cpu_features()
        for feature in features:
            if feature.startswith(left_out):
                features[feature] = False
        llvm.get_host_cpu_name = lambda: name
        llvm.get_host_cpu_features = lambda: features
    image, mask = _photograph()
    scaled = {"uint8": image, "uint16": image.astype(np.uint16) * 257, "float32": image.astype(np.float32) / 255}
    theta = np.array([0.3, -0.2, 0.25, 0.3, -0.3, 0.25])
    results: dict[str, Any] = {}
    for threads in THREADS:
        cores.count = functools.partial(int, threads)
        cores.pool.cache_clear()
        for dtype, region in product(DTYPES, REGIONS):
            plan = wf.Cascade(wf.DEFAULT_FILTERS, statistics=region).compile("numba")
            results[f"{threads} {dtype} {region}"] = plan(scaled[dtype], theta, mask)
        results[f"{threads} theta"] = Predictor.load(threads=threads).predict(image, mask)
    if name is not None and cache.engine().processor[0] != name:
        raise SystemExit(f"the filters were compiled for {cache.engine().processor[0]}, not for {name}")
    np.savez(place, **results)


def filters() -> Section:
    """The worst error of each filter and backend over a million random pixels."""
    image = np.random.default_rng(0).random((SIDE, SIDE, 3))
    image[:50] = np.random.default_rng(1).integers(0, 2, (50, SIDE, 3))  # the corners of the colour cube
    image[50:60] = np.random.default_rng(2).integers(0, 2, (10, SIDE, 1))
    rows, largest = [], 0.0
    for name in wf.names():
        worst = dict.fromkeys(BACKENDS, 0.0)
        for theta in THETAS:
            exact = wf.get(name)(image, theta)
            for backend, apply in BACKENDS.items():
                found = apply(name, image, theta).astype(np.float64)
                worst[backend] = max(worst[backend], float(np.abs(found - exact).max()))
        rows.append([name, *(f"{error:.1e}" for error in worst.values())])
        largest = max(largest, *worst.values())
        print(rows[-1], flush=True)
    text = (
        "## Filters\n\n"
        f"The largest difference from NumPy in float64, over {SIDE * SIDE:,} random pixels, 60,000 of them of 0 and 1 "
        f"alone, at theta {', '.join(f'{theta:g}' for theta in THETAS)}. Values are in [0, 1].\n\n"
    )
    levels = f"{largest * 255:.2g} levels of 255"
    conclusion = f"No filter on any backend is further than {largest:.1e} from NumPy in float64, {levels}."
    return Section(conclusion, text + grid(["filter", *BACKENDS], rows, 1))


def _numpy32(name: str, image: Any, theta: float) -> Any:
    return wf.get(name)(image.astype(np.float32), theta)


def _numba32(name: str, image: Any, theta: float) -> Any:
    return wf.Cascade([name])(image.astype(np.float32), [theta], backend="numba")


def _numba64(name: str, image: Any, theta: float) -> Any:
    return wf.Cascade([name])(image, [theta], backend="numba")


def _torch32(name: str, image: Any, theta: float) -> Any:
    import torch

    batch = torch.from_numpy(image.astype(np.float32)).movedim(2, 0)[None]
    with torch.no_grad():
        return wf.get(name)(batch, torch.tensor([theta]))[0].movedim(0, 2).numpy()


BACKENDS = {
    "NumPy float32": _numpy32,
    "torch float32": _torch32,
    "Numba float32": _numba32,
    "Numba float64": _numba64,
}


def engines(data: Path) -> Section:
    """Theta by every engine on real composites, compared with torch's."""
    import torch

    from harmonizer.learning.network import checkpoint

    network = checkpoint.load(WEIGHTS).eval()
    predictors = {name: Predictor.load(engine=name) for name in ("onnxruntime", "openvino", "openvino-bf16")}
    differences: dict[str, list[float]] = {name: [] for name in predictors}
    count = 0
    for sample in _samples(data):
        composite, mask = predictors["onnxruntime"].prepare(sample.composite, sample.mask)
        with torch.no_grad():
            exact = network(torch.from_numpy(composite), torch.from_numpy(mask))[0].double().numpy()
        for name, predictor in predictors.items():
            differences[name].append(float(np.abs(predictor.predict_prepared(composite, mask) - exact).max()))
        count += 1
        print(sample.name, {name: values[-1] for name, values in differences.items()}, flush=True)
    rows = [
        [name, f"{max(values):.1e}", f"{np.median(values):.1e}", f"{sum(value > LIMIT for value in values)}"]
        for name, values in differences.items()
    ]
    text = (
        "## Engines\n\n"
        f"Theta of the shipped network on {count} real composites ({', '.join(FOLDERS)}), compared with torch in "
        f"float32: the largest difference of any filter, the median over pictures, and pictures beyond {LIMIT:g}. "
        "`openvino-bf16` computes in 16 bits on purpose.\n\n"
    )
    worst = max(max(values) for name, values in differences.items() if name != "openvino-bf16")
    conclusion = f"ONNX Runtime and OpenVINO predict torch's theta within {worst:.1e}."
    return Section(conclusion, text + grid(["engine", "largest", "median", f"beyond {LIMIT:g}"], rows, 1))


def _samples(data: Path) -> Iterator[Any]:
    for folder, layout in FOLDERS.items():
        for sample in read_samples(data / folder, layout):
            yield resize(sample, 256) if max(sample.composite.shape) > 2048 else sample


def _photograph() -> tuple[Any, Any]:
    """(480, 640, 3) and (480, 640), uint8: smooth colour, noise, black and white; a soft round mask."""
    y, x = np.mgrid[0:480, 0:640]
    base = np.stack([x * 0.4, y * 0.5, 255 - x * 0.3], axis=-1) + np.random.default_rng(5).normal(0, 25, (480, 640, 3))
    mask = np.clip(280 - np.hypot(y - 240, x - 300), 0, 255)
    return base.clip(0, 255).astype(np.uint8), mask.astype(np.uint8)


def _count_others(processes: list[dict[str, Any]]) -> int:
    """How many results differ from that of the first process with the fewest threads."""
    first = processes[0]
    names = [name.partition(" ") for name in first]
    return sum(
        not np.array_equal(process[f"{threads} {what}"], first[f"{THREADS[0]} {what}"])
        for process in processes
        for threads, _, what in names
    )


def _difference(own: dict[str, Any], first: dict[str, Any], dtype: str) -> str:
    """How many values differ, and the largest difference."""
    names = [f"{THREADS[0]} {dtype} {region}" for region in ("frame", "mask")]
    gaps = np.concatenate([np.abs(own[name].astype(np.float64) - first[name]).ravel() for name in names])
    if not gaps.any():
        return SAME
    largest = f"{gaps.max():.0f}" if dtype.startswith("u") else f"{gaps.max():.1e}"
    return f"{(gaps > 0).mean():.1e} by {largest}"


def _theta(own: dict[str, Any], first: dict[str, Any]) -> str:
    name = f"{THREADS[0]} theta"
    gap = np.abs(own[name] - first[name]).max()
    return SAME if gap == 0 else f"{gap:.1e}"


if __name__ == "__main__":
    main()
