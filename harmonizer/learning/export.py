"""From trained weights to the files that the package ships."""

from __future__ import annotations

from pathlib import Path

import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from harmonizer.learning import model
from harmonizer.learning.model import Network

OPSET = 20


def export(checkpoint: Path, directory: Path) -> None:
    """Write what `write` does for the network trained into `checkpoint`. Raises CheckpointError."""
    write(model.load(checkpoint), directory)


def write(network: Network, directory: Path) -> None:
    """Make a directory that holds all of a checkpoint: config.json, model.safetensors and model.onnx."""
    directory.mkdir(parents=True, exist_ok=True)
    model.save(network, directory)
    export_onnx(network, directory / "model.onnx")


def export_onnx(network: Network, path: Path) -> None:
    """Write `network` as ONNX: composite (N, channels, S, S), mask (N, 1, S, S) -> theta (N, k), all float32.

    Weights are stored as float16 and cast when the session is made, which halves the file and costs nothing a
    run (ONNX Runtime folds the casts).
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
    )
    graph = onnx.load(part)
    _forget_origin(graph)
    _halve(graph)
    onnx.checker.check_model(graph)
    onnx.save(graph, part)
    part.replace(path)


def _forget_origin(model: onnx.ModelProto) -> None:
    """Drop what the exporter notes of the source of every node: stack traces with the paths of the machine."""
    for part in (model.graph, *model.graph.node, *model.graph.value_info, *model.graph.initializer):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")


def _halve(model: onnx.ModelProto, least: int = 256) -> None:
    """Store every float32 weight of at least `least` values as float16, with a Cast before its use."""
    graph = model.graph
    casts = []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if tensor.data_type != TensorProto.FLOAT or values.size < least:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype("float16"), f"{name}.half"))
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
