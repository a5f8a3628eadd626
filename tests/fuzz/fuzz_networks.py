"""Small valid checkpoints: ONNX, safetensors, the released .pth; and crafted ones."""

from __future__ import annotations

import io
import json
import os
import struct
import tempfile
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from fuzz_texts import CONFIG, NESTED, ODD
from onnx import TensorProto, helper, numpy_helper

SIZE = 8


def onnx_models() -> list[bytes]:
    """A network of 8 x 8 pixels and six filters: theta = tanh(mean of the composite @ weights)."""
    weights = np.linspace(-1, 1, 18, dtype=np.float32).reshape(3, 6)
    nodes = [
        helper.make_node("Mul", ["composite", "mask"], ["foreground"]),
        helper.make_node("ReduceMean", ["foreground", "axes"], ["feature"], keepdims=0),
        helper.make_node("MatMul", ["feature", "weights"], ["raw"]),
        helper.make_node("Tanh", ["raw"], ["theta"]),
    ]
    return [_model(nodes, [numpy_helper.from_array(weights, "weights")])]


def bad_onnx_models() -> list[bytes]:
    """Weights in other files, tensors that lie about their size, and networks that fail only when they run."""
    outside = numpy_helper.from_array(np.zeros((3, 6), np.float32), "weights")
    outside.ClearField("raw_data")
    outside.data_location = TensorProto.EXTERNAL
    outside.external_data.add(key="location", value="../../../../../../etc/passwd")
    short = numpy_helper.from_array(np.zeros((3, 6), np.float32), "weights")
    short.dims[0] = 2**40
    mean = [
        helper.make_node("Mul", ["composite", "mask"], ["foreground"]),
        helper.make_node("ReduceMean", ["foreground", "axes"], ["feature"], keepdims=0),
    ]
    product = [*mean, helper.make_node("MatMul", ["feature", "weights"], ["theta"])]
    zeros = numpy_helper.from_array(np.zeros((3, 6), np.float32), "weights")
    huge = numpy_helper.from_array(np.array([1, 6, 2**36], np.int64), "huge")
    fails = [
        *mean,
        helper.make_node("ConstantOfShape", ["huge"], ["much"]),
        helper.make_node("ReduceSum", ["much", "last"], ["theta"], keepdims=0),
    ]
    gather = [
        *mean,
        helper.make_node("Gather", ["feature", "beyond"], ["some"], axis=1),
        helper.make_node("MatMul", ["some", "weights"], ["theta"]),
    ]
    last = numpy_helper.from_array(np.array([2], np.int64), "last")
    beyond = numpy_helper.from_array(np.array([0, 1, 2**40], np.int64), "beyond")
    loud = numpy_helper.from_array(np.full((3, 6), np.inf, np.float32), "weights")
    return [
        _model(product, [outside]), _model(product, [short]), _model(fails, [huge, last]),
        _model(gather, [beyond, zeros]),
        _model(product, [loud]), _model(product, []), *ODD,
    ]  # fmt: skip


def _model(nodes: list[Any], initializers: list[Any]) -> bytes:
    float32 = TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "small",
        [
            helper.make_tensor_value_info("composite", float32, ["n", 3, SIZE, SIZE]),
            helper.make_tensor_value_info("mask", float32, ["n", 1, SIZE, SIZE]),
        ],
        [helper.make_tensor_value_info("theta", float32, ["n", 6])],
        [numpy_helper.from_array(np.array([2, 3], np.int64), "axes"), *initializers],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    return bytes(model.SerializeToString())


@cache
def trained() -> tuple[bytes, bytes]:
    """config.json and model.safetensors of a network with the smallest encoder that timm has."""
    from harmonizer.learning.network.checkpoint import save
    from harmonizer.learning.network.config import NetworkConfig
    from harmonizer.learning.network.network import Network

    with tempfile.TemporaryDirectory() as folder:
        save(Network(NetworkConfig(encoder="test_efficientnet", histograms=False, input_size=64)), Path(folder))
        return Path(folder, "config.json").read_bytes(), Path(folder, "model.safetensors").read_bytes()


def tensors() -> list[bytes]:
    return [trained()[1]]


def bad_tensors() -> list[bytes]:
    """Headers that are too long, nested, or tell of tensors that overlap, lie outside, or are huge."""
    whole = trained()[1]
    size = int.from_bytes(whole[:8], "little")
    header = json.loads(whole[8 : 8 + size])
    body = whole[8 + size :]
    name = next(name for name in header if name != "__metadata__")
    files = [struct.pack("<Q", length) + whole[8:] for length in (0, 1, 2**31, 2**40, 2**63, 2**64 - 1)]
    for change in (
        {"shape": [2**40]}, {"shape": [-1]}, {"data_offsets": [0, 2**62]}, {"data_offsets": [8, 0]}, {"dtype": "F8"},
        {"dtype": "I64"}, {"shape": []}, {"shape": [0]},
    ):  # fmt: skip
        text = json.dumps(header | {name: header[name] | change}).encode()
        files.append(struct.pack("<Q", len(text)) + text + body)
    return [*files, *(struct.pack("<Q", len(each)) + each for each in NESTED), *ODD]


def released() -> list[bytes]:
    import torch

    import harmonizer.learning.convert  # noqa: F401 # torch takes seconds to import, which count for no input

    names = ("backbone._conv_head.weight", "regressor.f.bias", "module.backbone._blocks.0.a")
    files = []
    for zipped in (True, False):
        sink = io.BytesIO()
        torch.save({name: torch.zeros(2, 3) for name in names}, sink, _use_new_zipfile_serialization=zipped)
        files.append(sink.getvalue())
    return files


class _Runs:
    """What a pickle runs as it is read, if the reader lets it."""

    def __init__(self, place: str) -> None:
        self.place = place

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.place,)


def bad_released() -> list[bytes]:
    import pickle

    import torch

    sink = io.BytesIO()
    torch.save({"a": _Runs("/tmp/an-unpickled-file-ran-code")}, sink)
    return [sink.getvalue(), pickle.dumps(_Runs("/tmp/an-unpickled-file-ran-code")), pickle.dumps({"a": 1}), *ODD]


def training_configs() -> list[bytes]:
    return [trained()[0]]


def bad_training_configs() -> list[bytes]:
    """Networks that are huge, empty, or come from elsewhere."""
    from harmonizer.learning.network.config import NetworkConfig

    fields = json.loads(json.dumps(asdict(NetworkConfig(encoder="test_efficientnet", histograms=False))))
    values: list[Any] = [10**400, 10**9, 100_000, -1, 0, 1.5, "1", None, [], {}, True, float("nan")]
    documents = [fields | {key: value} for key in fields for value in values]
    documents += [
        fields | {"pooling": "attention", key: value}
        for key in ("attention_width", "attention_layers")
        for value in values
    ]
    places = (
        "hf-hub:timm/resnet18.a1_in1k",
        "hf_hub:a/b",
        "local-dir:/etc",
        "../../etc/passwd",
        "timm/resnet18",
        "resnet18.nothing",
    )
    documents += [fields | {"encoder": place} for place in places]
    return [*(json.dumps(CONFIG | document).encode() for document in documents), *NESTED, *ODD]
