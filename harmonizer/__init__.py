"""Make a composite look as if it had been taken in one shot, by filters that a person can read and edit.

>>> from harmonizer import Harmonizer
>>> harmonizer = Harmonizer.load()  # doctest: +SKIP
>>> result = harmonizer.harmonize(composite, mask)  # doctest: +SKIP
>>> result.image, result.theta  # doctest: +SKIP
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from harmonizer.errors import (
    BatchError,
    CheckpointError,
    EditError,
    EngineError,
    EvaluationError,
    HarmonizerError,
    HarmonizerWarning,
    ImageFileError,
    MaskError,
    OldNameWarning,
    OutputError,
    RecipeError,
    StoreError,
    StreamError,
    StudyError,
    TimelineError,
    VideoError,
)

if TYPE_CHECKING:
    from harmonizer import edits, jobs
    from harmonizer.edits import Edit
    from harmonizer.pictures import io
    from harmonizer.pipeline import Harmonizer
    from harmonizer.predictor import Predictor
    from harmonizer.render import Renderer, Result

__all__ = [
    "BatchError",
    "CheckpointError",
    "Edit",
    "EditError",
    "EngineError",
    "EvaluationError",
    "Harmonizer",
    "HarmonizerError",
    "HarmonizerWarning",
    "ImageFileError",
    "MaskError",
    "OldNameWarning",
    "OutputError",
    "Predictor",
    "RecipeError",
    "Renderer",
    "Result",
    "StoreError",
    "StreamError",
    "StudyError",
    "TimelineError",
    "VideoError",
    "edits",
    "io",
    "jobs",
]

# Imported when first asked for: the command line has to answer Ctrl-C before NumPy is loaded.
_HOMES = {
    "Edit": "edits",
    "Harmonizer": "pipeline",
    "Predictor": "predictor",
    "Renderer": "render",
    "Result": "render",
}
_MODULES = {"edits": "edits", "io": "pictures.io", "jobs": "jobs"}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"{__name__}.{_MODULES[name]}")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
