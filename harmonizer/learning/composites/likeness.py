"""Which photographs may lend each other their colours: those whose foregrounds show the like."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from harmonizer.learning import imagenet
from harmonizer.learning.composites import transfers
from harmonizer.learning.composites.draws import Draws
from harmonizer.learning.composites.photos import Photos

Floats = npt.NDArray[np.float32]
Describe = Callable[[Tensor, Tensor], Tensor]
"""Pictures (N, 3, S, S) in [0, 1] and masks (N, 1, S, S) to features of what the foreground shows, (N, F)."""

ALIKE = 16
SEEN = 96
SAME = 0.999  # cosine from which on two foregrounds are one, photographed once
# A transfer looks wrong beyond these: distance between the mean colours, and ratio of the deviations of lightness.
FURTHEST, STEEPEST = 1.2, 2.0


@dataclass(frozen=True)
class Likeness:
    """For each photograph others like it, best first, and the colours of its foreground."""

    alike: npt.NDArray[np.int64]  # (N, ALIKE or fewer)
    mean: Floats  # (N, 3), lightness, yellow-blue and red-green
    deviation: Floats  # (N, 3)

    def choose(self, index: npt.NDArray[np.int64], draws: Draws) -> npt.NDArray[np.int64]:
        """A reference for each photograph of `index` (n,): one like it whose colours could be its own.

        A pair beyond FURTHEST or STEEPEST gives unrealistic composites; where all pairs do, the nearest is taken.
        """
        others = self.alike[index]
        distance = np.linalg.norm(self.mean[others] - self.mean[index, None], axis=2)
        slope = np.abs(np.log(self.deviation[others, 0] / self.deviation[index, None, 0]))
        realistic = (distance < FURTHEST) & (slope < np.log(STEEPEST))
        # The order in which candidates are asked is drawn; a realistic one comes before all others.
        order = np.where(realistic, draws.numbers(others.shape[1]), 1 + distance)
        return np.asarray(others[np.arange(len(index)), order.argmin(axis=1)])


def compare(photos: Photos, describe: Describe, batch: int = 32) -> Likeness:
    """Describe all photographs and find what is alike. The features are compared by their cosine."""
    features, means, deviations = [], [], []
    for images, masks in zip(torch.split(photos.images, batch), torch.split(photos.masks, batch), strict=True):
        pictures, shapes = images[:, :3].float() / 255, masks.float() / 255
        features.append(describe(pictures, shapes).float())
        decorrelated = transfers.to_decorrelated(pictures[:, :, ::4, ::4])
        mean, deviation = transfers.moments(decorrelated, shapes[:, :, ::4, ::4])
        means.append(mean.flatten(1))
        deviations.append(deviation.flatten(1))
    described = torch.cat(features)
    described = torch.nn.functional.normalize(described - described.mean(dim=0), dim=1)
    alike = torch.cat([_nearest(part, described) for part in torch.split(described, 512)])
    host = [torch.cat(each).cpu().numpy() for each in (means, deviations)]
    return Likeness(alike.cpu().numpy(), *host)


def things(device: torch.device) -> Describe:
    """What ImageNet's EfficientNet-Lite0 sees in the foreground, on pictures of SEEN x SEEN pixels."""
    encoder = imagenet.create("tf_efficientnet_lite0", pretrained=True).eval().to(device)
    encoder = encoder.to(memory_format=torch.channels_last)

    @torch.no_grad()
    def describe(pictures: Tensor, masks: Tensor) -> Tensor:
        small = interpolate(pictures, (SEEN, SEEN), mode="bilinear", antialias=True)
        features: Tensor = encoder.forward_features((2 * small - 1).contiguous(memory_format=torch.channels_last))
        shares = interpolate(masks, features.shape[2:], mode="area")
        return (features * shares).sum(dim=(2, 3)) / (shares.sum(dim=(2, 3)) + 1e-3)

    return describe


def mean_colour(pictures: Tensor, masks: Tensor) -> Tensor:
    """The mean colour of the foreground less its grey, (N, 3): a red car is not like a white one."""
    mean = (pictures * masks).sum(dim=(2, 3)) / (masks.sum(dim=(2, 3)) + 1)
    return mean - mean.mean(dim=1, keepdim=True)


def _nearest(part: Tensor, all_features: Tensor) -> Tensor:
    cosine = part @ all_features.T
    # A photograph and its copies, which are other masks of it too, would lend it its own colours.
    cosine = torch.where(cosine > SAME, -2.0, cosine)
    values, places = cosine.topk(min(ALIKE, len(all_features)), dim=1)
    # Of few photographs there are not so many others: the nearest stands for those that lack.
    return places.where(values > -1.5, places[:, :1])
