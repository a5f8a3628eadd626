"""ComfyUI's batches of pictures and masks as Harmonizer takes them, one by one, and back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from harmonizer.alpha import cover_hidden
from harmonizer.comfyui import host
from harmonizer.edits import Edit
from harmonizer.errors import MaskError
from harmonizer.pictures.picture import Pixels
from harmonizer.render import Result
from whitebox_filters import ImageError

if TYPE_CHECKING:
    from torch import Tensor

Floats = npt.NDArray[np.float32]
Edits = tuple[Edit, ...]
"""What goes through a HARMONIZER_EDIT connection: an edit for each picture of a batch."""


class Batch:
    """An IMAGE (B, H, W, 3 or 4) and a MASK (B or 1, H, W), floating point, on any device.

    A mask of another size is scaled bilinearly, as ComfyUI's own nodes do. Values outside [0, 1] are clipped for the
    work; where the mask is 0, they come back as they were. A fourth channel is straight alpha: what it hides is no
    foreground, steers nothing and comes back as it was.
    """

    def __init__(self, image: Tensor, mask: Tensor) -> None:
        """Raises ImageError for another shape, MaskError for another number of masks."""
        if image.ndim != 4 or image.shape[3] not in (3, 4):
            raise ImageError(f"an IMAGE has shape (B, H, W, 3 or 4); got {tuple(image.shape)}")
        if mask.ndim not in (2, 3):
            raise MaskError(f"a MASK has shape (B, H, W); got {tuple(mask.shape)}")
        self._image = image
        self._pixels = _to_numpy(image)
        self._masks = _to_numpy(_scale(mask.reshape(-1, *mask.shape[-2:]), self._pixels.shape[1:3]))
        if len(self._masks) not in (1, len(self)):
            raise MaskError(
                f"there are {len(self._masks)} masks for {len(self)} pictures; give one for all, or one for each"
            )

    def __len__(self) -> int:
        return len(self._pixels)

    def __iter__(self) -> Iterator[tuple[Pixels, Pixels]]:
        """Picture (H, W, 3) and mask as opacity (H, W), float32 in [0, 1]."""
        for index, picture in enumerate(self._pixels):
            values = np.clip(picture, 0, 1)
            pixels, alpha = values[..., :3], values[..., 3:]
            yield (cover_hidden(pixels, alpha[..., 0]) if alpha.size else pixels), self._opacity(index)

    def collect(self, results: Iterable[tuple[Result, Edit]]) -> tuple[Tensor, Edits]:
        """The batch with the results, one for each picture in order, in place of its foregrounds; and their edits."""
        import torch

        bar = host.progress(len(self))
        pictures, edits = self._image.detach().clone(), []
        for index, (result, edit) in enumerate(results):
            shown = torch.from_numpy(self._opacity(index) > 0).to(pictures.device)
            rendered, colours = torch.from_numpy(result.image).to(pictures), pictures[index, ..., :3]
            pictures[index, ..., :3] = torch.where(shown[..., None], rendered, colours)
            edits.append(edit)
            bar.update(1)
        return pictures, tuple(edits)

    def _opacity(self, index: int) -> Floats:
        opacity: Floats = np.clip(self._masks[index if len(self._masks) > 1 else 0], 0, 1)
        if self._pixels.shape[3] == 4:
            opacity[self._pixels[index, ..., 3] <= 0] = 0
        return opacity


def _to_numpy(tensor: Tensor) -> Floats:
    """Values of a tensor as float32; not to be written to, as they may be the tensor's own."""
    import torch

    values: Floats = tensor.detach().to("cpu", torch.float32).numpy()
    return values


def _scale(masks: Tensor, size: tuple[int, ...]) -> Tensor:
    """Masks (B, H, W) bilinearly in another size."""
    from torch.nn.functional import interpolate

    return masks if masks.shape[1:] == size else interpolate(masks[:, None], size=size, mode="bilinear")[:, 0]
