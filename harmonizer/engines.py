"""What runs a network from an ONNX file, by the names of its inputs and outputs: ONNX Runtime, or OpenVINO."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from harmonizer.errors import CheckpointError, EngineError

Array = npt.NDArray[Any]
Run = Callable[[Mapping[str, Array]], dict[str, Array]]
"""Inputs by name to outputs by name, each with a batch axis of length 1 first. Threads may share it."""
Shapes = Mapping[str, Sequence[int]]
"""Shapes by name, without the batch axis."""

# Our networks are small: more threads than this only wait for one another.
MAX_THREADS = 4


class EngineName(StrEnum):
    """The engines, and in what arithmetic they run; benchmarks/results/video.md compares them."""

    onnxruntime = "onnxruntime"
    openvino = "openvino"
    openvino_bf16 = "openvino-bf16"


def open_engine(name: EngineName | str, path: Path, inputs: Shapes, outputs: Shapes, threads: int | None = None) -> Run:
    """Load an ONNX file that has exactly these inputs and outputs.

    A run takes so many `threads`, by default the number of cores, up to 4. It can be pickled: another process then
    loads the same file.
    Raises CheckpointError for a file that is damaged or has other inputs or outputs, EngineError for an engine that
    is unknown or cannot run here. A run raises CheckpointError for a network that fails.
    """
    if name not in list(EngineName):
        raise EngineError(f"no engine is named {name!r}; there are {', '.join(EngineName)}")
    cores = threads or min(MAX_THREADS, os.cpu_count() or 1)
    if name == EngineName.onnxruntime:
        run = _open_onnxruntime(path, inputs, outputs, cores)
    else:
        run = _open_openvino(path, inputs, outputs, cores, "bf16" if name == EngineName.openvino_bf16 else "f32")
    return _ReopenedRun(run, (str(name), path.absolute(), dict(inputs), dict(outputs), threads))


class _ReopenedRun:
    """A run, and the arguments by which another process opens it."""

    def __init__(self, run: Run, arguments: tuple[Any, ...]) -> None:
        self._run, self._arguments = run, arguments

    def __call__(self, arrays: Mapping[str, Array]) -> dict[str, Array]:
        return self._run(arrays)

    def __reduce__(self) -> tuple[Any, ...]:
        return open_engine, self._arguments


def _open_onnxruntime(path: Path, inputs: Shapes, outputs: Shapes, threads: int) -> Run:
    # ONNX Runtime reads this as it is imported; without it, it reports to its makers what runs where.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what is wrong is raised; the log would say it a second time on stderr
    options.intra_op_num_threads = threads
    # Threads that spin after a run take the cores from the filters, which come next; within one they save a fifth.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    try:
        # The fallback would print errors on standard output and try the same again.
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"], enable_fallback=False)
        # Names of sizes may be no text.
        actual_inputs, actual_outputs = (
            {node.name: node.shape[1:] for node in nodes} for nodes in (session.get_inputs(), session.get_outputs())
        )
    except Exception as error:  # ONNX Runtime's errors have no public base class
        raise _damaged(path, str(error).splitlines()[:1]) from error
    _check_shapes(path, "inputs", actual_inputs, inputs)
    _check_shapes(path, "outputs", actual_outputs, outputs)
    names = list(outputs)

    def run(arrays: Mapping[str, Array]) -> dict[str, Array]:
        try:
            return dict(zip(names, session.run(names, dict(arrays)), strict=True))
        except Exception as error:  # as above
            raise _failed(path, str(error).splitlines()[:1]) from error

    return run


def _open_openvino(path: Path, inputs: Shapes, outputs: Shapes, threads: int, precision: str) -> Run:
    # OpenVINO asks for this package as it is imported, to report to its makers and to keep an id in the user's folder;
    # without it, it does neither.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
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
        actual_inputs, actual_outputs = (
            {node.any_name: [int(size) for size in node.partial_shape.get_max_shape()][1:] for node in nodes}
            for nodes in (model.inputs, model.outputs)
        )
    except Exception as error:  # nor have OpenVINO's
        raise _damaged(path, str(error).splitlines()[-1:]) from error
    _check_shapes(path, "inputs", actual_inputs, inputs)
    _check_shapes(path, "outputs", actual_outputs, outputs)
    hints = {
        "INFERENCE_PRECISION_HINT": precision,
        "INFERENCE_NUM_THREADS": threads,
        "PERFORMANCE_HINT": "LATENCY",
        "ENABLE_CPU_PINNING": threads > 1,  # or networks of one thread, side by side, share the first core
    }
    try:
        model.reshape({name: [1, *shape] for name, shape in inputs.items()})
        compiled = core.compile_model(model, "CPU", hints)
    except Exception as error:  # as above
        raise _damaged(path, str(error).splitlines()[-1:]) from error
    local = threading.local()

    def run(arrays: Mapping[str, Array]) -> dict[str, Array]:
        if not hasattr(local, "request"):
            local.request = compiled.create_infer_request()  # threads must not share one
        rows = {name: np.ascontiguousarray(values) for name, values in arrays.items()}
        for name, values in rows.items():  # they are read where they are
            local.request.set_tensor(name, openvino.Tensor(values, shared_memory=True))
        try:
            local.request.infer()
        except Exception as error:  # as above
            raise _failed(path, str(error).splitlines()[-1:]) from error
        return {name: np.array(local.request.get_tensor(name).data) for name in outputs}

    return run


def _damaged(path: Path, reason: Sequence[str]) -> CheckpointError:
    return CheckpointError(f"{path} cannot be loaded: {' '.join(reason)}. Get the checkpoint again")


def _failed(path: Path, reason: Sequence[str]) -> CheckpointError:
    return CheckpointError(f"the network {path} fails as it runs: {' '.join(reason)}. Get the checkpoint again")


def _check_shapes(path: Path, role: str, actual: Mapping[str, Any], expected: Shapes) -> None:
    if actual != {name: list(shape) for name, shape in expected.items()}:
        raise CheckpointError(
            f"{path} has the {role} {actual} after the batch axis; its config.json asks for {dict(expected)}. "
            "The two do not belong together; get the checkpoint again"
        )
