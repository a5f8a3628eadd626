"""The batches of composites that a network is trained on."""

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
from harmonizer.learning.composites.augment import Augmentation, apply_randomly
from harmonizer.learning.composites.crops import crop
from harmonizer.learning.composites.distortion import Distortion
from harmonizer.learning.composites.draws import Draws, draw, groups, on_device
from harmonizer.learning.composites.jpeg import compress
from harmonizer.learning.composites.sources.scenes import Scenes
from harmonizer.learning.composites.sources.sources import Sources

EQ8, SCENE = -1, kinds.KINDS.index(kinds.SCENES)
PICTURES = ("composite", "mask", "input_mask", "real", "extra")


@dataclass(frozen=True)
class Mixture:
    """How the composites of a batch are made, apart from those of Eq. 8, and how all of them are augmented."""

    kinds: Mapping[str, float] | None = None  # shares of the composites that are not by Eq. 8; all alike if None
    augmentation: Augmentation = field(default_factory=Augmentation)


@dataclass(frozen=True)
class Batch:
    """Composites; the first `len(targets[0])` have a target for every step, the others for the last step alone.

    All are float32 in [0, 1]: composite and real (N, 3, S, S); `mask`, which pasted the foreground, and `input_mask`,
    which the network gets instead, (N, 1, S, S); extra channels (N, E, S, S).
    """

    composite: Tensor
    mask: Tensor
    input_mask: Tensor
    real: Tensor
    extra: Tensor
    targets: list[Tensor]

    @property
    def inputs(self) -> tuple[Tensor, Tensor]:
        """The input of the network: (N, 3 + E, S, S) and (N, 1, S, S)."""
        return torch.cat([self.composite, self.extra], dim=1), self.input_mask

    def thin(self, stride: int) -> Batch:
        """Every `stride`-th row and column."""

        def thin(picture: Tensor) -> Tensor:
            return picture[:, :, ::stride, ::stride].contiguous()

        pictures = {name: thin(getattr(self, name)) for name in PICTURES}
        return replace(self, **pictures, targets=[thin(target) for target in self.targets])


@torch.no_grad()
def make_batch(
    sources: Sources, distortion: Distortion, size: int, mixture: Mixture, draws: Draws, eq8_count: int
) -> Batch:
    """A composite of `size` x `size` pixels for each row of `draws`, the first `eq8_count` of them by Eq. 8.

    The others follow in the order of KINDS. No step waits for the device or goes picture by picture.
    """
    augmentation = mixture.augmentation
    codes = _choose_kinds(sources, mixture, draws, eq8_count)
    order = np.argsort(codes, kind="stable")
    codes, draws = codes[order], draws.rows(order)
    all_rows = np.arange(len(codes))
    jpeg_draws, mask_draws = draws.rows(all_rows, 2), draws.rows(all_rows, 1 + masks.NUMBERS)
    photo_rows = np.flatnonzero(codes != SCENE)
    batch = _from_photos(sources, distortion, size, mixture, draws.rows(photo_rows), codes[photo_rows])
    if len(photo_rows) < len(codes) and sources.scenes is not None:
        scene_draws = draws.rows(np.flatnonzero(codes == SCENE))
        batch = _append(batch, *_from_scenes(sources.scenes, size, augmentation, scene_draws))
    composite = apply_randomly(augmentation.jpeg, _compress, batch.composite, jpeg_draws, 1)
    input_mask = apply_randomly(augmentation.bad_input_mask, masks.degrade, batch.mask, mask_draws, masks.NUMBERS)
    return replace(batch, composite=composite, input_mask=input_mask)


def batches(
    sources: Sources,
    distortion: Distortion,
    sizes: Mapping[int, int],
    mixture: Mixture,
    seed: int,
    slots: Slots,
    workers: int,
) -> Iterator[Batch]:
    """The batches of some steps, of each only the given slots.

    `sizes` maps each step to the side of its pictures. On the CPU `workers` threads of one core each make the next
    batches ahead; a GPU makes each batch when it is needed.
    """
    device = sources.photos.images.device

    def make(step: int) -> Batch:
        draws = draw(seed, step, slots.numbers, device)
        return make_batch(sources, distortion, sizes[step], mixture, draws, slots.eq8_count)

    if device.type != "cpu":
        yield from map(make, sizes)
        return
    queue: deque[Future[Batch]] = deque()
    pool = ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,))
    try:
        for step in sizes:
            queue.append(pool.submit(make, step))
            if len(queue) > 1 + workers:
                yield queue.popleft().result()
        while queue:
            yield queue.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


