"""What takes part in the comparison, and the way of a frame through torch and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

Names = tuple[str, ...]
Theta = tuple[float, ...]
Frame = npt.NDArray[np.uint8]
FrameFilter = Callable[[Frame, Frame], Frame]  # (frame (H, W, 3), mask (H, W)) -> frame (H, W, 3)
BatchFilter = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]  # image (1, 3, H, W) and mask (1, 1, H, W) in [0, 1]

MENTIONED = 3  # filters that a library lacks


def anything(names: Names) -> str:
    """For a contender that lacks no filter."""
    return ""


@dataclass(frozen=True)
class Contender:
    """One way of applying filters to an 8-bit frame; `prepare` may take long, what it returns is timed."""

    name: str
    note: str  # what it does, for a reader of the results
    prepare: Callable[[Names, Theta], FrameFilter]
    lacks: Callable[[Names], str] = anything  # why it cannot apply these filters; empty if it can


class TensorFrames:
    """A filter of float batches as a filter of 8-bit frames; the conversions are plain torch."""

    def __init__(self, filter_batch: BatchFilter) -> None:
        self.filter_batch = filter_batch

    def tensors(self, frame: Frame, mask: Frame) -> tuple[torch.Tensor, torch.Tensor]:
        """The frame as image (1, 3, H, W) and the mask as (1, 1, H, W), float32 in [0, 1]."""
        image = torch.from_numpy(frame).permute(2, 0, 1).contiguous()[None].float() / 255
        return image, torch.from_numpy(mask)[None, None].float() / 255

    def without_conversion(self, frame: Frame, mask: Frame) -> Callable[[], torch.Tensor]:
        """The filter alone, on what is converted already."""
        image, alpha = self.tensors(frame, mask)

        @torch.no_grad()
        def run() -> torch.Tensor:
            return self.filter_batch(image, alpha)

        return run

    @torch.no_grad()
    def __call__(self, frame: Frame, mask: Frame) -> Frame:
        filtered = self.filter_batch(*self.tensors(frame, mask))
        levels = (filtered[0] * 255 + 0.5).byte()
        result: Frame = levels.permute(1, 2, 0).contiguous().numpy()
        return result


def blended(filter_image: Callable[[torch.Tensor], torch.Tensor]) -> BatchFilter:
    """Eq. 5 around a filter of whole images."""

    def filter_batch(image: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return filter_image(image) * mask + image * (1 - mask)

    return filter_batch


def lacking(library: str, operations: Mapping[str, object]) -> Callable[[Names], str]:
    """The reason of a library that has these operations only."""

    def lacks(names: Names) -> str:
        missing = [name for name in names if name not in operations]
        shown = ", ".join(missing[:MENTIONED]) + (" and others" if len(missing) > MENTIONED else "")
        return f"{library} has no operation for {shown}" if missing else ""

    return lacks


def compile_alone(function: Any, **options: Any) -> Any:
    """`torch.compile` of a function with code of its own.

    Else all sets of filters would be one function that was compiled too often, and run as if it never had been.
    """
    function.__code__ = function.__code__.replace()
    return torch.compile(function, **options)
