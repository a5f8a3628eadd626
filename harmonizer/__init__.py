"""Make a composite look as if it had been taken in one shot, by filters that a person can read and edit.

>>> from harmonizer import Harmonizer
>>> harmonizer = Harmonizer.load()  # doctest: +SKIP
>>> result = harmonizer.harmonize(composite, mask)  # doctest: +SKIP
>>> result.image, result.theta  # doctest: +SKIP
"""

from harmonizer.edits import Edit
from harmonizer.errors import (
    CheckpointError,
    EditError,
    EngineError,
    EvaluationError,
    HarmonizerError,
    HarmonizerWarning,
    ImageFileError,
    MaskError,
    OutputError,
    RecipeError,
    StreamError,
)
from harmonizer.pipeline import Harmonizer, Result
from harmonizer.predictor import Predictor

__all__ = [
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
    "OutputError",
    "Predictor",
    "RecipeError",
    "Result",
    "StreamError",
]
