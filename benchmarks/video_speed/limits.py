"""What a network asks of the cores, and how many frames a second they give if each works on a frame of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from fps.clock import clock

from harmonizer import Harmonizer
from video_speed.cases import Asked, Whole

REPEATS = 20
SIDE = 1024  # of the matrices


def core_peak() -> float:
    """Multiply-adds of float32 a second that one core reaches in a matrix product."""
    matrix, threads = torch.rand(SIDE, SIDE), torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        matrix @ matrix
        return float(SIDE**3 / min(clock(lambda: matrix @ matrix) for _ in range(REPEATS)))
    finally:
        torch.set_num_threads(threads)


def ask(path: Path, predict: Callable[[], Any]) -> Asked:
    """What the network in an ONNX file asks for, and what one thread, in `predict`, takes for it at best."""
    predict()
    return Asked(multiply_adds(path), min(clock(predict) for _ in range(REPEATS)))


def multiply_adds(path: Path) -> int:
    """Of the convolutions, which are nearly all."""
    graph = onnx.shape_inference.infer_shapes(onnx.load(path)).graph
    shapes = {each.name: [size.dim_value or 1 for size in each.type.tensor_type.shape.dim] for each in graph.value_info}
    shapes |= {each.name: list(each.dims) for each in graph.initializer}
    # Each output value is a sum over the kernel and the channels that it sees.
    return sum(
        int(np.prod(shapes[node.output[0]]) * np.prod(shapes[node.input[1]][1:]))
        for node in graph.node
        if node.op_type == "Conv"
    )


def side_by_side(harmonizers: Sequence[Harmonizer], frame: Any, alpha: Any, frames: int) -> Whole:
    """Predict and filter on as many frames at once as there are harmonizers, whose networks have a thread each."""

    def harmonize(harmonizer: Harmonizer, count: int) -> None:
        out = np.empty_like(frame)
        for _ in range(count):
            harmonizer.plan(frame, harmonizer.predictor.predict(frame, alpha), alpha, out)

    count = -(-frames // len(harmonizers))
    with ThreadPoolExecutor(len(harmonizers)) as pool:
        list(pool.map(lambda each: harmonize(each, 1), harmonizers))
        start, before = time.perf_counter(), time.process_time()
        list(pool.map(lambda each: harmonize(each, count), harmonizers))
        frames = count * len(harmonizers)
        return Whole(frames, time.perf_counter() - start, time.process_time() - before, 0)
