"""The batches of composites that a network learns from."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from harmonizer.errors import RecipeError
from harmonizer.learning.composites import kinds, light, masks
from harmonizer.learning.composites.augment import Augmentation, befall
from harmonizer.learning.composites.crops import crop
from harmonizer.learning.composites.distortion import Distortion
from harmonizer.learning.composites.draws import Draws, draw, groups, on_device
from harmonizer.learning.composites.jpeg import compress
from harmonizer.learning.composites.likeness import Likeness, compare, mean_colour
from harmonizer.learning.composites.photos import Photos
from harmonizer.learning.composites.scenes import Scenes

EQ8, SCENE = -1, kinds.KINDS.index(kinds.SCENES)
PICTURES = ("composite", "mask", "seen", "real", "guides")


@dataclass(frozen=True)
class Sources:
    """All that composites are made of, on one device."""

    photos: Photos
    likeness: Likeness
    scenes: Scenes | None = None

    @classmethod
    def of(cls, photos: Photos, scenes: Scenes | None = None) -> Sources:
        """Photographs whose foregrounds count as alike if their hues are; cheap, for few pictures and for tests."""
        return cls(photos, compare(photos, mean_colour), scenes)


@dataclass(frozen=True)
class Mixture:
    """How the composites of a batch are made that are not by Eq. 8, and what befalls all."""

    kinds: Mapping[str, float] | None = None  # shares of what is not by Eq. 8, by names of KINDS; all alike if None
    augmentation: Augmentation = field(default_factory=Augmentation)


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

    def thin(self, stride: int) -> Batch:
        """Every `stride`-th pixel each way."""

        def every(picture: Tensor) -> Tensor:
            return picture[:, :, ::stride, ::stride].contiguous()

        pictures = {name: every(getattr(self, name)) for name in PICTURES}
        return replace(self, **pictures, targets=[every(target) for target in self.targets])


@torch.no_grad()
def make_batch(
    sources: Sources, distortion: Distortion, size: int, mixture: Mixture, draws: Draws, stepwise: int
) -> Batch:
    """A composite of `size` x `size` pixels for each row of `draws`, the first `stepwise` of them by Eq. 8.

    The others follow in the order of KINDS. No step of it waits for the device or goes picture by picture.
    """
    shares = mixture.augmentation
    codes = _choose_kinds(sources, mixture, draws, stepwise)
    order = np.argsort(codes, kind="stable")
    codes, draws = codes[order], draws.rows(order)
    everyone = np.arange(len(codes))
    for_jpeg, for_seen = draws.rows(everyone, 2), draws.rows(everyone, 1 + masks.NUMBERS)
    photo_rows = np.flatnonzero(codes != SCENE)
    made = _from_photos(sources, distortion, size, mixture, draws.rows(photo_rows), codes[photo_rows])
    if len(photo_rows) < len(codes) and sources.scenes is not None:
        scene_draws = draws.rows(np.flatnonzero(codes == SCENE))
        made = _append(made, *_from_scenes(sources.scenes, size, shares, scene_draws))
    composite = befall(shares.jpeg, _compress, made.composite, for_jpeg, 1)
    return replace(
        made, composite=composite, seen=befall(shares.misseen, masks.cut_badly, made.mask, for_seen, masks.NUMBERS)
    )


def batches(
    sources: Sources,
    distortion: Distortion,
    sizes: Mapping[int, int],
    mixture: Mixture,
    seed: int,
    places: Places,
    ahead: int,
) -> Iterator[Batch]:
    """The batches of some steps, of each only the given places.

    `sizes` are the steps with the side of their pictures. On the CPU `ahead` threads of one core each make the next
    batches; a GPU makes them in turn with the training.
    """
    device = sources.photos.images.device

    def make(step: int) -> Batch:
        draws = draw(seed, step, places.places, device)
        return make_batch(sources, distortion, sizes[step], mixture, draws, places.stepwise)

    if device.type != "cpu":
        yield from map(make, sizes)
        return
    waiting: deque[Future[Batch]] = deque()
    pool = ThreadPoolExecutor(ahead, initializer=torch.set_num_threads, initargs=(1,))
    try:
        for step in sizes:
            waiting.append(pool.submit(make, step))
            if len(waiting) > 1 + ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


@dataclass(frozen=True)
class Places:
    """Which places of each batch a process makes; the first `stepwise` of them are by Eq. 8."""

    places: Sequence[int]
    stepwise: int

    @classmethod
    def of(cls, batch_size: int, stepwise: float, rank: int = 0, count: int = 1) -> Places:
        """The share of one of `count` processes: every process has as many of both kinds.

        Raises RecipeError if they do not share out evenly.
        """
        first = round(stepwise * batch_size)
        if batch_size % count or first % count:
            raise RecipeError(
                f"a batch of {batch_size} pictures, {first} of them by Eq. 8, cannot be shared out evenly among "
                f"{count} processes; choose other numbers"
            )
        return cls(range(rank, batch_size, count), first // count)


def _choose_kinds(sources: Sources, mixture: Mixture, draws: Draws, stepwise: int) -> npt.NDArray[np.int64]:
    """A place in KINDS for each picture, (N,); EQ8 for the first `stepwise`."""
    shares = np.array([1.0 if mixture.kinds is None else mixture.kinds.get(name, 0.0) for name in kinds.KINDS])
    if sources.scenes is None:
        shares[SCENE] = 0
    bounds = np.cumsum(shares) / shares.sum()
    codes = np.searchsorted(bounds, draws.numbers()[:, 0], side="right").clip(max=SCENE)
    codes[:stepwise] = EQ8
    return codes


def _from_photos(
    sources: Sources, distortion: Distortion, size: int, mixture: Mixture, draws: Draws, codes: npt.NDArray[np.int64]
) -> Batch:
    shares = mixture.augmentation
    index = sources.photos.evenly.choose(draws)
    here = on_device(index, draws.device)
    pictures = crop(_stack(sources.photos.images[here], sources.photos.masks[here]), size, shares.whole, draws)
    real, guides, mask = pictures[:, :3], pictures[:, 3:-1].contiguous(), pictures[:, -1:].contiguous()
    real = befall(shares.refocus, light.refocus, real, draws, 1)
    real = befall(shares.light, light.relight_whole, real, draws).contiguous()
    mask = befall(shares.part, masks.take_part, mask, draws, 3)
    mask = befall(shares.cut, masks.cut_badly, mask, draws, masks.NUMBERS)
    # Begin with none: there may be scenes alone.
    composites, goals, targets = [real[:0]], [real[:0]], [real[:0]]
    for code, rows in groups(codes):
        chosen, here = draws.rows(rows), on_device(rows, draws.device)
        if code == EQ8:
            composite, targets = distortion(real[here], mask[here], chosen)
            goal = targets[-1]
        else:
            reference = _references(sources, index[rows], chosen, shares.light)
            composite, goal = kinds.imitate(kinds.KINDS[code], real[here], mask[here], *reference, chosen)
        composites.append(composite)
        goals.append(goal)
    return Batch(torch.cat(composites), mask, mask, torch.cat(goals), guides, targets)


def _references(
    sources: Sources, index: npt.NDArray[np.int64], draws: Draws, light_share: float
) -> tuple[Tensor, Tensor]:
    """Photographs and masks that lend their colours, a share of them relit; every fourth pixel each way, which does.

    Relit, so that the same few thousand references are not known by their colours.
    """
    others = on_device(sources.likeness.choose(index, draws), draws.device)
    images, shapes = (
        part[others][:, :3, ::4, ::4].float() / 255 for part in (sources.photos.images, sources.photos.masks)
    )
    return befall(light_share, light.relight_whole, images, draws), shapes


def _from_scenes(scenes: Scenes, size: int, shares: Augmentation, draws: Draws) -> tuple[Tensor, Tensor, Tensor]:
    """Composites of two hours, the pictures that they should become, and the masks."""
    foreground, background, region = on_device(scenes.choose(draws).T, draws.device)
    stack = _stack(scenes.images[foreground], scenes.images[background], scenes.masks[region])
    pictures = crop(stack, size, shares.whole, draws)
    mask = befall(shares.cut, masks.cut_badly, pictures[:, 6:].contiguous(), draws, masks.NUMBERS)
    goal = pictures[:, 3:6].contiguous()
    return kinds.paste(pictures[:, :3], goal, mask), goal, mask


def _append(batch: Batch, composite: Tensor, real: Tensor, mask: Tensor) -> Batch:
    guides = batch.guides.new_zeros(len(mask), *batch.guides.shape[1:])
    return replace(
        batch,
        composite=torch.cat([batch.composite, composite]),
        real=torch.cat([batch.real, real]),
        mask=torch.cat([batch.mask, mask]),
        guides=torch.cat([batch.guides, guides]),
    )


def _stack(*parts: Tensor) -> Tensor:
    """Pictures (N, C, S, S) of bytes side by side as channels, which stay last in memory."""
    return torch.cat([part.permute(0, 2, 3, 1) for part in parts], dim=3).permute(0, 3, 1, 2)


def _compress(composites: Tensor, draws: Draws) -> Tensor:
    """Each picture through JPEG and back, at a quality from 50 to 95."""
    return compress(composites, 50 + (46 * draws.uniform()).floor())
