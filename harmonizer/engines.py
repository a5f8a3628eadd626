"""What runs a checkpoint's network: ONNX Runtime, or OpenVINO where it is installed."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from harmonizer.errors import CheckpointError, EngineError

Floats = npt.NDArray[np.float32]
Run = Callable[[Floats, Floats], Floats]
"""A composite (1, 3, S, S) and its mask (1, 1, S, S), both in [0, 1], to theta (1, k). Threads may share it."""
Shapes = dict[str, list[int]]
"""Of inputs and outputs by name, behind the batch axis."""

# The network is small: more threads than this only wait for one another.
MAX_THREADS = 4


class EngineName(StrEnum):
    """The engines on offer, and in what arithmetic they run; benchmarks/results/video.md compares them."""

    onnxruntime = "onnxruntime"
    openvino = "openvino"
    openvino_bf16 = "openvino-bf16"


def open_engine(name: EngineName | str, path: Path, expected: Shapes, threads: int | None = None) -> Run:
    """Load an ONNX file whose inputs composite and mask and output theta have these shapes.

    A prediction takes so many `threads`, by default the cores there are, up to 4.
    Raises CheckpointError for a file that is damaged or has others, EngineError for an engine that cannot run here.
    """
    if name not in list(EngineName):
        raise EngineError(f"no engine is named {name!r}; there are {', '.join(EngineName)}")
    threads = threads or min(MAX_THREADS, os.cpu_count() or 1)
    if name == EngineName.onnxruntime:
        return _open_onnxruntime(path, expected, threads)
    return _open_openvino(path, expected, threads, "bf16" if name == EngineName.openvino_bf16 else "f32")


def _open_onnxruntime(path: Path, expected: Shapes, threads: int) -> Run:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what is wrong is raised; the log would say it a second time on stderr
    options.intra_op_num_threads = threads
    # Threads that spin after a run take the cores from the filters, which come next; within one they save a fifth.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    try:
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors have no public base class
        raise _damaged(path, str(error).splitlines()[:1]) from error
    nodes = [*session.get_inputs(), *session.get_outputs()]
    _check_shapes(path, {node.name: node.shape[1:] for node in nodes}, expected)

    def run(composite: Floats, mask: Floats) -> Floats:
        theta: Floats = session.run(["theta"], {"composite": composite, "mask": mask})[0]
        return theta

    return run


def _open_openvino(path: Path, expected: Shapes, threads: int, precision: str) -> Run:
    try:
        import openvino
        from openvino.frontend import FrontEndManager
    except ImportError as error:
        raise EngineError("engine openvino is not installed; pip install 'whitebox-harmonizer[openvino]'") from error
    core = openvino.Core()
    if precision.upper() not in ["F32", *core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")]:
        raise EngineError(f"this processor has no arithmetic in {precision}; choose the engine openvino")
    try:
        reader = FrontEndManager().load_by_framework("onnx")  # or it tries a file in all formats that it knows
        model = reader.convert(reader.load(str(path)))
        nodes = [*model.inputs, *model.outputs]
        found = {node.any_name: [int(size) for size in node.partial_shape.get_max_shape()][1:] for node in nodes}
    except Exception as error:  # nor have OpenVINO's
        raise _damaged(path, str(error).splitlines()[-1:]) from error
    _check_shapes(path, found, expected)
    model.reshape({name: [1, *expected[name]] for name in ("composite", "mask")})
    hints = {
        "INFERENCE_PRECISION_HINT": precision,
        "INFERENCE_NUM_THREADS": threads,
        "PERFORMANCE_HINT": "LATENCY",
        "ENABLE_CPU_PINNING": threads > 1,  # or networks of one thread, side by side, share the first core
    }
    compiled = core.compile_model(model, "CPU", hints)
    own = threading.local()

    def run(composite: Floats, mask: Floats) -> Floats:
        if not hasattr(own, "request"):
            own.request = compiled.create_infer_request()  # threads must not share one
        inputs = {"composite": np.ascontiguousarray(composite), "mask": np.ascontiguousarray(mask)}
        for name, values in inputs.items():  # they are read where they are
            own.request.set_tensor(name, openvino.Tensor(values, shared_memory=True))
        own.request.infer()
        return np.array(own.request.get_tensor("theta").data, np.float32)

    return run


def _damaged(path: Path, reason: Sequence[str]) -> CheckpointError:
    return CheckpointError(f"{path} cannot be loaded: {' '.join(reason)}. Get the checkpoint again")


def _check_shapes(path: Path, found: Mapping[str, Any], expected: Shapes) -> None:
    if found != expected:
        raise CheckpointError(
            f"{path} has inputs and outputs {found} behind the batch axis; its config.json asks for {expected}. "
            "The two do not belong together; get the checkpoint again"
        )
