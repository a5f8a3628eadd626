"""Which photographs may lend each other their colours: those with similar foregrounds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from harmonizer.learning.composites import transfers
from harmonizer.learning.composites.draws import Draws
from harmonizer.learning.composites.sources.parallel import map_in_threads
from harmonizer.learning.composites.sources.photos import Photos
from harmonizer.learning.network import pretrained

Floats = npt.NDArray[np.float32]
Describe = Callable[[Tensor, Tensor], Tensor]
"""Pictures (N, 3, S, S) in [0, 1] and masks (N, 1, S, S) to features of the foregrounds, (N, F)."""

NEIGHBOURS = 16
SIDE = 96  # pixels of the pictures that ImageNet's encoder describes
SAME = 0.999  # cosine from which on two foregrounds are the same one
# Beyond these a transfer looks wrong: distance of the mean colours, and ratio of the deviations of lightness.
FURTHEST, STEEPEST = 1.2, 2.0


@dataclass(frozen=True)
class SimilarPhotos:
    """For each photograph the most similar others, best first, and the colours of its foreground."""

    neighbours: npt.NDArray[np.int64]  # (N, NEIGHBOURS or fewer)
    mean: Floats  # (N, 3), lightness, yellow-blue and red-green
    deviation: Floats  # (N, 3)

    def choose(self, index: npt.NDArray[np.int64], draws: Draws) -> npt.NDArray[np.int64]:
        """A reference for each photograph of `index` (n,): a similar one with colours that it could have.

        Pairs beyond FURTHEST or STEEPEST give unrealistic composites; if all are, the nearest in colour is taken.
        """
        others = self.neighbours[index]
        distance = np.linalg.norm(self.mean[others] - self.mean[index, None], axis=2)
        slope = np.abs(np.log(self.deviation[others, 0] / self.deviation[index, None, 0]))
        realistic = (distance < FURTHEST) & (slope < np.log(STEEPEST))
        # A random one of the realistic candidates, or else the nearest.
        order = np.where(realistic, draws.numbers(others.shape[1]), 1 + distance)
        return np.asarray(others[np.arange(len(index)), order.argmin(axis=1)])


def find_similar(photos: Photos, describe: Describe, batch: int = 32) -> SimilarPhotos:
    """Describe all photographs, and find for each those with the nearest features by their cosine."""

    @torch.inference_mode()
    def measure(begin: int) -> tuple[Tensor, Tensor, Tensor]:
        pictures = photos.images[begin : begin + batch, :3].float() / 255
        shapes = photos.masks[begin : begin + batch].float() / 255
        decorrelated = transfers.to_decorrelated(pictures[:, :, ::4, ::4])
        mean, deviation = transfers.moments(decorrelated, shapes[:, :, ::4, ::4])
        return describe(pictures, shapes).float(), mean.flatten(1), deviation.flatten(1)

    begins = range(0, len(photos), batch)
    results = map_in_threads(measure, begins) if photos.images.device.type == "cpu" else map(measure, begins)
    features, mean, deviation = (torch.cat(parts) for parts in zip(*results, strict=True))
    features = torch.nn.functional.normalize(features - features.mean(dim=0), dim=1)
    neighbours = torch.cat([_nearest(part, features) for part in torch.split(features, 512)])
    return SimilarPhotos(*(each.cpu().numpy() for each in (neighbours, mean, deviation)))


def object_features(device: torch.device) -> Describe:
    """Features of ImageNet's EfficientNet-Lite0 over the foreground, on pictures of SIDE x SIDE pixels."""
    encoder = pretrained.create("tf_efficientnet_lite0", pretrained=True).eval().to(device)
    encoder = encoder.to(memory_format=torch.channels_last)

    @torch.inference_mode()
    def describe(pictures: Tensor, masks: Tensor) -> Tensor:
        small = interpolate(pictures, (SIDE, SIDE), mode="bilinear", antialias=True)
        features: Tensor = encoder.forward_features((2 * small - 1).contiguous(memory_format=torch.channels_last))
        shares = interpolate(masks, features.shape[2:], mode="area")
        return (features * shares).sum(dim=(2, 3)) / (shares.sum(dim=(2, 3)) + 1e-3)

    return describe


def mean_colour(pictures: Tensor, masks: Tensor) -> Tensor:
    """The mean colour of the foreground less its grey, (N, 3), so that a red car is unlike a white one."""
    mean = (pictures * masks).sum(dim=(2, 3)) / (masks.sum(dim=(2, 3)) + 1)
    return mean - mean.mean(dim=1, keepdim=True)


SIMILARITIES: dict[str, Callable[[torch.device], Describe]] = {
    "colours": lambda device: mean_colour,  # noqa: ARG005
    "things": object_features,
}
"""What makes photographs similar: the hues of their foregrounds, or the things that these show."""


def _nearest(part: Tensor, vectors: Tensor) -> Tensor:
    cosine = part @ vectors.T
    # A photograph and its copies, among them its other masks, would lend it its own colours.
    cosine = torch.where(cosine > SAME, -2.0, cosine)
    values, index = cosine.topk(min(NEIGHBOURS, len(vectors)), dim=1)
    # If there are too few others, the nearest fills the list.
    return index.where(values > -1.5, index[:, :1])
