"""Frames a second of prediction, filters and the whole of `harmonizer video`, beside the plain way in eager torch.

From the repository root: python benchmarks/video.py --data DIR, where DIR holds davis, photos, iharmony4_sample and
webcam. Writes benchmarks/results/video.md; no picture of the data is in it. Needs the extras `bench`, `train`, `video`
and `openvino`, and a machine with nothing else to do, for some minutes.
"""

from __future__ import annotations

import argparse
import functools
import json
import shlex
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from fps.cases import FULL, QUARTER, Size, mask, photo
from fps.clock import measure
from fps_vs_filters import child, write
from video_speed import encoders, limits, quality, work
from video_speed.cases import B0, DEFAULT, OURS, PLAIN, SHIPPED, SIDE, Case, Results, Whole
from video_speed.clip import describe, make_clip
from video_speed.networks import prepare
from video_speed.page import page
from video_speed.plain import Plain

from harmonizer import EngineError, Harmonizer
from harmonizer.evaluation.bench import time_frames
from harmonizer.learning.network.network import Network
from whitebox_filters.native import cores

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "video.md"
SIZE, QUICK_SIZE = (1920, 1080), (320, 180)
FRAMES, QUICK_FRAMES = 168, 8  # of the clip
SIDE_BY_SIDE = 24  # frames in a round
WORKED = 24  # frames of the table of stages, which are all in memory at once

Harmonizers = dict[str, dict[str, Harmonizer]]  # by network and contender


def open_all(results: Results, folders: dict[str, dict[str, Path]]) -> Harmonizers:
    """Every network in every engine that runs here."""
    found: Harmonizers = {network: {} for network in folders}
    for network, files in folders.items():
        for name, contender in OURS.items():
            try:
                found[network][name] = Harmonizer.load(files[contender.file], contender.engine)
            except EngineError as error:
                print(f"{name} is left out: {error}", flush=True)
            else:
                results.bytes[network, name] = (files[contender.file] / "model.onnx").stat().st_size
    return found


def time_frames_of_all(results: Results, ours: Harmonizers, plain: dict[str, Plain], rounds: int) -> None:
    """Predict and filter, and predictions alone, by turns."""
    frame, out = photo(results.size), np.empty((results.size[1], results.size[0], 3), np.uint8)
    masks = {name: mask(name, results.size) for name in (FULL, QUARTER)}
    runs: dict[Any, Callable[[], Any]] = {}
    predictions: dict[Any, Callable[[], Any]] = {}
    for network, engines in ours.items():
        inputs = engines[DEFAULT].predictor.prepare(frame, masks[QUARTER])
        predictions[network, PLAIN] = functools.partial(predict_plainly, plain[network].network, *inputs)
        for name, harmonizer in engines.items():
            predictions[network, name] = functools.partial(harmonizer.predictor.predict_prepared, *inputs)
        for opacity, alpha in masks.items():
            runs[Case(network, opacity, PLAIN)] = functools.partial(plain[network], frame, alpha)
            for name, harmonizer in engines.items():
                runs[Case(network, opacity, name)] = functools.partial(harmonize, harmonizer, frame, alpha, out)
    print("predict and filter", flush=True)
    results.seconds = measure(runs, rounds, lambda _: 0.0)[0]
    results.network_seconds = measure(predictions, rounds, lambda _: 0.0)[0]
    for network, engines in ours.items():
        for opacity, alpha in masks.items():
            results.stages[network, opacity] = time_frames(engines[DEFAULT], frame, alpha, 10 * rounds)


