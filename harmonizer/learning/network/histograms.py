"""Soft histograms of foreground and background: colours, which pooled convolutional features lose."""

from __future__ import annotations

from itertools import chain

import torch
from torch import Tensor, nn

from harmonizer.learning.network.regressor import identity_output

BINS = 16
CHANNELS = 5  # red, green, blue, luma, chroma
WIDTH = 2 * CHANNELS * (BINS + 2) + 1


def soft_histograms(composite: Tensor, mask: Tensor) -> Tensor:
    """Soft histograms, means and deviations of R, G, B, luma and chroma over both regions, and the mask's share.

    Composite (N, 3, H, W) in [0, 1] and mask (N, 1, H, W) to (N, WIDTH). They are measured on every second row and
    column, which gives as much as all pixels do.
    """
    # Pooling, and one channel after the other: ONNX Runtime takes over twice as long to stride and to reduce channels.
    composite, mask = (nn.functional.max_pool2d(picture, 1, 2) for picture in (composite, mask))
    red, green, blue = composite.chunk(3, dim=1)
    luma = (red + green + blue) / 3
    chroma = torch.maximum(torch.maximum(red, green), blue) - torch.minimum(torch.minimum(red, green), blue)
    channels = torch.cat([composite, luma, chroma], dim=1).flatten(2)
    inside = mask.flatten(1)
    regions = inside, 1 - inside
    area = torch.stack([region.sum(dim=1) for region in regions], dim=1)[:, None, None]
    # A bin is a hat function between its neighbours' centres, and a hat is the second difference of ramps: a ramp takes
    # half as many operations. Values lie in [0, 1], so the ramp from below 0 is linear and those from 1 on are 0.
    width = 1 / (BINS - 1)
    ramps = (torch.relu_(channels - index * width) for index in range(1, BINS - 1))
    # One product for each region: ONNX Runtime takes twice as long for both at once. One ramp after the other: torch
    # takes longer to store them all than to compute them.
    columns = [region[:, :, None] for region in regions]
    sums = [values @ column for values in chain([channels], ramps, [channels * channels]) for column in columns]
    # The 1 lets the values of an empty region go to 0 instead of blowing up.
    averages = torch.cat(sums, dim=2).view(-1, CHANNELS, BINS, 2).transpose(1, 2) / (area + 1)
    mean, square = averages[:, :1], averages[:, -1:]
    below = mean + width * area / (area + 1)
    knots = torch.cat([below, averages[:, :-1], 0 * mean, 0 * mean], dim=1)
    hats = (knots[:, :-2] - 2 * knots[:, 1:-1] + knots[:, 2:]) / width
    deviation = ((square - mean**2).clamp_min(0) + 1e-4).sqrt()
    return torch.cat([*(part.flatten(1) for part in (hats, 2 * mean, 4 * deviation)), inside.mean(1, True)], dim=1)


class HistogramFeatures(nn.Sequential):
    """Soft histograms (N, WIDTH) to features (N, features)."""

    def __init__(self, features: int = 256) -> None:
        super().__init__(
            nn.LayerNorm(WIDTH), nn.Linear(WIDTH, features), nn.GELU(), nn.Linear(features, features), nn.GELU()
        )
        self.features = features


class HistogramRegressor(nn.Module):
    """Theta from soft histograms alone, (N, WIDTH) to (N, count) in (-1, 1)."""

    def __init__(self, count: int, dropout: float) -> None:
        super().__init__()
        self.histograms = HistogramFeatures()
        self.dropout = nn.Dropout(dropout)
        self.output = identity_output(self.histograms.features, count)

    def forward(self, histograms: Tensor) -> Tensor:
        """See the class."""
        return torch.tanh(self.output(self.dropout(self.histograms(histograms))))
