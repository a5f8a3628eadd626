"""A trained checkpoint, which predicts the filter arguments theta of a composite."""

from __future__ import annotations

import json
import reprlib
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np
import numpy.typing as npt

import whitebox_filters as wf
from harmonizer.engines import EngineName, Run, open_engine
from harmonizer.errors import CheckpointError
from harmonizer.pictures.picture import Pixels
from harmonizer.thumbnail import Floats, thumbnails
from whitebox_filters.cascade import Region

WEIGHTS = Path(__file__).parent / "weights"
FORMAT = 1


@dataclass(frozen=True)
class Config:
    """The part of a checkpoint's config.json that the predictor needs; other keys are for people and for training."""

    filters: tuple[str, ...]
    input_size: int
    regressor: str = "cascade"
    statistics: Region = "frame"


class Predictor:
    """The encoder and regressor of one checkpoint on the CPU."""

    def __init__(self, config: Config, run: Run) -> None:
        """`run` is an engine whose inputs are composite and mask, and whose output is theta; `load` opens one."""
        self.config = config
        self._run = run

    @classmethod
    def load(
        cls,
        path: str | Path | None = None,
        engine: EngineName | str = EngineName.onnxruntime,
        threads: int | None = None,
    ) -> Predictor:
        """Load a checkpoint: a folder, or a config.json or model.onnx in it; None is the one that ships.

        `engine` is "onnxruntime", "openvino" or "openvino-bf16". A prediction uses `threads` threads, by default as
        many as there are cores, up to 4: then one prediction takes the least time. With 1, a program that keeps all
        cores busy makes the most predictions a second. Raises CheckpointError and EngineError.
        """
        folder = WEIGHTS if path is None else Path(path)
        if folder.name in ("config.json", "model.onnx"):
            folder = folder.parent
        for name in ("config.json", "model.onnx"):
            if not (folder / name).is_file():
                raise CheckpointError(
                    f"there is no {folder / name}; a checkpoint is a folder with config.json and model.onnx, "
                    "as training writes it"
                )
        config = read_config(folder / "config.json")
        side = config.input_size
        inputs, outputs = {"composite": (3, side, side), "mask": (1, side, side)}, {"theta": (len(config.filters),)}
        return cls(config, open_engine(engine, folder / "model.onnx", inputs, outputs, threads))

    def predict(self, image: Pixels, alpha: Pixels) -> npt.NDArray[np.float64]:
        """Theta (k,) in [-1, 1] from a composite (HWC RGB) and its mask as opacity (HW, of any depth).

        Raises CheckpointError if the network returns anything else.
        """
        return self.predict_prepared(*self.prepare(image, alpha))

    def prepare(self, image: Pixels, alpha: Pixels) -> tuple[Floats, Floats]:
        """The network's inputs, a composite and its mask as thumbnails: (1, 3, S, S) and (1, 1, S, S) in [0, 1]."""
        side = self.config.input_size
        composite, mask = thumbnails((image, alpha), side)
        return composite[None], mask[None]

    def predict_prepared(self, composite: Floats, mask: Floats) -> npt.NDArray[np.float64]:
        """Theta (k,) from what `prepare` returns. Raises CheckpointError."""
        theta = self._run({"composite": composite, "mask": mask})["theta"]
        count = len(self.config.filters)
        # What a file says of its shapes may be another than what comes out.
        if theta.shape != (1, count) or theta.dtype != np.float32 or not np.all(np.abs(theta) <= 1):
            raise CheckpointError(
                f"the network returned theta {reprlib.repr(theta.tolist())}, not {count} numbers in [-1, 1]; "
                "get the checkpoint again"
            )
        result: npt.NDArray[np.float64] = theta[0].astype(np.float64)
        return result


def read_config(path: Path) -> Config:
    """Read and check a checkpoint's config.json. Raises CheckpointError."""
    try:
        fields = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} is not readable as JSON: {error}; get the checkpoint again") from error
    if not isinstance(fields, dict) or fields.get("format") != FORMAT:
        actual = fields.get("format") if isinstance(fields, dict) else type(fields).__name__
        raise CheckpointError(f"{path} has format {actual!r}; this version reads format {FORMAT}: upgrade harmonizer")
    version, filters, size = (fields.get(key) for key in ("registry_version", "filters", "input_size"))
    if not isinstance(version, int) or version < 1:
        raise CheckpointError(f"{path}: registry_version is a positive integer; got {version!r}")
    if version > wf.REGISTRY_VERSION:
        raise CheckpointError(
            f"{path} was trained with filters of version {version}; this version has {wf.REGISTRY_VERSION}: "
            "upgrade harmonizer"
        )
    if not isinstance(filters, list) or not filters or not set(map(str, filters)) <= set(wf.names()):
        raise CheckpointError(
            f"{path} names the filters {filters!r}; registered: {', '.join(wf.names())}. "
            "Register a filter of your own before loading its checkpoint"
        )
    if not isinstance(size, int) or not 1 <= size <= 4096:
        raise CheckpointError(f"{path}: input_size is an integer from 1 to 4096; got {size!r}")
    if fields.get("theta_range", [-1, 1]) != [-1, 1]:
        raise CheckpointError(f"{path}: theta_range is [-1, 1]; got {fields['theta_range']!r}")
    if fields.get("channels", 3) != 3:
        raise CheckpointError(
            f"{path}: the network takes {fields['channels']!r} channels; only networks of 3 channels (RGB) can "
            "be run here"
        )
    if fields.get("statistics", "frame") not in get_args(Region):
        raise CheckpointError(f"{path}: statistics is one of {get_args(Region)}; got {fields['statistics']!r}")
    return Config(tuple(filters), size, str(fields.get("regressor", "cascade")), fields.get("statistics", "frame"))
