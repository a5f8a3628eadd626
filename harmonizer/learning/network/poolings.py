"""How the encoder's feature maps become one vector of features for each picture; a class for each way."""

from __future__ import annotations

from typing import ClassVar, cast

import torch
from torch import Tensor, nn

from harmonizer.learning.network.attention import LastStage, PatchAttention, measure_patches, moment_count
from harmonizer.learning.network.config import NetworkConfig
from harmonizer.learning.network.encoders import MaskedEncoder, StageEncoder, pool_regions


class Pooling(nn.Module):
    """The base of all poolings.

    It works in three steps, so that a frozen encoder can run by itself: `describe` measures the picture without
    weights, `encode` runs the encoder, and `forward` pools what both return. Where only a part of the encoder is
    frozen, `encode` runs that part and `finish` the rest.
    """

    freezable: ClassVar[tuple[str, ...]] = ("none", "encoder")
    """Keys of FROZEN."""
    has_last_stage: ClassVar[bool] = False
    """Whether NetworkConfig.last_stage may be set."""

    encoder: nn.Module
    features: int
    """Width of what `forward` returns."""

    def __init__(self, config: NetworkConfig, context: int, *, pretrained: bool) -> None:  # noqa: ARG002
        """Build the pooling of a config for a context vector of width `context`."""
        super().__init__()

    @staticmethod
    def describe(composite: Tensor, mask: Tensor) -> Tensor:  # noqa: ARG004
        """Measure composite (N, C, S, S) and mask (N, 1, S, S) without weights: (N, M, G, G), or (N, 0) for nothing.

        The export to ONNX traces it: there `shape[0]` is any batch, while `len()` is the number of the example.
        """
        return composite.new_zeros(composite.shape[0], 0)

    def frozen_modules(self, part: str) -> list[nn.Module]:
        """The modules that keep their weights when `part`, one of `freezable`, is frozen."""
        return [] if part == "none" else [self.encoder]

    def encode(self, composite: Tensor, mask: Tensor, part: str = "encoder") -> list[Tensor]:
        """Run the encoder, or `part` of it, on composite (N, C, S, S) and mask (N, 1, S, S), both in [0, 1]."""
        raise NotImplementedError

    def finish(self, maps: list[Tensor], part: str) -> list[Tensor]:  # noqa: ARG002
        """Run the rest of the encoder on what `encode` returned for `part`."""
        return maps

    def forward(self, maps: list[Tensor], moments: Tensor, context: Tensor, patch_share: float = 1.0) -> Tensor:
        """The results of `encode` and `describe`, and a context vector (N, context), to (N, features)."""
        raise NotImplementedError


class AveragePooling(Pooling):
    """The mean over the whole feature map, as the encoder itself pools (the paper)."""

    encoder: MaskedEncoder

    def __init__(self, config: NetworkConfig, context: int, *, pretrained: bool) -> None:
        super().__init__(config, context, pretrained=pretrained)
        self.encoder = MaskedEncoder(
            config.encoder, pretrained=pretrained, normalized=config.normalized, channels=config.channels
        )
        self.features = self.encoder.pooled_features + context

    def encode(self, composite: Tensor, mask: Tensor, part: str = "encoder") -> list[Tensor]:  # noqa: ARG002
        """Pooled features (N, F)."""
        return [self.encoder(composite, mask)]

    def forward(self, maps: list[Tensor], moments: Tensor, context: Tensor, patch_share: float = 1.0) -> Tensor:  # noqa: ARG002
        """See the base class."""
        return torch.cat([maps[0], context], dim=1)


class RegionPooling(AveragePooling):
    """The means over the foreground and over the background; needs a convolutional encoder."""

    def __init__(self, config: NetworkConfig, context: int, *, pretrained: bool) -> None:
        super().__init__(config, context, pretrained=pretrained)
        self.features = 2 * self.encoder.map_features + context

    def encode(self, composite: Tensor, mask: Tensor, part: str = "encoder") -> list[Tensor]:  # noqa: ARG002
        """Features of the foreground, then of the background, (N, 2 F)."""
        return [pool_regions(self.encoder.feature_map(composite, mask), mask)]


class AttentionPooling(Pooling):
    """Attention between patches of 16 pixels, then the means over the foreground and over the background."""

    freezable = ("none", "half", "encoder")
    has_last_stage = True

    encoder: StageEncoder

    def __init__(self, config: NetworkConfig, context: int, *, pretrained: bool) -> None:
        super().__init__(config, context, pretrained=pretrained)
        self.encoder = StageEncoder(config.encoder, pretrained=pretrained, last=config.last_stage)
        self.attention = PatchAttention(
            self.encoder.features,
            moment_count(config.channels),
            context,
            config.attention_width,
            config.attention_layers,
            config.dropout,
        )
        self.last_stage = LastStage(self.encoder.last_features, context) if config.last_stage else None
        self.features = self.attention.features + context

    @staticmethod
    def describe(composite: Tensor, mask: Tensor) -> Tensor:
        """The moments of each patch."""
        return measure_patches(composite, mask)

    def frozen_modules(self, part: str) -> list[nn.Module]:
        """See the base class."""
        return self.encoder.early_modules if part == "half" else super().frozen_modules(part)

    def encode(self, composite: Tensor, mask: Tensor, part: str = "encoder") -> list[Tensor]:  # noqa: ARG002
        """Feature maps of the encoder's stages."""
        if part == "half":
            return [self.encoder.encode_early(composite)]
        return cast(list[Tensor], self.encoder(composite))

    def finish(self, maps: list[Tensor], part: str) -> list[Tensor]:
        """See the base class."""
        return self.encoder.encode_late(maps[0]) if part == "half" else maps

    def forward(self, maps: list[Tensor], moments: Tensor, context: Tensor, patch_share: float = 1.0) -> Tensor:
        """See the base class; attention reads a random share `patch_share` of the patches."""
        if self.last_stage is not None:
            context = context + self.last_stage(maps[1], moments[:, :1])
        return torch.cat([self.attention(maps[0], moments, context, patch_share), context], dim=1)


POOLINGS: dict[str, type[Pooling]] = {
    "average": AveragePooling,
    "regions": RegionPooling,
    "attention": AttentionPooling,
}
