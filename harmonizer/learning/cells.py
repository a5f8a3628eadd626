"""Every part of the picture compared with every other, like with like.

A thumbnail is divided into cells of 16 pixels. Of each the encoder tells what it shows, and a few moments what
colours the foreground and the background have in it; attention between the cells then finds what is comparable.
"""

from __future__ import annotations

from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn

from harmonizer.errors import CheckpointError
from harmonizer.learning import imagenet
from harmonizer.learning.encoder import pool_regions
from harmonizer.learning.regressor import identity_output

CELL = 16


def moments_of(channels: int) -> int:
    """How many: the mask's share, mean and deviation of each channel in both regions, and the place."""
    return 1 + 4 * channels + 2


class GridEncoder(nn.Module):
    """The stages of a timm model that see an eighth and a sixteenth of the sides, and with `last` a 32nd.

    In two parts: `look` ends at the eighth and costs most of the time, but what it finds are edges and textures, which
    need no training beyond ImageNet's; `finish` goes on to what the picture shows. Both see the composite alone, as
    they did on ImageNet: the mask enters with the moments of the cells.
    Raises CheckpointError for a model without a sequence of such stages.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, name: str, *, pretrained: bool, last: bool = False) -> None:
        super().__init__()
        self.body = imagenet.create(name, pretrained=pretrained)
        stages = {info["reduction"]: index for index, info in enumerate(self.body.feature_info)}
        parts = ("conv_stem", "bn1", "blocks")
        sides = (CELL // 2, CELL, 2 * CELL)[: 3 if last else 2]
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
        self.ends = [1 + int(info["module"].removeprefix("blocks.")) for info in infos]
        for key in ("mean", "std"):
            values = torch.tensor(self.body.pretrained_cfg[key])[:, None, None]
            self.register_buffer(key, values, persistent=False)

    @property
    def looking(self) -> list[nn.Module]:
        """The modules that `look` runs."""
        return [self.body.conv_stem, self.body.bn1, *self.body.blocks[: self.ends[0]]]

    def look(self, composite: Tensor) -> Tensor:
        """Composite (N, 3 or more, S, S) in [0, 1] to its colours' features at an eighth, (N, C, S / 8, S / 8)."""
        features = (composite[:, :3] - self.mean) / self.std
        for module in self.looking:
            features = module(features)
        return features

    def finish(self, fine: Tensor) -> list[Tensor]:
        """What `look` gives to (N, features, S / 16, S / 16), and with `last` (N, last_features, S / 32, S / 32)."""
        maps = [fine]
        for start, end in pairwise(self.ends):
            maps.append(cast(Tensor, self.body.blocks[start:end](maps[-1])))
        return [torch.cat([nn.functional.avg_pool2d(fine, 2), maps[1]], dim=1), *maps[2:]]

    def forward(self, composite: Tensor) -> list[Tensor]:
        """Both parts."""
        return self.finish(self.look(composite))


def measure_cells(composite: Tensor, mask: Tensor) -> Tensor:
    """The moments of each cell, (N, moments_of(C), S / CELL, S / CELL), of a composite (N, C, S, S) and mask.

    Where a region is not, its mean is 0.
    """
    # Less is lost to rounding of squares around the middle of the range; and of what lies outside where it is summed by
    # itself, not as the whole less the inside. What a part below 1 shifts, the last term of the variance undoes.
    share, centred = pool_cells(mask), composite - 0.5
    inside = centred * mask
    moments = [share]
    for region, picture in ((share, inside), (1 - share, centred - inside)):
        area = region + 1e-3
        part, mean = region / area, pool_cells(picture) / area
        variance = (pool_cells(centred * picture) / area - mean * mean + (1 - part) * (part / 4 + mean)).clamp_min(0)
        moments += [2 * mean + part - (area > 2e-3).to(mean), 4 * (variance + 1e-5).sqrt()]
    rows, columns = (torch.linspace(-1, 1, side, device=mask.device) for side in share.shape[2:])
    place = torch.stack(torch.meshgrid(rows, columns, indexing="ij"))
    return torch.cat([*moments, place.expand(len(mask), -1, -1, -1)], dim=1)


