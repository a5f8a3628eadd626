"""A timm encoder with the paper's two-branch stem."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from harmonizer.learning import imagenet


class TwoBranchStem(nn.Module):
    """The first convolution of an encoder, made over [I, M] and over [I, 1 - M] and concatenated.

    Each branch takes half of the filters of `conv`; their weights for the mask, and for channels of I that follow the
    colours, start at 0, so that a pretrained encoder first sees exactly the picture that it knows.
    """

    def __init__(self, conv: nn.Conv2d, channels: int = 3) -> None:
        super().__init__()
        half = conv.out_channels // 2
        self.foreground = _widened(conv, slice(0, half), channels + 1)
        self.background = _widened(conv, slice(half, conv.out_channels), channels + 1)

    def forward(self, image_and_mask: Tensor) -> Tensor:
        """(N, channels + 1, H, W) to the feature map that `conv` would give."""
        image, mask = image_and_mask[:, :-1], image_and_mask[:, -1:]
        background = torch.cat([image, 1 - mask], dim=1)
        return torch.cat([self.foreground(image_and_mask), self.background(background)], dim=1)


class Encoder(nn.Module):
    """Any timm model by name, with the two-branch stem; (N, channels, H, W) to (N, features).

    With `regions` the last feature map is averaged over the foreground and over the background apart, which
    needs a convolutional model; else it is pooled as the model itself does.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self, name: str, *, pretrained: bool, normalized: bool = True, regions: bool = False, channels: int = 3
    ) -> None:
        super().__init__()
        body = imagenet.create(name, pretrained=pretrained)
        first = cast(str, body.pretrained_cfg["first_conv"])
        parent, _, child = first.rpartition(".")
        setattr(body.get_submodule(parent), child, TwoBranchStem(body.get_submodule(first), channels))
        self.body = body
        self.regions = regions
        self.features = cast(int, body.num_features) * 2 if regions else cast(int, body.head_hidden_size)
        config = body.pretrained_cfg if normalized else {"mean": (0.0,) * 3, "std": (1.0,) * 3}
        for key, unchanged in (("mean", 0.0), ("std", 1.0)):
            values = (*config[key], *[unchanged] * (channels - 3))
            self.register_buffer(key, torch.tensor(values)[:, None, None], persistent=False)

    def forward(self, composite: Tensor, mask: Tensor) -> Tensor:
        """Composite (N, channels, H, W) in [0, 1] and mask (N, 1, H, W) to pooled features."""
        seen = torch.cat([(composite - self.mean) / self.std, mask], dim=1)
        if self.regions:
            return pool_regions(self.body.forward_features(seen), mask)
        return cast(Tensor, self.body(seen))


def pool_regions(grid: Tensor, mask: Tensor) -> Tensor:
    """The means of a feature map (N, C, G, G) over foreground and background, (N, 2 C), for a mask (N, 1, H, W)."""
    shares = nn.functional.interpolate(mask, grid.shape[2:], mode="area")
    regions = torch.cat([shares, 1 - shares], dim=1).flatten(2)
    # Added to the area, a hundredth of the picture lets the features of an empty region fade to 0.
    weights = regions / (regions.sum(dim=2, keepdim=True) + 0.01 * regions.shape[2])
    return (weights @ grid.flatten(2).transpose(1, 2)).flatten(1)


def _widened(conv: nn.Conv2d, filters: slice, channels: int) -> nn.Conv2d:
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
