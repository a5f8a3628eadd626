"""The part of an encoder that keeps its weights while the rest learns, as compiled code."""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import nullcontext

import torch
from torch import Tensor
from torch import _inductor as inductor
from torch._inductor.cpp_builder import get_cpp_compiler

from harmonizer.errors import EngineError
from harmonizer.learning.cells import GridEncoder, measure_cells
from harmonizer.learning.encoder import Encoder
from harmonizer.learning.tones import describe_tones

See = Callable[[Tensor, Tensor], list[Tensor]]


def see(encoder: GridEncoder | Encoder, composite: Tensor, mask: Tensor, part: str = "encoder") -> list[Tensor]:
    """What an encoder, or the half of it that `look` is, makes of composites and masks."""
    if isinstance(encoder, Encoder):
        return [encoder(composite, mask)]
    return [encoder.look(composite)] if part == "half" else encoder(composite)


def measure(composite: Tensor, mask: Tensor, *, tones: bool, cells: bool) -> list[Tensor]:
    """What is known of composites before any weight: by `describe_tones` and by `measure_cells`, empty if not asked."""
    nothing = composite.new_zeros(len(composite), 0)
    device = composite.device.type
    # These are differences of sums, of which half the precision leaves little.
    exact = torch.autocast(device, enabled=False) if torch.is_autocast_enabled(device) else nullcontext()
    with exact:
        return [
            describe_tones(composite[:, :3], mask) if tones else nothing,
            measure_cells(composite, mask) if cells else nothing,
        ]


def compile_part(encoder: GridEncoder | Encoder, part: str, dtype: torch.dtype) -> See:
    """Make code that does what `see` does, with the weights that the encoder has now; as `compile_code`."""
    still = copy.deepcopy(encoder).requires_grad_(False).eval().to(memory_format=torch.channels_last)

    def run(composite: Tensor, mask: Tensor) -> list[Tensor]:
        composite = composite.contiguous(memory_format=torch.channels_last)
        return [each.float() for each in see(still, composite, mask, part)]

    return compile_code(run, next(encoder.parameters()).device.type, dtype)


def compile_code(run: See, device: str, dtype: torch.dtype = torch.float32) -> See:
    """Make code that does what `run` does, without gradients, and computes in `dtype`.

    Raises EngineError if there is no compiler.
    """
    if device == "cpu":
        _require_compiler()
    quick = torch.compile(run, dynamic=False)
    # Of 32 pictures at once a processor's caches hold nothing; of these they hold most.
    count = 16 // dtype.itemsize * torch.get_num_threads() if device == "cpu" else None

    def quickly(composite: Tensor, mask: Tensor) -> list[Tensor]:
        parts = zip(*(torch.split(each, count or len(each)) for each in (composite, mask)), strict=True)
        # Weights that are constants can be merged with the norms and laid out as the processor likes them.
        freezing = inductor.config.patch(freezing=True)
        with freezing, torch.no_grad(), torch.autocast(device, dtype, enabled=dtype != torch.float32):
            maps = [quick(*each) for each in parts]
        return [torch.cat(each) for each in zip(*maps, strict=True)]

    return quickly


def _require_compiler() -> None:
    try:
        get_cpp_compiler()
    except Exception as error:
        raise EngineError(
            f"nothing can be compiled without a C++ compiler ({error}); install g++ or clang++, or name one in CXX, "
            "or train without compiled code"
        ) from error
