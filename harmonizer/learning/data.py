"""The batches of composites made of photographs."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Generator, Tensor

from harmonizer.learning import augment, synthesis
from harmonizer.learning.augment import Augmentation
from harmonizer.learning.photos import Photos
from harmonizer.learning.recipes import SHARD, Recipe
from harmonizer.learning.segments import are_plain, take_segments
from whitebox_filters import Cascade

PICTURES = ("composite", "mask", "seen", "real", "guides")


@dataclass(frozen=True)
class Batch:
    """Composites; the first `len(targets[0])` have a target for every step, the others only for the last.

    All float32 in [0, 1]: composite and real (N, 3, S, S); mask, by which composites were pasted, and seen, which
    is what the network is given for it, (N, 1, S, S); guides (N, G, S, S).
    """

    composite: Tensor
    mask: Tensor
    seen: Tensor
    real: Tensor
    guides: Tensor
    targets: list[Tensor]

    @property
    def inputs(self) -> tuple[Tensor, Tensor]:
        """What the network is given: (N, 3 + G, S, S) and (N, 1, S, S)."""
        return torch.cat([self.composite, self.guides], dim=1), self.seen

    def to(self, device: torch.device) -> Batch:
        """The same batch on another device."""
        moved = {name: getattr(self, name).to(device) for name in PICTURES}
        return replace(self, **moved, targets=[target.to(device) for target in self.targets])

    def thin(self) -> Batch:
        """Every second pixel each way."""

        def thinned(picture: Tensor) -> Tensor:
            return picture[:, :, ::2, ::2].contiguous()

        kept = {name: thinned(getattr(self, name)) for name in PICTURES}
        return replace(self, **kept, targets=[thinned(target) for target in self.targets])


def draw(photos: Photos, indices: Tensor, size: int, generator: Generator, whole: float = 0.0) -> tuple[Tensor, Tensor]:
    """Random crops (at least half of each side) and flips, resized to (n, 3 + G, size, size) and (n, 1, size, size).

    A share `whole` of them is not cropped.
    """
    crops = []
    for index in indices.tolist():
        image, mask = photos.images[index : index + 1], photos.masks[index : index + 1]
        if torch.rand((), generator=generator) >= whole:
            rows, columns = _crop(mask[0, 0], generator)
            image, mask = image[..., rows, columns], mask[..., rows, columns]
        crop = torch.cat([_resize(image, size), _resize(mask, size)], dim=1)
        crops.append(crop.flip(3) if torch.rand((), generator=generator) < 0.5 else crop)
    batch = torch.cat(crops).contiguous().float() / 255
    return batch[:, :-1].contiguous(), batch[:, -1:].contiguous()


@torch.no_grad()
def make_batch(
    photos: Photos,
    cascade: Cascade,
    count: int,
    size: int,
    generator: Generator,
    *,
    augmentation: Augmentation | None = None,
    stepwise: float = 0.5,
    names: Sequence[str] = synthesis.RECIPES,
) -> Batch:
    """A share `stepwise` of `count` composites by Eq. 8, the rest by the named recipes at random."""
    share = augmentation or Augmentation()
    indices = torch.randint(len(photos), (count,), generator=generator)
    pictures, mask = draw(photos, indices, size, generator, share.whole)
    real, guides = pictures[:, :3].contiguous(), pictures[:, 3:].contiguous()
    segmented = (torch.rand(count, generator=generator) < share.segment) | (mask.amax(dim=(1, 2, 3)) == 0)
    if share.textured:
        segmented |= are_plain(real, mask)
    if segmented.any():
        mask[segmented] = take_segments(real[segmented], generator)
    real = augment.befall(share.refocus, augment.refocus, real, generator)
    real = augment.befall(share.hours, augment.light_anew, real, generator)
    real = augment.befall(share.backlight, synthesis.backlight, real, generator)
    real = augment.befall(share.light, augment.relight_whole, real, generator)
    mask = augment.befall(share.part, augment.take_part, mask, generator)
    mask = augment.befall(share.cut, augment.cut_badly, mask, generator)
    half = round(stepwise * count)
    composite, targets = synthesis.distort(real[:half], mask[:half], cascade, generator)
    imitated, goal = _imitate(photos, real[half:], mask[half:], names, generator, share.light)
    composite, real = torch.cat([composite, imitated]), torch.cat([real[:half], goal])
    composite = augment.befall(share.jpeg, augment.compress, composite, generator)
    seen = augment.befall(share.misseen, augment.cut_badly, mask, generator)
    return Batch(composite, mask, seen, real, guides, targets)


def shard(photos: Photos, cascade: Cascade, recipe: Recipe, step: int, index: int) -> Batch:
    """The SHARD pictures at a place of a step's batch; recipe, step and place alone decide them."""
    seed = np.random.SeedSequence((recipe.seed, step, index)).generate_state(1, np.uint64)[0]
    return make_batch(
        photos,
        cascade,
        SHARD,
        recipe.size(step),
        Generator().manual_seed(int(seed >> np.uint64(1))),
        augmentation=recipe.augmentation,
        stepwise=recipe.stepwise,
        names=recipe.synthesis,
    )


