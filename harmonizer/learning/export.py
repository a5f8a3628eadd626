"""Turns a trained network into the files that the package ships."""

from __future__ import annotations

from pathlib import Path

import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from onnxscript import optimizer

from harmonizer.learning.network import checkpoint as checkpoints
from harmonizer.learning.network.network import Network

OPSET = 20
LARGE = 256  # values of a tensor, from which on it is stored as float16


def export(checkpoint: Path, directory: Path) -> None:
    """Make a checkpoint folder of the network in another folder. Raises CheckpointError."""
    write(checkpoints.load(checkpoint), directory)


def write(network: Network, directory: Path) -> None:
    """Make a checkpoint folder: config.json, model.safetensors and model.onnx."""
    directory.mkdir(parents=True, exist_ok=True)
    checkpoints.save(network, directory)
    export_onnx(network, directory / "model.onnx")


def export_onnx(network: Network, path: Path) -> None:
    """Write `network` as ONNX: composite (N, channels, S, S), mask (N, 1, S, S) -> theta (N, k), all float32.

    Weights are stored as float16 and cast when a session is created, which halves the file and costs no time in a run
    (ONNX Runtime folds the casts).
    """
    network = network.eval()
    size = network.config.input_size
    inputs = torch.zeros(2, network.config.channels, size, size), torch.zeros(2, 1, size, size)
    batch = {0: torch.export.Dim.DYNAMIC}
    part = path.with_suffix(".part")
    torch.onnx.export(
        network,
        inputs,
        str(part),
        input_names=["composite", "mask"],
        output_names=["theta"],
        dynamic_shapes=(batch, batch),
        opset_version=OPSET,
        dynamo=True,
        verbose=False,
        external_data=False,
        optimize=False,
    )
    model = onnx.load(part)
    _store_as_float16(model)
    # A fold of batch normalization into weights that are then rounded would change theta by 1e-3. Engines fold too, but
    # in float32.
    model = optimizer.optimize(model, input_size_limit=LARGE - 1)
    _strip_metadata(model)
    onnx.checker.check_model(model)
    onnx.save(model, part)
    part.replace(path)


def _strip_metadata(model: onnx.ModelProto) -> None:
    """Remove the exporter's notes about each node, which hold stack traces with paths of this machine."""
    for part in (model.graph, *model.graph.node, *model.graph.value_info, *model.graph.initializer):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")


def _store_as_float16(model: onnx.ModelProto) -> None:
    """Store every LARGE float32 matrix and kernel as float16, with a Cast before its use; vectors stay."""
    graph = model.graph
    casts = []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if tensor.data_type != TensorProto.FLOAT or values.ndim < 2 or values.size < LARGE:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype("float16"), f"{name}.half"))
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
