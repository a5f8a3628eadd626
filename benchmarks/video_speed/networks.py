"""The networks that are timed, as checkpoint folders: the shipped one and EfficientNet-B0, in float32 and int8."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from fps.cases import photo
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

from harmonizer.evaluation.held_out import is_held_out
from harmonizer.learning import export
from harmonizer.learning.convert import RELEASED
from harmonizer.learning.network import checkpoint
from harmonizer.learning.network.network import Network
from harmonizer.pictures import io
from harmonizer.predictor import WEIGHTS, read_config
from harmonizer.thumbnail import thumbnail
from video_speed.cases import B0, FLOAT32, INT8, SHIPPED
from whitebox_filters import Cascade, Prior

CALIBRATION = 50  # composites
TOGETHER = 8  # so many are in memory at once; some must be left over for the last time, or the calibrator finds none


def make_b0() -> Network:
    """The released network's architecture with random weights, whose activations keep the scale of trained ones.

    What it says of photographs is as large as what trained ones say: theta at its ends takes filters longer.
    """
    torch.manual_seed(0)
    network = Network(RELEASED).train()
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.momentum = None  # an average over what follows
    with torch.no_grad():
        network(_variants(), torch.rand(4, 1, 256, 256))
        for name, weight in network.regressor.named_parameters():
            if name.startswith("outputs.") and name.endswith(".weight"):
                torch.nn.init.normal_(weight, std=0.05)
    return network.eval()


def _variants() -> torch.Tensor:
    """A photograph in four ways: what noise makes of the layers says nothing of what photographs make of them."""
    picture = torch.from_numpy(thumbnail(photo((512, 512)), 256))
    return torch.stack([picture, picture.flip(2), picture**2, picture.sqrt().flip(1)])


def prepare(
    names: tuple[str, ...], folder: Path, photos: Path
) -> tuple[dict[str, Network], dict[str, dict[str, Path]]]:
    """Each network for torch, and its checkpoint folders by precision; new ones lie in `folder`."""
    networks, folders = {}, {}
    for name in names:
        if name == SHIPPED:
            networks[name], source = checkpoint.load(WEIGHTS).eval(), WEIGHTS
        else:
            networks[name], source = make_b0(), folder / B0
            export.write(networks[name], source)
        folders[name] = {FLOAT32: source, INT8: folder / f"{name}_int8"}
        quantize(source, folders[name][INT8], photos)
    return networks, folders


def quantize(source: Path, target: Path, photos: Path) -> None:
    """The same checkpoint with convolutions in 8 bits, static, by the ranges that composites of `photos` give."""
    target.mkdir()
    shutil.copy(source / "config.json", target)
    folded = target / "folded.onnx"  # weights as the engine has them, without casts from float16
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(folded)
    options.log_severity_level = 4
    onnxruntime.InferenceSession(source / "model.onnx", options, providers=["CPUExecutionProvider"])
    quantize_static(
        folded,
        target / "model.onnx",
        Composites(photos, read_config(source / "config.json").input_size),
        quant_format=QuantFormat.QDQ,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        per_channel=True,
        nodes_to_quantize=_convolutions(folded),
        extra_options={"CalibMaxIntermediateOutputs": TOGETHER},
    )
    folded.unlink()


def _convolutions(path: Path) -> list[str]:
    """Convolutions and the activations behind them, by name; what measures tones needs its digits."""
    nodes = onnx.load(path).graph.node
    made = {output for node in nodes if node.op_type == "Conv" for output in node.output}
    return [
        node.name
        for node in nodes
        if node.op_type == "Conv" or (node.op_type in ("Clip", "Relu") and node.input[0] in made)
    ]


class Composites(CalibrationDataReader):  # type: ignore[misc]
    """Photographs that training may see, their foregrounds distorted by Eq. 8, as the network takes them."""

    def __init__(self, photos: Path, side: int) -> None:
        self._inputs = islice(_composites(photos, side), CALIBRATION)

    def get_next(self) -> dict[str, object] | None:
        return next(self._inputs, None)


def _composites(photos: Path, side: int) -> Iterator[dict[str, object]]:
    distortion, random = Cascade().reversed(), np.random.default_rng(0)
    rows = list(csv.DictReader((photos / "index.csv").read_text(encoding="utf-8").splitlines()))
    for index in random.permutation(len(rows)):
        row = rows[index]
        if is_held_out(row) or not row["mask"]:
            continue
        real = io.read_image(photos / row["image"]).pixels
        mask = io.read_mask(photos / row["mask"], real.shape[:2])
        theta = [np.clip(random.normal(prior.mean, prior.std), -0.9, 0.9) for prior in _priors(distortion)]
        composite = distortion(real, theta, mask)
        yield {"composite": thumbnail(composite, side)[None], "mask": thumbnail(mask, side)[None]}


def _priors(cascade: Cascade) -> list[Prior]:
    return [filter.prior for filter in cascade.filters]
