"""Names that files of earlier versions use, and what they are called now."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TypeVar

from harmonizer.errors import OldNameWarning

V = TypeVar("V")

READ_UNTIL = "1.0"
"""The first version that no longer reads recipes under the old names; see docs/stability.md."""

NETWORK_FIELDS = {
    "width": "attention_width",
    "layers": "attention_layers",
    "tones": "histograms",
    "second": "second_share",
    "context": "last_stage",
}
"""Of config.json, and of the network in recipe.json."""

RECIPE_FIELDS = {
    "model": "network",
    "encoder_rate": "encoder_learning_rate",
    "head_rate": "head_learning_rate",
    "decays": "learning_rate_drops",
    "patches": "patch_share",
    "average": "weight_average",
    "stepwise": "eq8_share",
    "stride": "loss_stride",
    "statistics": "auxiliary_weight",
    "likeness": "similarity",
}
"""Of recipe.json."""

AUGMENTATION_FIELDS = {
    "whole": "uncropped",
    "part": "part_of_object",
    "light": "relight",
    "cut": "bad_cutout",
    "misseen": "bad_input_mask",
}
"""Of the augmentation in recipe.json."""

TENSOR_PREFIXES = {
    "encoder.": "pooling.encoder.",
    "attention.": "pooling.attention.",
    "last.": "pooling.last_stage.",
    "tones.": "histograms.",
    "second.tones.": "second.histograms.",
}
"""Of model.safetensors, and of the networks in last.pt."""


def rename_fields(values: Mapping[str, V], table: Mapping[str, str]) -> dict[str, V]:
    """The same values under the names of today. Raises ValueError if a value has both its names."""
    renamed = {table.get(name, name): value for name, value in values.items()}
    if len(renamed) < len(values):
        twice = [f"{old} and {new}" for old, new in table.items() if old in values and new in values]
        raise ValueError(f"two names of one value: {', '.join(twice)}; give one of them")
    return renamed


def warn_of_old_names(names: Mapping[str, str]) -> None:
    """Give one OldNameWarning for what a person wrote: `names` from old to new. None is given if there are no names."""
    if names:
        renamed = ", ".join(f"{old} is now {new}" for old, new in names.items())
        message = f"names of an earlier version, which harmonizer {READ_UNTIL} will not read: {renamed}"
        warnings.warn(message, OldNameWarning, stacklevel=3)


def rename_tensors(tensors: Mapping[str, V]) -> dict[str, V]:
    """The same tensors under the names of today."""
    return {_rename_tensor(name): value for name, value in tensors.items()}


def _rename_tensor(name: str) -> str:
    for old, new in TENSOR_PREFIXES.items():
        if name.startswith(old):
            return new + name.removeprefix(old)
    return name
