"""A checkpoint small enough to write in a test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import whitebox_filters as wf

SIZE = 8


def write_model(path: Path, *, filters: int = 6, gain: float = 2.0, size: int = SIZE) -> None:
    """theta = tanh(gain * (mean of the background - mean of the foreground) @ fixed weights)."""
    weights = np.linspace(-1, 1, 3 * filters, dtype=np.float32).reshape(3, filters) * np.float32(gain)
    nodes = [
        helper.make_node("Mul", ["composite", "mask"], ["foreground"]),
        helper.make_node("Sub", ["composite", "foreground"], ["background"]),
        helper.make_node("Sub", ["background", "foreground"], ["difference"]),
        helper.make_node("ReduceMean", ["difference", "axes"], ["feature"], keepdims=0),
        helper.make_node("MatMul", ["feature", "weights"], ["raw"]),
        helper.make_node("Tanh", ["raw"], ["theta"]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [
            helper.make_tensor_value_info("composite", TensorProto.FLOAT, ["n", 3, size, size]),
            helper.make_tensor_value_info("mask", TensorProto.FLOAT, ["n", 1, size, size]),
        ],
        [helper.make_tensor_value_info("theta", TensorProto.FLOAT, ["n", filters])],
        [
            numpy_helper.from_array(np.array([2, 3], np.int64), "axes"),
            numpy_helper.from_array(weights, "weights"),
        ],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10), path)


def write_checkpoint(folder: Path, **changes: Any) -> Path:
    """A whole checkpoint; `changes` replace keys of its config.json."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "format": 1,
        "registry_version": 1,
        "filters": list(wf.DEFAULT_FILTERS),
        "encoder": "tiny",
        "regressor": "cascade",
        "input_size": SIZE,
        "theta_range": [-1, 1],
    }
    (folder / "config.json").write_text(json.dumps(config | changes))
    write_model(folder / "model.onnx")
    return folder
