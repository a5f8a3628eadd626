"""The tones of foreground and background, which pooled convolutional features are blind to."""

from __future__ import annotations

from itertools import chain

import torch
from torch import Tensor, nn

from harmonizer.learning.regressor import identity_output

BINS = 16
CHANNELS = 5  # red, green, blue, luma, chroma
WIDTH = 2 * CHANNELS * (BINS + 2) + 1


def describe_tones(composite: Tensor, mask: Tensor) -> Tensor:
    """Soft histograms, means and deviations of R, G, B, luma and chroma over both regions, and the mask's share.

    Composite (N, 3, H, W) in [0, 1] and mask (N, 1, H, W) to (N, WIDTH). Every second pixel each way tells as much
    as all of them.
    """
    # By pooling, and channel by channel: striding and reducing over channels take ONNX Runtime over twice as long.
    composite, mask = (nn.functional.max_pool2d(picture, 1, 2) for picture in (composite, mask))
    red, green, blue = composite.chunk(3, dim=1)
    luma = (red + green + blue) / 3
    chroma = torch.maximum(torch.maximum(red, green), blue) - torch.minimum(torch.minimum(red, green), blue)
    channels = torch.cat([composite, luma, chroma], dim=1).flatten(2)
    inside = mask.flatten(1)
    regions = inside, 1 - inside
    area = torch.stack([region.sum(dim=1) for region in regions], dim=1)[:, None, None]
    # A bin is a hat between its neighbours' centres, and a hat the second difference of ramps: one of these takes half
    # the operations. Values lie in [0, 1], so the ramp from below 0 is known, and those from 1 on are 0.
    width = 1 / (BINS - 1)
    ramps = (torch.relu_(channels - index * width) for index in range(1, BINS - 1))
    # One product for each region: ONNX Runtime takes twice as long for both at once. One ramp after the other: all of
    # them take torch longer than they take to make anew.
    columns = [region[:, :, None] for region in regions]
    sums = [values @ column for values in chain([channels], ramps, [channels * channels]) for column in columns]
    # An empty region has no tones rather than wild ones.
    averages = torch.cat(sums, dim=2).view(-1, CHANNELS, BINS, 2).transpose(1, 2) / (area + 1)
    mean, square = averages[:, :1], averages[:, -1:]
    below = mean + width * area / (area + 1)
    knots = torch.cat([below, averages[:, :-1], 0 * mean, 0 * mean], dim=1)
    hats = (knots[:, :-2] - 2 * knots[:, 1:-1] + knots[:, 2:]) / width
    deviation = ((square - mean**2).clamp_min(0) + 1e-4).sqrt()
    return torch.cat([*(part.flatten(1) for part in (hats, 2 * mean, 4 * deviation)), inside.mean(1, True)], dim=1)


class Tones(nn.Sequential):
    """From what `describe_tones` gives to (N, features)."""

    def __init__(self, features: int = 256) -> None:
        super().__init__(
            nn.LayerNorm(WIDTH), nn.Linear(WIDTH, features), nn.GELU(), nn.Linear(features, features), nn.GELU()
        )
        self.features = features


class ToneRegressor(nn.Module):
    """Theta from what `describe_tones` gives, (N, WIDTH) to (N, count) in (-1, 1), whatever the pictures show."""

    def __init__(self, count: int, dropout: float) -> None:
        super().__init__()
        self.tones = Tones()
        self.dropout = nn.Dropout(dropout)
        self.output = identity_output(self.tones.features, count)

    def forward(self, tones: Tensor) -> Tensor:
        return torch.tanh(self.output(self.dropout(self.tones(tones))))
