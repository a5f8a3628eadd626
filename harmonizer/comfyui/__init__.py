"""Nodes for ComfyUI.

ComfyUI loads them from a file `custom_nodes/whitebox_harmonizer.py` with one line:

    from harmonizer.comfyui import NODE_CLASS_MAPPINGS, NODE_DISPLAY_NAME_MAPPINGS

Nothing here needs ComfyUI or torch when it is imported; ComfyUI brings both.
"""

from __future__ import annotations

from harmonizer.comfyui.editing import EditFromJson, SetTheta, Sliders
from harmonizer.comfyui.rendering import Apply, Harmonize, Predict
from harmonizer.comfyui.saving import SaveCube, SaveEdit

NODE_CLASS_MAPPINGS: dict[str, type] = {
    "HarmonizerHarmonize": Harmonize,
    "HarmonizerPredict": Predict,
    "HarmonizerSliders": Sliders,
    "HarmonizerSetTheta": SetTheta,
    "HarmonizerApply": Apply,
    "HarmonizerEditFromJson": EditFromJson,
    "HarmonizerSaveEdit": SaveEdit,
    "HarmonizerSaveCube": SaveCube,
}
"""The names that workflows hold; they stay as they are."""

NODE_DISPLAY_NAME_MAPPINGS: dict[str, str] = {
    "HarmonizerHarmonize": "Harmonize",
    "HarmonizerPredict": "Harmonizer: Predict",
    "HarmonizerSliders": "Harmonizer: Sliders",
    "HarmonizerSetTheta": "Harmonizer: Set Theta",
    "HarmonizerApply": "Harmonizer: Apply",
    "HarmonizerEditFromJson": "Harmonizer: Edit from JSON",
    "HarmonizerSaveEdit": "Harmonizer: Save Edit",
    "HarmonizerSaveCube": "Harmonizer: Save .cube",
}

__all__ = ["NODE_CLASS_MAPPINGS", "NODE_DISPLAY_NAME_MAPPINGS"]
