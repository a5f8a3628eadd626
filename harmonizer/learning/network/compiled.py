"""Compiled code for the part of a network that does not learn."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor
from torch import _inductor as inductor
from torch._inductor.cpp_builder import get_cpp_compiler

from harmonizer.errors import EngineError
from harmonizer.learning.network.poolings import Pooling

Run = Callable[[Tensor, Tensor], list[Tensor]]
"""Composite (N, C, S, S) and mask (N, 1, S, S) to tensors of N rows."""


def compile_encoder(pooling: Pooling, part: str, dtype: torch.dtype) -> Run:
    """Compile `pooling.encode` for a frozen part with its present weights; see `compile_function`."""
    frozen = copy.deepcopy(pooling).requires_grad_(False).eval().to(memory_format=torch.channels_last)

    def run(composite: Tensor, mask: Tensor) -> list[Tensor]:
        composite = composite.contiguous(memory_format=torch.channels_last)
        return [each.float() for each in frozen.encode(composite, mask, part)]

    return compile_function(run, next(pooling.encoder.parameters()).device.type, dtype)


def compile_function(run: Run, device: str, dtype: torch.dtype = torch.float32) -> Run:
    """Compile `run` without gradients, to compute in `dtype`. Raises EngineError if there is no compiler."""
    if device == "cpu":
        _require_compiler()
    compiled = torch.compile(run, dynamic=False)
    # The maps of 32 pictures do not fit into a processor's caches; those of so few pictures mostly do.
    count = 16 // dtype.itemsize * torch.get_num_threads() if device == "cpu" else None

    def run_compiled(composite: Tensor, mask: Tensor) -> list[Tensor]:
        chunks = zip(*(torch.split(each, count or len(each)) for each in (composite, mask)), strict=True)
        # Constant weights can be merged with the norms and laid out as the processor likes them.
        freezing = inductor.config.patch(freezing=True)
        with freezing, torch.no_grad(), torch.autocast(device, dtype, enabled=dtype != torch.float32):
            results = [compiled(*chunk) for chunk in chunks]
        return [torch.cat(each) for each in zip(*results, strict=True)]

    return run_compiled


def fast_dtype(device: str) -> torch.dtype:
    """bfloat16 if the device has instructions to multiply in it, else float32.

    A processor without them emulates bfloat16: there EfficientNet-Lite0 takes 24 times as long as in float32.
    """
    if device == "cpu":
        capabilities = torch.cpu.get_capabilities()
        multiplies = any(capabilities.get(name, False) for name in ("amx_bf16", "avx512_bf16"))
    else:
        multiplies = device == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.bfloat16 if multiplies else torch.float32


def _require_compiler() -> None:
    try:
        get_cpp_compiler()
    except Exception as error:
        raise EngineError(
            f"nothing can be compiled without a C++ compiler ({error}); install g++ or clang++, or name one in CXX, "
            'or train with "compile": false'
        ) from error
