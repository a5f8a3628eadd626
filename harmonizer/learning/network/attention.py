"""Attention between patches, which compares every part of the picture with every other.

A picture is divided into patches of 16 x 16 pixels. For each patch there are the encoder's features and the moments of
its colours in foreground and background; attention finds which patches are comparable.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from harmonizer.learning.network.encoders import PATCH, pool_regions
from harmonizer.learning.network.regressor import identity_output


def moment_count(channels: int) -> int:
    """Moments of a patch: the mask's share, mean and deviation of each channel in both regions, and the position."""
    return 1 + 4 * channels + 2


def measure_patches(composite: Tensor, mask: Tensor) -> Tensor:
    """The moments of each patch, (N, moment_count(C), S / PATCH, S / PATCH), of composite (N, C, S, S) and mask.

    The mean of an empty region is 0.
    """
    # Squares around the middle of the range lose fewer digits, and so does a sum over the outside itself instead of the
    # whole less the inside. The last term of the variance corrects for a part below 1.
    share, centred = pool_patches(mask), composite - 0.5
    inside = centred * mask
    moments = [share]
    for region, picture in ((share, inside), (1 - share, centred - inside)):
        area = region + 1e-3
        part, mean = region / area, pool_patches(picture) / area
        variance = (pool_patches(centred * picture) / area - mean * mean + (1 - part) * (part / 4 + mean)).clamp_min(0)
        moments += [2 * mean + part - (area > 2e-3).to(mean), 4 * (variance + 1e-5).sqrt()]
    rows, columns = (torch.linspace(-1, 1, side, device=mask.device) for side in share.shape[2:])
    position = torch.stack(torch.meshgrid(rows, columns, indexing="ij"))
    return torch.cat([*moments, position.expand(mask.shape[0], -1, -1, -1)], dim=1)


def pool_patches(picture: Tensor) -> Tensor:
    """The mean of each patch, (N, C, S, S) to (N, C, S / PATCH, S / PATCH)."""
    if not torch.compiler.is_exporting():
        count, channels, height, width = picture.shape
        return picture.reshape(count, channels, height // PATCH, PATCH, width // PATCH, PATCH).mean(dim=(3, 5))
    # Two matrix products: ONNX Runtime takes six times as long to pool over such large windows.
    down, across = (
        torch.eye(side // PATCH, device=picture.device, dtype=picture.dtype).repeat_interleave(PATCH, dim=1) / PATCH
        for side in picture.shape[2:]
    )
    return down @ (picture @ across.T)


class PatchAttention(nn.Module):
    """Attention over the patches, then the means over those of the foreground and of the background."""

    def __init__(self, maps: int, moments: int, context: int, width: int, layers: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.features = 2 * width
        # Frozen features have the scale of ImageNet's last batch norms, which differs by channel.
        self.norm = nn.BatchNorm1d(maps, affine=False, momentum=0.01)
        self.embed = nn.Linear(maps + moments, width)
        self.context = nn.Linear(context, width) if context else None
        self.layers = nn.ModuleList(AttentionLayer(width, dropout) for _ in range(layers))
        self.dropout = nn.Dropout(dropout)
        self.out = nn.LayerNorm(width)

    def forward(self, maps: Tensor, moments: Tensor, context: Tensor, patch_share: float = 1.0) -> Tensor:
        """(N, maps, G, G), (N, moments, G, G), and (N, context) of the picture as a whole, to (N, features).

        With `patch_share` below 1 it reads that share of each picture's patches, chosen by `draw_patches`.
        """
        maps, moments = self.norm(maps.flatten(2)), moments.flatten(2)
        patches = torch.cat([maps, moments], dim=1).transpose(1, 2)
        if patch_share < 1:
            index = draw_patches(moments[:, 0], patch_share)
            patches = patches.take_along_dim(index[:, :, None], dim=1)
            moments = moments.take_along_dim(index[:, None], dim=2)
        patches = self.embed(patches)
        if self.context is not None:
            patches = patches + self.context(context)[:, None]
        patches = self.dropout(patches)
        for layer in self.layers:
            patches = layer(patches)
        share = moments[:, :1]
        regions = torch.cat([share, 1 - share], dim=1)
        weights = regions / (regions.sum(dim=2, keepdim=True) + 1e-3)
        return cast(Tensor, (weights @ self.out(patches)).flatten(1))


def draw_patches(shares: Tensor, patch_share: float) -> Tensor:
    """Draw `patch_share` of the patches of each picture: indices (N, P), from the mask's shares (N, patches).

    At least an eighth of them shows foreground and an eighth background, as far as there are such patches, so that a
    small region is not lost.
    """
    count = max(1, round(patch_share * shares.shape[1]))
    noise = torch.rand(shares.shape, device=shares.device)
    rank = noise
    # The foreground weighs more, for where there is room for one patch alone.
    for weight, region in ((1, shares < 1), (2, shares > 0)):
        required = noise.where(region, -1).topk(max(1, count // 8), dim=1).indices
        rank = rank.scatter_add(1, required, weight * region.gather(1, required).to(rank))
    return rank.topk(count, dim=1).indices


class LastStage(nn.Module):
    """The encoder's last stage pooled over foreground and background, to (N, features); 0 before it has learned."""

    def __init__(self, maps: int, features: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(maps, affine=False, momentum=0.01)  # as in PatchAttention
        self.output = identity_output(2 * maps, features)

    def forward(self, maps: Tensor, shares: Tensor) -> Tensor:
        """(N, maps, G, G) and the mask, or its shares of larger patches, (N, 1, H, W)."""
        return cast(Tensor, self.output(pool_regions(self.norm(maps.flatten(2)).view(maps.shape), shares)))


class AttentionLayer(nn.Module):
    """A transformer layer with normalisation before each part (Xiong et al. 2020); (N, patches, width) to the same."""

    def __init__(self, width: int, dropout: float, heads: int = 4, expansion: int = 2) -> None:
        super().__init__()
        self.heads = heads
        self.before_attention, self.before_mixing = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.join = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)
        self.mix = nn.Sequential(nn.Linear(width, expansion * width), nn.GELU(), nn.Linear(expansion * width, width))

    def forward(self, patches: Tensor) -> Tensor:
        """See the class."""
        count, length, width = patches.shape
        # With two axes ONNX Runtime adds the biases within its matrix products.
        patches = patches.flatten(0, 1)
        projected = self.query_key_value(self.before_attention(patches)).view(count, length, 3 * self.heads, -1)
        query, key, value = projected.transpose(1, 2).chunk(3, dim=1)
        attended = nn.functional.scaled_dot_product_attention(query, key, value)
        patches = patches + self.dropout(self.join(attended.transpose(1, 2).flatten(0, 1).flatten(1)))
        patches = patches + self.dropout(self.mix(self.before_mixing(patches)))
        return patches.view(count, length, width)