def time_side_by_side(results: Results, folders: dict[str, dict[str, Path]], rounds: int) -> None:
    """A frame on each core at once, and what one prediction by one thread takes beside what it asks for."""
    print("side by side", flush=True)
    frame = photo(results.size)
    results.peak = limits.core_peak()
    for network, files in folders.items():
        for name in SIDE:
            file, engine = files[OURS[name].file], OURS[name].engine
            # One for each core: requests to one of OpenVINO would wait for each other.
            harmonizers = [Harmonizer.load(file, engine, threads=1) for _ in range(cores.count())]
            for opacity in (FULL, QUARTER):
                alpha = mask(opacity, results.size)
                results.side[Case(network, opacity, name)] = [
                    limits.side_by_side(harmonizers, frame, alpha, SIDE_BY_SIDE) for _ in range(rounds)
                ]
            if name == DEFAULT:
                predictor = harmonizers[0].predictor
                predict = functools.partial(predictor.predict_prepared, *predictor.prepare(frame, alpha))
                results.asked[network] = limits.ask(file / "model.onnx", predict)


def harmonize(harmonizer: Harmonizer, frame: Any, alpha: Any, out: Any) -> None:
    """What the pipeline does with a frame, into a buffer that is there already."""
    harmonizer.plan(frame, harmonizer.predictor.predict(frame, alpha), alpha, out)


@torch.no_grad()
def predict_plainly(network: Network, composite: Any, opacity: Any) -> None:
    """Eager torch, from thumbnails."""
    network(torch.from_numpy(composite), torch.from_numpy(opacity))


def run_whole(
    results: Results, folders: dict[str, dict[str, Path]], folder: Path, clips: tuple[Path, Path], repeats: int
) -> None:
    """Each run in a fresh process, by turns; the plain way, which is slow and steady, once."""
    for turn in range(repeats):
        for network, files in folders.items():
            for name in (DEFAULT, PLAIN) if turn == 0 else (DEFAULT,):
                print(f"whole pipeline: {network}, {name}", flush=True)
                kind, output = PLAIN if name == PLAIN else "ours", folder / "out.mp4"
                # Under its own name, B0's weights lie beside model.onnx, where the plain way finds them.
                told = child("-m", "video_speed.whole", kind, *map(str, (files["float32"], *clips, output)))
                results.whole.setdefault((network, name), []).append(Whole(**json.loads(told)))


def main() -> None:
    """Measure, then write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, required=True, help="the folder of davis, photos, iharmony4_sample, webcam"
    )
    parser.add_argument("--quick", action="store_true", help="a try: tiny frames, few of all, no B0")
    parser.add_argument("--rounds", type=int, help="turns of each contender; 7, with --quick 1")
    parser.add_argument("--repeats", type=int, help="runs of the whole pipeline; 3, with --quick 1")
    parser.add_argument("--out", type=Path, default=RESULTS, help="the page")
    options = parser.parse_args()
    size: Size = QUICK_SIZE if options.quick else SIZE
    names = (SHIPPED,) if options.quick else (B0, SHIPPED)
    given = ["DIR" if word == str(options.data) else word for word in sys.argv[1:]]  # a place on this machine alone
    results = Results(size, shlex.join(["python", "benchmarks/video.py", *given]), names)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        print("networks and clip", flush=True)
        networks, folders = prepare(names, folder, options.data / "photos")
        clips = make_clip(options.data / "davis", folder, size, QUICK_FRAMES if options.quick else FRAMES)
        results.clip = describe(clips[0])
        ours = open_all(results, folders)
        plain = {name: Plain(network) for name, network in networks.items()}
        time_frames_of_all(results, ours, plain, options.rounds or (1 if options.quick else 7))
        time_side_by_side(results, folders, options.rounds or (1 if options.quick else 7))
        run_whole(results, folders, folder, clips, options.repeats or (1 if options.quick else 3))
        worked = QUICK_FRAMES if options.quick else WORKED
        results.work = work.measure(ours[SHIPPED][DEFAULT], *clips, worked)
        results.encoders = encoders.measure(clips[0], worked)
        print("quality", flush=True)
        sets = quality.read_sets(options.data, 2 if options.quick else None)
        results.pictures = {title: len(samples) for title, samples in sets.items()}
        results.quality = quality.measure(ours[SHIPPED], sets)
    write(page(results), options.out)
    print(options.out.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
