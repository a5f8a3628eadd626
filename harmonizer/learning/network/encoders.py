"""Encoders: timm models adapted to a composite and its mask."""

from __future__ import annotations

from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn

from harmonizer.errors import CheckpointError
from harmonizer.learning.network import pretrained as imagenet

PATCH = 16
"""Side of a patch in pixels: the stride of the middle stage of StageEncoder."""


class TwoBranchStem(nn.Module):
    """The first convolution of an encoder, applied to [I, M] and to [I, 1 - M], the results concatenated.

    Each branch has half of the filters of `conv`. Their weights for the mask, and for channels of I beyond red, green
    and blue, start at 0, so that a pretrained encoder starts with features of the colours alone.
    """

    def __init__(self, conv: nn.Conv2d, channels: int = 3) -> None:
        super().__init__()
        half = conv.out_channels // 2
        self.foreground = _widen(conv, slice(0, half), channels + 1)
        self.background = _widen(conv, slice(half, conv.out_channels), channels + 1)

    def forward(self, image_and_mask: Tensor) -> Tensor:
        """(N, channels + 1, H, W) to the feature map that `conv` would give."""
        image, mask = image_and_mask[:, :-1], image_and_mask[:, -1:]
        background = torch.cat([image, 1 - mask], dim=1)
        return torch.cat([self.foreground(image_and_mask), self.background(background)], dim=1)


class MaskedEncoder(nn.Module):
    """Any timm model by name, with the two-branch stem. Raises CheckpointError for an unknown name."""

    mean: Tensor
    std: Tensor

    def __init__(self, name: str, *, pretrained: bool, normalized: bool = True, channels: int = 3) -> None:
        super().__init__()
        body = imagenet.create(name, pretrained=pretrained)
        first = cast(str, body.pretrained_cfg["first_conv"])
        parent, _, child = first.rpartition(".")
        setattr(body.get_submodule(parent), child, TwoBranchStem(body.get_submodule(first), channels))
        self.body = body
        self.map_features = cast(int, body.num_features)
        self.pooled_features = cast(int, body.head_hidden_size)
        config = body.pretrained_cfg if normalized else {"mean": (0.0,) * 3, "std": (1.0,) * 3}
        for key, unchanged in (("mean", 0.0), ("std", 1.0)):
            values = (*config[key], *[unchanged] * (channels - 3))
            self.register_buffer(key, torch.tensor(values)[:, None, None], persistent=False)

    def forward(self, composite: Tensor, mask: Tensor) -> Tensor:
        """Composite (N, channels, H, W) in [0, 1] and mask (N, 1, H, W) to pooled features (N, pooled_features)."""
        return cast(Tensor, self.body(self._stack(composite, mask)))

    def feature_map(self, composite: Tensor, mask: Tensor) -> Tensor:
        """The same to the last feature map (N, map_features, G, G); needs a convolutional model."""
        return cast(Tensor, self.body.forward_features(self._stack(composite, mask)))

    def _stack(self, composite: Tensor, mask: Tensor) -> Tensor:
        return torch.cat([(composite - self.mean) / self.std, mask], dim=1)


class StageEncoder(nn.Module):
    """The stages of a timm model at 1/8 and 1/16 of the sides, and with `last` the stage at 1/32.

    `encode_early` ends at 1/8: it takes most of the time, and finds edges and textures, which need no training beyond
    ImageNet's. `encode_late` runs the rest. Neither gets the mask, as on ImageNet: it enters with the moments of the
    patches. Raises CheckpointError for a model without these stages.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, name: str, *, pretrained: bool, last: bool = False) -> None:
        super().__init__()
        self.body = imagenet.create(name, pretrained=pretrained)
        stages = {info["reduction"]: index for index, info in enumerate(self.body.feature_info)}
        parts = ("conv_stem", "bn1", "blocks")
        sides = (PATCH // 2, PATCH, 2 * PATCH)[: 3 if last else 2]
        if not set(sides) <= set(stages) or not all(hasattr(self.body, part) for part in parts):
            raise CheckpointError(
                f"the encoder {name!r} has no stages at {', '.join(f'1/{side}' for side in sides)} of the sides to "
                "take features from; choose an EfficientNet or a MobileNet, or another pooling"
            )
        infos = [self.body.feature_info[stages[side]] for side in sides]
        fine, coarse, *others = (cast(int, info["num_chs"]) for info in infos)
        self.features = fine + coarse
        self.last_features = others[0] if last else 0
        self.body.prune_intermediate_layers([stages[side] for side in sides], prune_norm=True, prune_head=True)
        self.stage_ends = [1 + int(info["module"].removeprefix("blocks.")) for info in infos]
        for key in ("mean", "std"):
            values = torch.tensor(self.body.pretrained_cfg[key])[:, None, None]
            self.register_buffer(key, values, persistent=False)

    @property
    def early_modules(self) -> list[nn.Module]:
        """The modules that `encode_early` runs."""
        return [self.body.conv_stem, self.body.bn1, *self.body.blocks[: self.stage_ends[0]]]

    def encode_early(self, composite: Tensor) -> Tensor:
        """Composite (N, 3 or more, S, S) in [0, 1] to features of its colours, (N, C, S / 8, S / 8)."""
        features = (composite[:, :3] - self.mean) / self.std
        for module in self.early_modules:
            features = module(features)
        return features

    def encode_late(self, fine: Tensor) -> list[Tensor]:
        """The early features to (N, features, S / 16, S / 16), and with `last` (N, last_features, S / 32, S / 32)."""
        maps = [fine]
        for start, end in pairwise(self.stage_ends):
            maps.append(cast(Tensor, self.body.blocks[start:end](maps[-1])))
        return [torch.cat([nn.functional.avg_pool2d(fine, 2), maps[1]], dim=1), *maps[2:]]

    def forward(self, composite: Tensor) -> list[Tensor]:
        """Both parts."""
        return self.encode_late(self.encode_early(composite))


def pool_regions(grid: Tensor, mask: Tensor) -> Tensor:
    """The means of a feature map (N, C, G, G) over foreground and background, (N, 2 C), for a mask (N, 1, H, W)."""
    shares = nn.functional.interpolate(mask, grid.shape[2:], mode="area")
    regions = torch.cat([shares, 1 - shares], dim=1).flatten(2)
    # A hundredth of the picture, added to the area, lets the features of an empty region fade to 0.
    weights = regions / (regions.sum(dim=2, keepdim=True) + 0.01 * regions.shape[2])
    return (weights @ grid.flatten(2).transpose(1, 2)).flatten(1)


def _widen(conv: nn.Conv2d, filters: slice, channels: int) -> nn.Conv2d:
    """Some of the filters of `conv`, for more input channels, whose weights are 0."""
    weight = conv.weight[filters]
    branch = type(conv)(
        channels,
        len(weight),
        kernel_size=conv.kernel_size,  # type: ignore[arg-type]
        stride=conv.stride,  # type: ignore[arg-type]
        padding=conv.padding,  # type: ignore[arg-type]
        bias=conv.bias is not None,
    )
    with torch.no_grad():
        branch.weight.zero_()
        branch.weight[:, : conv.in_channels] = weight
        if conv.bias is not None and branch.bias is not None:
            branch.bias.copy_(conv.bias[filters])
    return branch
