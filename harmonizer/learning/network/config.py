"""What a network is built of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from whitebox_filters import DEFAULT_FILTERS
from whitebox_filters.cascade import Region

BOUNDS = {"attention_width": (1, 4096), "attention_layers": (0, 32), "channels": (1, 64), "input_size": (1, 4096)}


@dataclass(frozen=True)
class NetworkConfig:
    """What the config.json of a checkpoint says about its network. Raises ValueError for what no network is made of."""

    encoder: str = "efficientnet_b0"  # any timm model
    regressor: str = "cascade"  # a key of regressor.REGRESSORS
    filters: Sequence[str] = DEFAULT_FILTERS
    statistics: Region = "frame"  # where the filters measure: "frame" or "mask"
    pooling: str = "average"  # a key of poolings.POOLINGS
    attention_width: int = 160
    attention_layers: int = 3
    histograms: bool = True  # join features of soft histograms to the pooled features
    second_share: float = 0.0  # share of theta that a second regressor predicts, from the histograms alone
    channels: int = 3  # of the picture: red, green, blue, then extra channels, which no filter changes
    last_stage: bool = False  # add features of the encoder's last stage to those of the histograms
    dropout: float = 0.0  # while training: in the attention, and of the features that the regressors get
    input_size: int = 256  # pixels a side
    normalized: bool = True  # subtract ImageNet's mean and divide by its deviation, as pretrained weights expect

    def __post_init__(self) -> None:
        for name, (low, high) in BOUNDS.items():
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"{name} is from {low} to {high}; got {getattr(self, name)}")
        if ":" in self.encoder:  # timm would fetch what is named so from a hub, or read a folder
            raise ValueError(f"encoder is a name from timm.list_models(); got {self.encoder!r}")


FROZEN = {
    "none": "everything learns",
    "half": "the encoder's stages down to an eighth of the sides keep their weights: edges and textures",
    "encoder": "the whole encoder keeps its weights",
}
"""What a training run can freeze."""
