"""Foregrounds made of the segments of a picture that has no mask, and which foregrounds have texture."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch
from skimage.segmentation import felzenszwalb
from torch import Generator, Tensor

SMALLEST, LARGEST = 0.01, 0.25  # of the frame
SCALES = 60, 600  # of the graph: the higher, the larger the segments
TRIES = 6
PLAIN = 0.02  # mean difference between neighbouring pixels up to which a region counts as plain


def take_segments(pictures: Tensor, generator: Generator) -> Tensor:
    """For each picture a connected group of its segments, SMALLEST to LARGEST of the frame.

    (N, 3, S, S) in [0, 1] to (N, 1, S, S); the segments are those of Felzenszwalb and Huttenlocher (2004). A picture
    without such segments, a plain one for instance, gets an empty mask.
    """
    masks = torch.stack([torch.from_numpy(_group(picture, generator))[None] for picture in _thin(pictures, 2)])
    wide = torch.nn.functional.interpolate(masks, pictures.shape[2:], mode="bilinear")
    return ((wide - 0.5) * 3 + 0.5).clamp(0, 1)  # an edge of a pixel or two, as a mask's after resizing


def are_plain(pictures: Tensor, masks: Tensor) -> Tensor:
    """Which foregrounds have no texture, like skies and roads: (N, 3, S, S), (N, 1, S, S) to (N,) of bool."""
    grey = pictures.mean(dim=1, keepdim=True)
    corner = grey[..., :-1, :-1]
    change = (grey[..., 1:, :-1] - corner).abs() + (grey[..., :-1, 1:] - corner).abs()
    inside = (masks[..., :-1, :-1] > 0.9).to(change)  # without the mask's edges, which are sharp around any texture
    return (change * inside).sum(dim=(1, 2, 3)) < PLAIN * (inside.sum(dim=(1, 2, 3)) + 1)


def _thin(pictures: Tensor, step: int) -> npt.NDArray[np.float32]:
    """Every `step`-th row and column, channels last: enough for segments, which take less time then."""
    thinned: npt.NDArray[np.float32] = pictures[:, :, ::step, ::step].permute(0, 2, 3, 1).numpy()
    return thinned


def _label(picture: npt.NDArray[np.float32], scale: float) -> npt.NDArray[np.int64]:
    """A number for each pixel's segment; none is smaller than a hundredth of the picture."""
    least = max(1, picture.shape[0] * picture.shape[1] // 100)
    labels: npt.NDArray[np.int64] = felzenszwalb(picture, scale=scale, sigma=0.8, min_size=least).astype(np.int64)
    return labels


def _group(picture: npt.NDArray[np.float32], generator: Generator) -> npt.NDArray[np.float32]:
    """Of several groups of segments the one that differs most from its surroundings, as objects do.

    Otherwise pieces of a sky or a wall would teach the network that a foreground looks like its surroundings.
    """
    scale, goal = _between(*SCALES, generator), _between(SMALLEST, LARGEST, generator)
    labels = _label(picture, scale)
    areas = np.bincount(labels.ravel()) / labels.size
    starts = np.flatnonzero(areas <= LARGEST)
    if not len(starts):
        return np.zeros(labels.shape, np.float32)
    touching = _neighbours(labels, len(areas))
    firsts = [int(starts[_below(len(starts), generator)]) for _ in range(TRIES)]
    masks = [np.isin(labels, list(_grow(first, goal, areas, touching, generator))) for first in firsts]
    return max(masks, key=lambda mask: _contrast(picture, mask)).astype(np.float32)


def _grow(
    start: int, goal: float, areas: npt.NDArray[np.float64], touching: npt.NDArray[np.bool_], generator: Generator
) -> set[int]:
    """A segment and random ones around it, until they cover `goal` of the frame or would cover more than LARGEST."""
    group = {start}
    while (area := areas[list(group)].sum()) < goal:
        around = np.flatnonzero(touching[list(group)].any(axis=0) & (areas + area <= LARGEST))
        around = np.setdiff1d(around, list(group))
        if not len(around):
            break
        group.add(int(around[_below(len(around), generator)]))
    return group


def _contrast(picture: npt.NDArray[np.float32], mask: npt.NDArray[np.bool_]) -> float:
    """The distance between the mean colours within the mask and around it, reduced where the inside is plain."""
    reach = max(1, len(mask) // 16)
    wide = torch.nn.functional.max_pool2d(torch.from_numpy(mask)[None].float(), 2 * reach + 1, 1, reach)
    ring = (wide[0].numpy() > 0) & ~mask
    if not ring.any():
        return 0.0
    inside = picture[mask].mean(axis=0)
    texture = np.abs(picture[mask] - inside).mean()
    return float(np.linalg.norm(inside - picture[ring].mean(axis=0)) * np.clip(texture / 0.05, 0.1, 1))


def _neighbours(labels: npt.NDArray[np.int64], count: int) -> npt.NDArray[np.bool_]:
    """(count, count): which segments share an edge."""
    touching = np.zeros((count, count), np.bool_)
    for first, second in ((labels[:, :-1], labels[:, 1:]), (labels[:-1], labels[1:])):
        touching[first, second] = touching[second, first] = True
    return touching


def _between(low: float, high: float, generator: Generator) -> float:
    """A random number, uniform on a logarithmic scale."""
    share = float(torch.rand((), generator=generator))
    return math.exp(math.log(low) + share * (math.log(high) - math.log(low)))


def _below(count: int, generator: Generator) -> int:
    return int(torch.randint(count, (), generator=generator))
