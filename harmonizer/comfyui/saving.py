"""The nodes that write files into ComfyUI's output folder: Save Edit and Save .cube."""

from __future__ import annotations

from typing import Any

import whitebox_filters as wf
from harmonizer import atomic, edits
from harmonizer.comfyui import host
from harmonizer.comfyui.batches import Edits
from harmonizer.comfyui.inputs import CATEGORY, EDIT_INPUT, Inputs
from harmonizer.errors import EditError


def _inputs() -> Inputs:
    tooltip = "The beginning of the file's name; it may name a folder in ComfyUI's output folder, as in Save Image."
    return {"required": EDIT_INPUT | {"filename_prefix": ("STRING", {"default": "harmonizer", "tooltip": tooltip})}}


class SaveEdit:
    """Write each edit as JSON."""

    CATEGORY = CATEGORY
    DESCRIPTION = (
        "Writes the edit of each picture as JSON, for `harmonizer apply`, the page in the browser and Edit from JSON."
    )
    RETURN_TYPES = ()
    FUNCTION = "run"
    OUTPUT_NODE = True

    @classmethod
    def INPUT_TYPES(cls) -> Inputs:  # noqa: N802
        return _inputs()

    def run(self, edit: Edits, filename_prefix: str) -> dict[str, Any]:
        return _write([edits.dumps(each) for each in edit], filename_prefix, ".json")


class SaveCube:
    """Write each edit as a 3-D LUT."""

    CATEGORY = CATEGORY
    DESCRIPTION = (
        "Writes the filters of each picture as a 3-D LUT, .cube, for DaVinci Resolve, Premiere, Photoshop, OBS and "
        "FFmpeg. It grades the whole frame, whatever the mask."
    )
    RETURN_TYPES = ()
    FUNCTION = "run"
    OUTPUT_NODE = True

    @classmethod
    def INPUT_TYPES(cls) -> Inputs:  # noqa: N802
        return _inputs()

    def run(self, edit: Edits, filename_prefix: str) -> dict[str, Any]:
        try:
            luts = [each.bake_lut() for each in edit]
        except wf.LutError:
            raise EditError(
                "the edit was changed, and what its filters measure is not known before it is rendered; connect the "
                "edit that Harmonizer: Apply gives"
            ) from None
        return _write([wf.format_cube(lut, "harmonizer") for lut in luts], filename_prefix, ".cube")


def _write(texts: list[str], prefix: str, extension: str) -> dict[str, Any]:
    """Write a file for each text; what ComfyUI shows of the node, and keeps in its history, are their names."""
    names = []
    for text in texts:
        path = host.next_file(prefix, extension)
        atomic.write_file(path, text.encode())
        names.append(path.name)
    return {"ui": {"text": names}}
