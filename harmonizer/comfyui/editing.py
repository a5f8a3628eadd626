"""The nodes that change edits, and the one that reads them: Sliders, Set Theta, Edit from JSON."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

import whitebox_filters as wf
from harmonizer import edits
from harmonizer.comfyui.batches import Edits
from harmonizer.comfyui.inputs import CATEGORY, EDIT, EDIT_INPUT, Inputs
from harmonizer.errors import EditError
from harmonizer.predictor import WEIGHTS, read_config


class Sliders:
    """Move theta away from what was predicted, with a slider for each filter."""

    CATEGORY = CATEGORY
    DESCRIPTION = (
        "Moves the arguments of the filters: each slider adds to what the edit has, so 0 keeps the prediction. The sum "
        "stays in [-1, 1]."
    )
    RETURN_TYPES = (EDIT,)
    RETURN_NAMES = ("edit",)
    OUTPUT_TOOLTIPS = ("The changed edit, for Apply.",)
    FUNCTION = "run"

    @classmethod
    def INPUT_TYPES(cls) -> Inputs:  # noqa: N802
        filters = read_config(WEIGHTS / "config.json").filters
        return {"required": EDIT_INPUT | {name: ("FLOAT", _slider(name)) for name in filters}}

    def run(self, edit: Edits, **offsets: float) -> tuple[Edits]:
        moved = {name: offset for name, offset in offsets.items() if offset}
        return (tuple(each.set(_move(each, moved)) for each in edit),)


class SetTheta:
    """Set theta of some filters, typed as JSON."""

    CATEGORY = CATEGORY
    DESCRIPTION = (
        'Sets the arguments of some filters, each in [-1, 1], as JSON: {"shadow": 0.3}. A list of such objects has one '
        "for each picture of the batch. The other filters keep what they have."
    )
    RETURN_TYPES = (EDIT,)
    RETURN_NAMES = ("edit",)
    OUTPUT_TOOLTIPS = ("The changed edit, for Apply.",)
    FUNCTION = "run"

    @classmethod
    def INPUT_TYPES(cls) -> Inputs:  # noqa: N802
        tooltip = "What Predict writes, or a part of it, changed."
        return {
            "required": EDIT_INPUT | {"theta": ("STRING", {"multiline": True, "default": "{}", "tooltip": tooltip})}
        }

    def run(self, edit: Edits, theta: str) -> tuple[Edits]:
        changes = _read_theta(theta)
        if isinstance(changes, dict):
            changes = [changes] * len(edit)
        if len(changes) != len(edit):
            raise EditError(
                f"theta has {len(changes)} objects for {len(edit)} pictures; give one object for all, or a list with "
                "one for each"
            )
        return (tuple(each.set(change) for each, change in zip(edit, changes, strict=True)),)


class EditFromJson:
    """Take an edit from elsewhere."""

    CATEGORY = CATEGORY
    DESCRIPTION = (
        "Takes an edit as JSON: the content of a file that Save Edit, `harmonizer run --edit` or the page in the "
        "browser wrote."
    )
    RETURN_TYPES = (EDIT,)
    RETURN_NAMES = ("edit",)
    OUTPUT_TOOLTIPS = ("The edit, for Apply, Sliders, Set Theta and Save .cube.",)
    FUNCTION = "run"

    @classmethod
    def INPUT_TYPES(cls) -> Inputs:  # noqa: N802
        tooltip = "The content of an edit file, pasted."
        return {"required": {"edit_json": ("STRING", {"multiline": True, "default": "", "tooltip": tooltip})}}

    def run(self, edit_json: str) -> tuple[Edits]:
        return ((edits.loads(edit_json),),)


def _slider(name: str) -> dict[str, Any]:
    less, more = wf.get(name).words
    tooltip = f"Left: {less}. Right: {more}."
    return {"default": 0.0, "min": -1.0, "max": 1.0, "step": 0.01, "display": "slider", "tooltip": tooltip}


def _move(edit: edits.Edit, offsets: dict[str, float]) -> dict[str, float]:
    """Theta of the filters that move. A filter that the edit does not have is left to `Edit.set` to refuse."""
    return {name: float(np.clip(edit.theta.get(name, 0.0) + offset, -1, 1)) for name, offset in offsets.items()}


def _read_theta(text: str) -> dict[str, float] | list[dict[str, float]]:
    wrong = 'theta is JSON: an object such as {"shadow": 0.3}, or a list of them'
    try:
        values = json.loads(text or "{}")
    except ValueError as error:
        raise EditError(f"{wrong}; {error}") from None
    objects = values if isinstance(values, list) else [values]
    for each in objects:
        numbers = each.values() if isinstance(each, dict) else [None]
        if not all(isinstance(number, int | float) and not isinstance(number, bool) for number in numbers):
            raise EditError(f"{wrong}; got {json.dumps(each)[:100]}")
    changes: dict[str, float] | list[dict[str, float]] = values
    return changes
