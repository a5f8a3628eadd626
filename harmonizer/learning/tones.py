"""The tones of foreground and background, which pooled convolutional features are blind to."""

from __future__ import annotations

import torch
from torch import Tensor, nn

BINS = 16
CHANNELS = 5  # red, green, blue, luma, chroma
WIDTH = 2 * CHANNELS * (BINS + 2) + 1


def describe_tones(composite: Tensor, mask: Tensor) -> Tensor:
    """Soft histograms, means and deviations of R, G, B, luma and chroma over both regions, and the mask's share.

    Composite (N, 3, H, W) in [0, 1] and mask (N, 1, H, W) to (N, WIDTH). Every second pixel each way tells as much
    as all of them.
    """
    composite, mask = composite[:, :, ::2, ::2], mask[:, :, ::2, ::2]
    luma = composite.mean(dim=1, keepdim=True)
    chroma = composite.amax(dim=1, keepdim=True) - composite.amin(dim=1, keepdim=True)
    channels = torch.cat([composite, luma, chroma], dim=1).flatten(2)
    regions = torch.cat([mask, 1 - mask], dim=1).flatten(2)
    area = regions.sum(dim=2, keepdim=True)
    shares = (regions / (area + 1)).transpose(1, 2)  # an empty region has no tones rather than wild ones
    width = 1 / (BINS - 1)
    described = [torch.relu(1 - (channels - index * width).abs() / width) @ shares for index in range(BINS)]
    mean = channels @ shares
    variance = (channels**2) @ shares - mean**2
    described += [2 * mean, 4 * (variance.clamp_min(0) + 1e-4).sqrt()]
    coverage = mask.mean(dim=(1, 2, 3))[:, None]
    return torch.cat([torch.stack(described, dim=1).flatten(1), coverage], dim=1)


class Tones(nn.Sequential):
    """From what `describe_tones` gives to (N, features)."""

    def __init__(self, features: int = 256) -> None:
        super().__init__(
            nn.LayerNorm(WIDTH), nn.Linear(WIDTH, features), nn.GELU(), nn.Linear(features, features), nn.GELU()
        )
        self.features = features