def pool_cells(picture: Tensor) -> Tensor:
    """The mean of each cell, (N, C, S, S) to (N, C, S / CELL, S / CELL)."""
    if not torch.compiler.is_exporting():
        count, channels, height, width = picture.shape
        return picture.reshape(count, channels, height // CELL, CELL, width // CELL, CELL).mean(dim=(3, 5))
    # By products with two matrices: ONNX Runtime takes six times as long to pool over windows so large.
    down, across = (
        torch.eye(side // CELL, device=picture.device, dtype=picture.dtype).repeat_interleave(CELL, dim=1) / CELL
        for side in picture.shape[2:]
    )
    return down @ (picture @ across.T)


class CellAttention(nn.Module):
    """Attention over the cells; then the mean over the foreground's and over the background's."""

    def __init__(self, seen: int, moments: int, context: int, width: int, layers: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.features = 2 * width
        # Frozen features keep the scale of ImageNet's last batch norms, which differs by channel.
        self.norm = nn.BatchNorm1d(seen, affine=False, momentum=0.01)
        self.embed = nn.Linear(seen + moments, width)
        self.context = nn.Linear(context, width) if context else None
        self.layers = nn.ModuleList(AttentionLayer(width, dropout) for _ in range(layers))
        self.dropout = nn.Dropout(dropout)
        self.out = nn.LayerNorm(width)

    def forward(self, seen: Tensor, moments: Tensor, context: Tensor, patches: float = 1.0) -> Tensor:
        """(N, seen, G, G), (N, moments, G, G), and (N, context) of the picture as a whole, to (N, features).

        With `patches` below 1 it sees that share of the cells of each picture, by `draw_cells`.
        """
        seen, moments = self.norm(seen.flatten(2)), moments.flatten(2)
        cells = torch.cat([seen, moments], dim=1).transpose(1, 2)
        if patches < 1:
            places = draw_cells(moments[:, 0], patches)
            cells = cells.take_along_dim(places[:, :, None], dim=1)
            moments = moments.take_along_dim(places[:, None], dim=2)
        cells = self.embed(cells)
        if self.context is not None:
            cells = cells + self.context(context)[:, None]
        cells = self.dropout(cells)
        for layer in self.layers:
            cells = layer(cells)
        share = moments[:, :1]
        regions = torch.cat([share, 1 - share], dim=1)
        weights = regions / (regions.sum(dim=2, keepdim=True) + 1e-3)
        return cast(Tensor, (weights @ self.out(cells)).flatten(1))


def draw_cells(shares: Tensor, patches: float) -> Tensor:
    """Draw the places (N, P) of a part `patches` of the cells for each picture, from the mask's shares (N, cells).

    An eighth of them at least is of the foreground and an eighth of the background, as far as there are such cells:
    so a region that few cells show is not lost.
    """
    places = max(1, round(patches * shares.shape[1]))
    noise = torch.rand(shares.shape, device=shares.device)
    rank = noise
    # The foreground weighs more, for where there is room for one cell alone.
    for weight, region in ((1, shares < 1), (2, shares > 0)):
        least = noise.where(region, -1).topk(max(1, places // 8), dim=1).indices
        rank = rank.scatter_add(1, least, weight * region.gather(1, least).to(rank))
    return rank.topk(places, dim=1).indices


class LastStage(nn.Module):
    """What the encoder's last stage sees over foreground and background, (N, features); 0 before it has learned."""

    def __init__(self, seen: int, features: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(seen, affine=False, momentum=0.01)  # as in CellAttention
        self.output = identity_output(2 * seen, features)

    def forward(self, seen: Tensor, shares: Tensor) -> Tensor:
        """(N, seen, G, G) and the mask or its shares of larger cells, (N, 1, H, W)."""
        return cast(Tensor, self.output(pool_regions(self.norm(seen.flatten(2)).view(seen.shape), shares)))


class AttentionLayer(nn.Module):
    """A transformer layer with normalisation before each part (Xiong et al. 2020); (N, cells, width) to the same."""

    def __init__(self, width: int, dropout: float, heads: int = 4, expansion: int = 2) -> None:
        super().__init__()
        self.heads = heads
        self.before_attention, self.before_mixing = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.join = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)
        self.mix = nn.Sequential(nn.Linear(width, expansion * width), nn.GELU(), nn.Linear(expansion * width, width))

    def forward(self, cells: Tensor) -> Tensor:
        """See the class."""
        count, places, width = cells.shape
        # Of two axes: ONNX Runtime then adds biases within its products.
        cells = cells.flatten(0, 1)
        projected = self.query_key_value(self.before_attention(cells)).view(count, places, 3 * self.heads, -1)
        query, key, value = projected.transpose(1, 2).chunk(3, dim=1)
        attended = nn.functional.scaled_dot_product_attention(query, key, value)
        cells = cells + self.dropout(self.join(attended.transpose(1, 2).flatten(0, 1).flatten(1)))
        cells = cells + self.dropout(self.mix(self.before_mixing(cells)))
        return cells.view(count, places, width)
