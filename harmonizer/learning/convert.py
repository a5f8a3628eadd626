"""Converts the authors' released checkpoint into one of ours."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from harmonizer.errors import CheckpointError
from harmonizer.learning.network.config import NetworkConfig
from harmonizer.learning.network.network import Network

RELEASED = NetworkConfig(encoder="tf_efficientnet_b0", regressor="released", histograms=False, normalized=False)
"""EfficientNet-B0 with TensorFlow's padding, on pictures in [0, 1], and the affine cascade."""

LICENSE_NOTE = (
    "The converted weights stay under the licence of the released ones "
    "(Creative Commons BY-NC-SA 4.0 at the time of writing: no commercial use)."
)


def convert(path: Path) -> Network:
    """Read the released `harmonizer.pth` (tensors only; no code in it runs). Raises CheckpointError."""
    try:
        released: dict[str, Tensor] = torch.load(path, weights_only=True, map_location="cpu")
        released = {name.removeprefix("module."): value for name, value in released.items()}
        network = Network(RELEASED)
        network.load_state_dict(_rename(released, network.state_dict()))
    except Exception as error:
        raise CheckpointError(
            f"{path} is not the released harmonizer.pth ({type(error).__name__}: {error}); "
            "expected its 392 tensors under their released names"
        ) from error
    return network.eval()


def _rename(released: Mapping[str, Tensor], ours: Mapping[str, Tensor]) -> dict[str, Tensor]:
    renamed: dict[str, Tensor] = {}
    # The sixteen blocks hold the same tensors in the same order.
    source = [name for name in released if name.startswith("backbone._blocks.")]
    target = [name for name in ours if name.startswith("pooling.encoder.body.blocks.")]
    renamed.update(zip(target, (released[name] for name in source), strict=True))
    renamed["pooling.encoder.body.conv_head.weight"] = released["backbone._conv_head.weight"]
    renamed["pooling.encoder.body.conv_stem.foreground.weight"] = released["backbone._conv_fg.weight"]
    renamed["pooling.encoder.body.conv_stem.background.weight"] = released["backbone._conv_bg.weight"]
    for kind in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked"):
        branches = [released[f"backbone._bn_{branch}.{kind}"] for branch in ("fg", "bg")]
        renamed[f"pooling.encoder.body.bn1.{kind}"] = torch.cat(branches) if branches[0].ndim else branches[0]
        renamed[f"pooling.encoder.body.bn2.{kind}"] = released[f"backbone._bn1.{kind}"]
    for kind in ("weight", "bias"):
        # Their g starts the chain of heads and their f goes to all of them. Their heads read f first, ours the chain.
        renamed[f"regressor.start.{kind}"] = released[f"regressor.g.{kind}"]
        renamed[f"regressor.shared.{kind}"] = released[f"regressor.f.{kind}"]
        for index in range(6):
            head = released[f"regressor.headers.{index}.0.{kind}"]
            swapped = torch.cat(head.chunk(2, dim=1)[::-1], dim=1) if kind == "weight" else head
            renamed[f"regressor.heads.{index}.{kind}"] = swapped
            renamed[f"regressor.outputs.{index}.{kind}"] = released[f"regressor.headers.{index}.1.{kind}"]
    return renamed
