"""Inputs that several nodes have, in the notation of ComfyUI's INPUT_TYPES."""

from __future__ import annotations

from typing import Any

Slots = dict[str, tuple[Any, dict[str, Any]]]
Inputs = dict[str, Slots]

CATEGORY = "image/harmonizer"
EDIT = "HARMONIZER_EDIT"
PICTURES, VIDEO = "pictures", "video"

IMAGE: Slots = {
    "image": ("IMAGE", {"tooltip": "The composite, or a batch of composites or frames. A fourth channel is kept."}),
    "mask": (
        "MASK",
        {"tooltip": "White on the foreground, soft edges welcome: one for all pictures, or one for each."},
    ),
}
BATCH: Slots = {
    "batch": (
        [PICTURES, VIDEO],
        {
            "default": PICTURES,
            "tooltip": "pictures: each gets its own prediction. video: predictions are smoothed over time, from shot "
            "to shot, so that nothing flickers.",
        },
    ),
    "frame_rate": (
        "FLOAT",
        {
            "default": 25.0,
            "min": 1.0,
            "max": 1000.0,
            "step": 0.001,
            "tooltip": "Frames a second, for video alone: smoothing counts seconds.",
        },
    ),
}
EDIT_INPUT: Slots = {"edit": (EDIT, {"tooltip": "From Predict, Harmonize, Sliders, Set Theta or Edit from JSON."})}