@dataclass(frozen=True)
class Slots:
    """The slots of each batch that one process fills; the first `eq8_count` of them are by Eq. 8."""

    numbers: Sequence[int]
    eq8_count: int

    @classmethod
    def of(cls, batch_size: int, eq8_share: float, rank: int = 0, count: int = 1) -> Slots:
        """The slots of process `rank` of `count`: each process has equally many, and equally many by Eq. 8.

        Raises RecipeError if the batch cannot be divided evenly.
        """
        eq8_total = round(eq8_share * batch_size)
        if batch_size % count or eq8_total % count:
            raise RecipeError(
                f"a batch of {batch_size} pictures, {eq8_total} of them by Eq. 8, cannot be divided evenly among "
                f"{count} processes; choose other numbers"
            )
        return cls(range(rank, batch_size, count), eq8_total // count)


def _choose_kinds(sources: Sources, mixture: Mixture, draws: Draws, eq8_count: int) -> npt.NDArray[np.int64]:
    """An index into KINDS for each picture, (N,); EQ8 for the first `eq8_count`."""
    shares = np.array([1.0 if mixture.kinds is None else mixture.kinds.get(name, 0.0) for name in kinds.KINDS])
    if sources.scenes is None:
        shares[SCENE] = 0
    bounds = np.cumsum(shares) / shares.sum()
    codes = np.searchsorted(bounds, draws.numbers()[:, 0], side="right").clip(max=SCENE)
    codes[:eq8_count] = EQ8
    return codes


def _from_photos(
    sources: Sources, distortion: Distortion, size: int, mixture: Mixture, draws: Draws, codes: npt.NDArray[np.int64]
) -> Batch:
    augmentation = mixture.augmentation
    index = sources.photos.sampler.choose(draws)
    photos = on_device(index, draws.device)
    pictures = crop(
        _stack(sources.photos.images[photos], sources.photos.masks[photos]), size, augmentation.uncropped, draws
    )
    real, extra, mask = pictures[:, :3], pictures[:, 3:-1].contiguous(), pictures[:, -1:].contiguous()
    real = apply_randomly(augmentation.refocus, light.refocus, real, draws, 1)
    real = apply_randomly(augmentation.relight, light.relight_whole, real, draws).contiguous()
    mask = apply_randomly(augmentation.part_of_object, masks.keep_part, mask, draws, 3)
    mask = apply_randomly(augmentation.bad_cutout, masks.degrade, mask, draws, masks.NUMBERS)
    # Start with empty tensors: all composites may be scenes.
    composites, last_targets, targets = [real[:0]], [real[:0]], [real[:0]]
    for code, rows in groups(codes):
        own_draws, here = draws.rows(rows), on_device(rows, draws.device)
        if code == EQ8:
            composite, targets = distortion(real[here], mask[here], own_draws)
            target = targets[-1]
        else:
            reference = _references(sources, index[rows], own_draws, augmentation.relight)
            composite, target = kinds.imitate(kinds.KINDS[code], real[here], mask[here], *reference, own_draws)
        composites.append(composite)
        last_targets.append(target)
    return Batch(torch.cat(composites), mask, mask, torch.cat(last_targets), extra, targets)


def _references(sources: Sources, index: npt.NDArray[np.int64], draws: Draws, relight: float) -> tuple[Tensor, Tensor]:
    """Photographs and masks that lend their colours; every fourth row and column, which is enough for that.

    Some are relit, with the probability `relight`, so that the network cannot recognize references by their colours.
    """
    others = on_device(sources.similar.choose(index, draws), draws.device)
    images, shapes = (
        part[others][:, :3, ::4, ::4].float() / 255 for part in (sources.photos.images, sources.photos.masks)
    )
    return apply_randomly(relight, light.relight_whole, images, draws), shapes


def _from_scenes(scenes: Scenes, size: int, augmentation: Augmentation, draws: Draws) -> tuple[Tensor, Tensor, Tensor]:
    """Composites of two hours, their targets, and the masks."""
    foreground, background, region = on_device(scenes.choose(draws).T, draws.device)
    stack = _stack(scenes.images[foreground], scenes.images[background], scenes.masks[region])
    pictures = crop(stack, size, augmentation.uncropped, draws)
    mask = pictures[:, 6:].contiguous()
    mask = apply_randomly(augmentation.bad_cutout, masks.degrade, mask, draws, masks.NUMBERS)
    target = pictures[:, 3:6].contiguous()
    return kinds.paste(pictures[:, :3], target, mask), target, mask


def _append(batch: Batch, composite: Tensor, real: Tensor, mask: Tensor) -> Batch:
    extra = batch.extra.new_zeros(len(mask), *batch.extra.shape[1:])
    return replace(
        batch,
        composite=torch.cat([batch.composite, composite]),
        real=torch.cat([batch.real, real]),
        mask=torch.cat([batch.mask, mask]),
        extra=torch.cat([batch.extra, extra]),
    )


def _stack(*pictures: Tensor) -> Tensor:
    """Pictures (N, C, S, S) of bytes concatenated along the channels, which stay last in memory."""
    return torch.cat([each.permute(0, 2, 3, 1) for each in pictures], dim=3).permute(0, 3, 1, 2)


def _compress(composites: Tensor, draws: Draws) -> Tensor:
    """Each picture through JPEG and back, at a quality from 50 to 95."""
    return compress(composites, 50 + (46 * draws.uniform()).floor())
