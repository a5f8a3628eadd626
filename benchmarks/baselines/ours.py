"""Our own filters on each backend, and a copy of the frame, below which nothing can go."""

from __future__ import annotations

import array_api_compat.torch as xp
import numpy as np
import torch

import whitebox_filters as wf
from baselines.contender import Contender, Frame, FrameFilter, Names, TensorFrames, Theta, compile_alone
from whitebox_filters.backends import array


def copy(names: Names, theta: Theta) -> FrameFilter:
    out = Buffer()

    def run(frame: Frame, mask: Frame) -> Frame:
        np.copyto(out.like(frame), frame)
        return out.frame

    return run


def eager(names: Names, theta: Theta) -> FrameFilter:
    cascade, arguments = wf.Cascade(names), torch.tensor([theta])
    return TensorFrames(lambda image, mask: cascade(image, arguments, mask))


def compiled(names: Names, theta: Theta) -> FrameFilter:
    plan, arguments = wf.Cascade(names).compile("torch"), torch.tensor([theta])
    return TensorFrames(lambda image, mask: plan(image, arguments, mask))


def compiled_whole(names: Names, theta: Theta) -> FrameFilter:
    """From 8 bits to 8 bits in one graph: what torch.compile can do at best."""
    filters, arguments = wf.Cascade(names).filters, torch.tensor([theta])

    def whole(frame: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        planes, alpha = frame.permute(2, 0, 1)[:, None].float() / 255, mask[None, None].float() / 255
        *_, (filtered, _) = array.steps(xp, filters, planes, arguments, [None] * len(filters))
        levels: torch.Tensor = (array.blend(filtered, planes, alpha) * 255 + 0.5).byte()
        return levels[:, 0].permute(1, 2, 0).contiguous()

    whole_compiled = compile_alone(whole, fullgraph=True)

    @torch.no_grad()
    def run(frame: Frame, mask: Frame) -> Frame:
        result: Frame = whole_compiled(torch.from_numpy(frame), torch.from_numpy(mask)).numpy()
        return result

    return run


def on_numba(names: Names, theta: Theta) -> FrameFilter:
    out, plan = Buffer(), wf.Cascade(names).compile("numba")
    return lambda frame, mask: plan(frame, theta, mask, out=out.like(frame))


def on_cuda(names: Names, theta: Theta) -> FrameFilter:
    from numba import cuda

    plan = wf.Cascade(names).compile("cuda")
    return lambda frame, mask: plan(cuda.to_device(frame), theta, mask).copy_to_host()


def without_gpu(names: Names) -> str:
    from numba import cuda

    return "" if cuda.is_available() else "no GPU in this machine"


class Buffer:
    """A frame to write into, allocated once for each size, as who filters a video does."""

    frame: Frame = np.empty((0, 0, 3), np.uint8)

    def like(self, frame: Frame) -> Frame:
        if self.frame.shape != frame.shape:
            self.frame = np.empty_like(frame)
        return self.frame


COPY = Contender("copy of the frame", "`numpy.copyto` into a buffer that is there already: the floor", copy)
EAGER = Contender("ours, eager torch", "our filters one by one in eager torch", eager)
COMPILED = Contender("ours, torch.compile", '`cascade.compile("torch")`', compiled)
COMPILED_WHOLE = Contender(
    "ours, torch.compile with conversion",
    "the same formulas compiled together with the conversion from and to 8 bits",
    compiled_whole,
)
NUMBA = Contender("ours, numba", '`cascade.compile("numba")`: fused, into a buffer that is there already', on_numba)
CUDA = Contender(
    "ours, cuda", '`cascade.compile("cuda")`: fused, with the frame\'s way to the GPU and back', on_cuda, without_gpu
)