def batches(
    photos: Photos, cascade: Cascade, recipe: Recipe, steps: Sequence[int], shards: range, workers: int = 1
) -> Iterator[Batch]:
    """The batches of some steps, or of each only the given shards, made ahead by threads of one core each."""
    waiting: deque[list[Future[Batch]]] = deque()
    pool = ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,))
    try:
        for step in steps:
            waiting.append([pool.submit(shard, photos, cascade, recipe, step, index) for index in shards])
            if len(waiting) > 2:
                yield join([future.result() for future in waiting.popleft()])
        while waiting:
            yield join([future.result() for future in waiting.popleft()])
    finally:
        pool.shutdown(cancel_futures=True)


def _imitate(
    photos: Photos, real: Tensor, mask: Tensor, names: Sequence[str], generator: Generator, light: float
) -> tuple[Tensor, Tensor]:
    """Composites by the named recipes, one picture at a time, and the pictures that they should become.

    A recipe that gives the whole frame another light may as well change the background: then the photograph's own
    foreground lies on it, and the changed picture is the goal.
    """
    composites, goals = [], []
    for picture, alpha in zip(real[:, None], mask[:, None], strict=True):
        name = names[int(torch.randint(len(names), (), generator=generator))]
        reference, reference_mask = _reference(photos, picture, alpha, generator, light)
        foreground, goal = synthesis.imitate(name, picture, alpha, reference, reference_mask, generator), picture
        if name in synthesis.REVERSIBLE and torch.rand((), generator=generator) < 0.5:
            foreground, goal = goal, foreground
        composites.append(synthesis.paste(foreground, goal, alpha))
        goals.append(goal)
    return torch.cat(composites), torch.cat(goals)


def _reference(
    photos: Photos, picture: Tensor, mask: Tensor, generator: Generator, light: float = 0.0
) -> tuple[Tensor, Tensor]:
    """Of three photographs the one whose foreground is nearest in hue: a red car lends a white one no light.

    A share `light` of them is relit first, and of the chosen one a random crop counts: so often do references come
    again that the colours of a foreground would otherwise tell which of them it imitates. Only its colours count, for
    which every fourth pixel each way does.
    """
    indices = torch.randint(len(photos), (3,), generator=generator)
    images, masks = (part[indices, :3, ::4, ::4].float() / 255 for part in (photos.images, photos.masks))
    images = augment.befall(light, augment.relight_whole, images, generator)
    masks = torch.where(masks.amax(dim=(1, 2, 3), keepdim=True) == 0, 1.0, masks)  # of one without a mask, all of it
    distance = (_hue(images, masks) - _hue(picture, mask)).norm(dim=1)
    nearest = int(distance.argmin())
    rows, columns = _crop(255 * masks[nearest, 0], generator)
    return images[nearest, None, :, rows, columns], masks[nearest, None, :, rows, columns]


def _hue(image: Tensor, mask: Tensor) -> Tensor:
    """The mean colour of the foreground less its grey, (N, 3)."""
    mean = (image * mask).sum(dim=(2, 3)) / (mask.sum(dim=(2, 3)) + 1)
    return mean - mean.mean(dim=1, keepdim=True)


def join(shards: Sequence[Batch]) -> Batch:
    """One batch of several, the composites with a target for every step first."""
    counts = [len(each.targets[0]) for each in shards]

    def joined(parts: Sequence[Tensor]) -> Tensor:
        pairs = list(zip(parts, counts, strict=True))
        return torch.cat([part[:count] for part, count in pairs] + [part[count:] for part, count in pairs])

    return Batch(
        composite=joined([each.composite for each in shards]),
        mask=joined([each.mask for each in shards]),
        seen=joined([each.seen for each in shards]),
        real=joined([each.real for each in shards]),
        guides=joined([each.guides for each in shards]),
        targets=[torch.cat(step) for step in zip(*(each.targets for each in shards), strict=True)],
    )


def _crop(mask: Tensor, generator: Generator) -> tuple[slice, slice]:
    """Rows and columns of a random crop that keeps some foreground and some background, or of the whole picture."""
    stored = mask.shape[0]
    for _ in range(3):
        height, width = (stored * (0.5 + 0.5 * torch.rand(2, generator=generator))).int().tolist()
        top = int(torch.randint(stored - height + 1, (), generator=generator))
        left = int(torch.randint(stored - width + 1, (), generator=generator))
        rows, columns = slice(top, top + height), slice(left, left + width)
        if 0.02 < float(mask[rows, columns].sum()) / (255 * height * width) < 0.9:
            return rows, columns
    return slice(None), slice(None)


def _resize(picture: Tensor, size: int) -> Tensor:
    return torch.nn.functional.interpolate(picture, (size, size), mode="bilinear", antialias=True)
