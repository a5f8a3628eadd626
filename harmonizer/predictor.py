"""A trained checkpoint, which predicts the filter arguments theta of a composite."""

from __future__ import annotations

import json
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
    """What the predictor needs of a checkpoint's config.json; its other keys are for people and for training."""

    filters: tuple[str, ...]
    input_size: int
    regressor: str = "cascade"
    statistics: Region = "frame"


class Predictor:
    """The encoder and regressor of one checkpoint on the CPU."""

    def __init__(self, config: Config, run: Run) -> None:
        """Take what `load` has checked."""
        self.config = config
        self._run = run

    @classmethod
    def load(
        cls,
        path: str | Path | None = None,
        engine: EngineName | str = EngineName.onnxruntime,
        threads: int | None = None,
    ) -> Predictor:
        """Load a checkpoint folder, or the one that a config.json or model.onnx lies in; None takes the one shipped.

        `engine` is "onnxruntime", "openvino" or "openvino-bf16". A prediction takes so many `threads`, by default
        the cores there are, up to 4, which gives it soonest; one gives the most in a second to a program whose other
        threads have work too. Raises CheckpointError, and EngineError.
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
        return self.infer(*self.look(image, alpha))

    def look(self, image: Pixels, alpha: Pixels) -> tuple[Floats, Floats]:
        """What the network sees of a composite and its mask: (1, 3, S, S) and (1, 1, S, S) in [0, 1]."""
        side = self.config.input_size
        composite, mask = thumbnails((image, alpha), side)
        return composite[None], mask[None]

    def infer(self, composite: Floats, mask: Floats) -> npt.NDArray[np.float64]:
        """Theta (k,) from what `look` gives. Raises CheckpointError."""
        outputs = self._run({"composite": composite, "mask": mask})
        theta: npt.NDArray[np.float64] = outputs["theta"][0].astype(np.float64)
        if not np.all(np.abs(theta) <= 1):
            raise CheckpointError(
                f"the network returned theta {theta.tolist()}, not in [-1, 1]; get the checkpoint again"
            )
        return theta


def read_config(path: Path) -> Config:
    """Read and check a checkpoint's config.json. Raises CheckpointError."""
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} is not readable as JSON: {error}; get the checkpoint again") from error
    if not isinstance(given, dict) or given.get("format") != FORMAT:
        found = given.get("format") if isinstance(given, dict) else type(given).__name__
        raise CheckpointError(f"{path} has format {found!r}; this version reads format {FORMAT}: upgrade harmonizer")
    version, filters, size = (given.get(key) for key in ("registry_version", "filters", "input_size"))
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
    if given.get("theta_range", [-1, 1]) != [-1, 1]:
        raise CheckpointError(f"{path}: theta_range is [-1, 1]; got {given['theta_range']!r}")
    if given.get("channels", 3) != 3:
        raise CheckpointError(
            f"{path}: the network takes {given['channels']!r} channels, guides among them; only one of 3, which takes "
            "pictures alone, can be run here"
        )
    if given.get("statistics", "frame") not in get_args(Region):
        raise CheckpointError(f"{path}: statistics is one of {get_args(Region)}; got {given['statistics']!r}")
    return Config(tuple(filters), size, str(given.get("regressor", "cascade")), given.get("statistics", "frame"))
