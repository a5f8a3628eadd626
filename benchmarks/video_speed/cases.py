"""What is measured, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from harmonizer.engines import EngineName
from harmonizer.evaluation.bench import Times

B0, SHIPPED = "B0", "shipped"
PLAIN = "plain"
FLOAT32, INT8 = "float32", "int8"


class Contender(NamedTuple):
    """An engine and the file that it runs."""

    engine: EngineName
    file: str  # FLOAT32 or INT8


OURS: dict[str, Contender] = {
    "ONNX Runtime": Contender(EngineName.onnxruntime, FLOAT32),
    "ONNX Runtime, int8": Contender(EngineName.onnxruntime, INT8),
    "OpenVINO": Contender(EngineName.openvino, FLOAT32),
    "OpenVINO, bf16": Contender(EngineName.openvino_bf16, FLOAT32),
    "OpenVINO, int8": Contender(EngineName.openvino, INT8),
}
DEFAULT = "ONNX Runtime"
SIDE = (DEFAULT, "OpenVINO", "OpenVINO, int8")  # also measured side by side


class Case(NamedTuple):
    """One cell of the table of frames a second."""

    network: str  # B0 or SHIPPED
    mask: str  # FULL or QUARTER of fps.cases
    contender: str  # PLAIN or a key of OURS


@dataclass(frozen=True)
class Whole:
    """A run over many frames: of the whole pipeline in a process of its own, or of a part."""

    frames: int
    seconds: float
    cpu: float  # seconds of all threads
    peak: int  # bytes of resident memory


@dataclass(frozen=True)
class Asked:
    """What a prediction asks for, and what it takes on one thread while nothing else runs."""

    multiply_adds: int
    seconds: float


@dataclass(frozen=True)
class Encoder:
    """Of an encoder's settings: CPU seconds and bytes a frame, and the PSNR of luma in decibels."""

    cpu: float
    bytes: float
    psnr: float


@dataclass(frozen=True)
class Quality:
    """Of the shipped network in one engine: distance of theta from float32's, and mean fMSE by set of pictures."""

    theta: float
    fmse: dict[str, float]


@dataclass
class Results:
    """All that the page shows."""

    size: tuple[int, int]
    command: str
    networks: tuple[str, ...]
    seconds: dict[Case, list[float]] = field(default_factory=dict)  # of predict and filter
    network_seconds: dict[tuple[str, str], list[float]] = field(default_factory=dict)  # by network and contender
    bytes: dict[tuple[str, str], int] = field(default_factory=dict)  # of model.onnx, by network and contender
    stages: dict[tuple[str, str], Times] = field(default_factory=dict)  # by network and mask, with DEFAULT
    quality: dict[str, Quality] = field(default_factory=dict)  # by contender
    pictures: dict[str, int] = field(default_factory=dict)  # of each set, in `quality`
    whole: dict[tuple[str, str], list[Whole]] = field(default_factory=dict)  # by network and PLAIN or DEFAULT
    side: dict[Case, list[Whole]] = field(default_factory=dict)  # side by side
    asked: dict[str, Asked] = field(default_factory=dict)  # by network, of DEFAULT
    peak: float = 0.0  # multiply-adds of float32 a second of one core
    work: dict[str, float] = field(default_factory=dict)  # CPU seconds a frame of the whole, by stage
    encoders: dict[str, Encoder] = field(default_factory=dict)  # by settings, at one PSNR
    clip: str = ""
