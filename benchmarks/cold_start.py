"""Times `harmonizer run` on a 1080p photograph in fresh processes, and says where the time goes.

Run it from the repository root: python benchmarks/cold_start.py. Writes benchmarks/results/cold_start.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results" / "cold_start.md"
SIZE = (1920, 1080)
TARGET = 2.5  # seconds for the whole command
VERSIONS = ("numpy", "onnxruntime", "pillow", "imagecodecs", "tifffile", "typer", "rich")

# What the command calls, each the time of one stage with the imports that wait for it.
STAGES = {
    "read and decode both files": ("harmonizer.pictures.io", "read_composite"),
    "open the network": ("harmonizer.predictor.Predictor", "load"),
    "predict theta": ("harmonizer.predictor.Predictor", "predict"),
    "measure and run the filters": ("harmonizer.render.Renderer", "render"),
    "encode and write": ("harmonizer.pictures.io", "write_image"),
    "print the table": ("harmonizer.cli.theta_table", "print_theta"),
}
STARTUP, IMPORTS, EXIT, REST = "start the interpreter", "import the command", "leave the interpreter", "all else"


def timed(call: Callable[..., Any], name: str, seconds: dict[str, float]) -> Callable[..., Any]:
    """`call`, adding the time it takes to `seconds[name]`."""

    def wrapper(*arguments: Any, **options: Any) -> Any:
        start = time.perf_counter()
        try:
            return call(*arguments, **options)
        finally:
            seconds[name] = seconds.get(name, 0.0) + time.perf_counter() - start

    return wrapper


def child(spawned: float, report: Path, arguments: Sequence[str]) -> None:
    """Run the command with a clock at each stage; write the seconds to `report`."""
    import pkgutil

    seconds = {STARTUP: time.time() - spawned}
    start = time.perf_counter()
    import harmonizer.cli.app
    import harmonizer.pictures.io
    import harmonizer.pipeline
    import harmonizer.render

    seconds[IMPORTS] = time.perf_counter() - start
    for name, (owner_name, attribute) in STAGES.items():
        owner = pkgutil.resolve_name(owner_name)
        setattr(owner, attribute, timed(getattr(owner, attribute), name, seconds))
    sys.argv = ["harmonizer", "run", *arguments]
    try:
        harmonizer.cli.app.main()
    except SystemExit as done:
        if done.code:
            raise
    report.write_text(json.dumps(seconds | {EXIT: time.time()}))


def measure(folder: Path, name: str, weights: Sequence[str]) -> tuple[float, dict[str, float]]:
    """Wall seconds of one plain `harmonizer run`, and the stages of a second, clocked one."""
    command = [str(folder / "composite.jpg"), str(folder / "mask.png"), "-o", str(folder / name), *weights]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "harmonizer", "run", *command], check=True, env=environment, stdout=subprocess.DEVNULL
    )
    wall = time.perf_counter() - start
    report = folder / "report.json"
    clocked = [sys.executable, __file__, "--child", repr(time.time()), str(report), *command]
    start = time.perf_counter()
    subprocess.run(clocked, check=True, env=environment, stdout=subprocess.DEVNULL)
    clocked_wall = time.perf_counter() - start
    stages = json.loads(report.read_text())
    stages[EXIT] = time.time() - stages[EXIT]
    stages[REST] = clocked_wall - sum(stages.values())
    return wall, stages


def spread(values: Sequence[float]) -> str:
    """Median and range."""
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def describe_machine() -> str:
    """Processor, cores, load, and the versions of what is measured."""
    models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    processor = models[0].partition(": ")[2] if models else platform.machine()
    versions = ", ".join(f"{name} {version(name)}" for name in VERSIONS)
    return (
        f"{processor}, {os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f} at the end; "
        f"{platform.system()}, Python {platform.python_version()}, {versions}."
    )


def write_report(walls: dict[str, list[float]], stages: dict[str, list[dict[str, float]]]) -> None:
    """Write the results page, which opens with what follows from it."""
    medians = {name: statistics.median(times) for name, times in walls.items()}
    enough, verdict = ("is", "within") if max(medians.values()) < TARGET else ("is not", "over")
    both = " and ".join(f"{seconds:.2f} s to {name}" for name, seconds in medians.items())
    first = next(iter(stages))
    typical = {name: statistics.median(run[name] for run in stages[first]) for name in stages[first][0]}
    largest = max(typical, key=lambda name: typical[name])
    lines = [
        "# Cold start of `harmonizer run`",
        "",
        f"**Decision.** One process a picture {enough} enough for the command line: a {SIZE[0]} x {SIZE[1]} "
        f"photograph takes {both}, {verdict} the {TARGET} s "
        f'that were the target. What to speed up next is "{largest}", {typical[largest]:.2f} s of it.',
        "",
        describe_machine(),
        f"Median and range over {len(walls[first])} fresh processes each, the file cache warm; seconds.",
        "",
        "| | " + " | ".join(walls) + " |",
        "|---|" + "---|" * len(walls),
        "| **whole command** | " + " | ".join(f"**{spread(times)}**" for times in walls.values()) + " |",
    ]
    for name in (STARTUP, IMPORTS, *STAGES, EXIT, REST):
        cells = (spread([run[name] for run in runs]) for runs in stages.values())
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    lines += [
        "",
        "The stages come from a second process with a clock around each call, so their sum is not exactly the whole; a "
        "library that is imported at its first use counts to the stage that uses it.",
        "",
    ]
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text("\n".join(lines))


def main() -> None:
    """Measure JPEG and PNG output and write the results page."""
    from PIL import Image  # here, so that the clocked process does not import it before its time

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--weights", help="a checkpoint folder instead of the one shipped")
    options = parser.parse_args()
    weights = ["--weights", options.weights] if options.weights else []
    walls: dict[str, list[float]] = {"JPEG": [], "PNG": []}
    stages: dict[str, list[dict[str, float]]] = {name: [] for name in walls}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name in ("composite.jpg", "mask.png"):
            with Image.open(ROOT / "demo" / name) as image:
                image.resize(SIZE, Image.Resampling.BICUBIC).save(folder / name, quality=95)
        measure(folder, "warm.jpg", weights)
        for _ in range(options.repeats):
            for name, times in walls.items():
                wall, clocked = measure(folder, f"out.{name.lower()}", weights)
                times.append(wall)
                stages[name].append(clocked)
    write_report(walls, stages)
    print(RESULTS.read_text())


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(float(sys.argv[2]), Path(sys.argv[3]), sys.argv[4:])
    else:
        main()
