"""What the CUDA kernels need of a GPU, by NVIDIA's assembler; and, as an estimate, how fast they could run.

From the repository root: python benchmarks/cuda_kernels.py. Writes benchmarks/results/cuda_kernels.md. Needs the extra
`cuda`, and no GPU: nvJitLink, which Numba-CUDA links with, holds ptxas and prints what `ptxas -v` prints.
"""

from __future__ import annotations

import inspect
import platform
import re
import struct
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from cuda.bindings import nvjitlink
from numba import cuda, types
from report import grid

import whitebox_filters as wf
from whitebox_filters.backends import fuse
from whitebox_filters.backends import passes as plans
from whitebox_filters.backends.cuda import kernels
from whitebox_filters.backends.cuda.packing import packing_of
from whitebox_filters.backends.cuda.plan import table_length
from whitebox_filters.spec import Filter

RESULTS = Path(__file__).parent / "results" / "cuda_kernels.md"
CAPABILITIES = ((8, 6), (9, 0))
COUNTS = (2, 4, 6, 8, 16, 40)
BYTES, FLOAT = np.dtype(np.uint8), np.dtype(np.float32)
GAINS = ("red_gain", "blue_gain")
HEADS = 4  # the longest head that is compared with a table
FRAME = 1920 * 1080
MASK_READINGS = 2  # bytes a pixel: the bounds and the last pass each read a mask of uint8
# NVIDIA's figures of the RTX 3090: memory, and 10496 cores at 1.695 GHz, an instruction a clock each.
BYTES_A_SECOND, INSTRUCTIONS_A_SECOND = 936e9, 10496 * 1.695e9
RESOURCES = ("registers", "spilled", "stack", "shared", "instructions")
VERSIONS = ("numba", "numba-cuda", "nvidia-nvvm", "nvidia-nvjitlink")
INSTRUCTION_BYTES = 16

Kernel = tuple[Any, tuple[Any, ...]]


@dataclass(frozen=True)
class Assembled:
    """What ptxas reports of a kernel: registers a thread; bytes of stack and spilled; shared memory; instructions."""

    registers: int
    stack: int
    spilled: int
    shared: int
    instructions: int


def filters_of(count: int) -> tuple[Filter, ...]:
    """The paper's six, two more, then the others as registered, single channels' gains last."""
    order = wf.EIGHT_FILTERS + tuple(name for name in wf.names() if name not in (*wf.EIGHT_FILTERS, *GAINS)) + GAINS
    return tuple(map(wf.get, order[:count]))


def pixel_kernel(filters: tuple[Filter, ...], dtype: np.dtype[Any], *, masked: bool, tabled: bool = False) -> Kernel:
    """The pass over the pixels, and the types of its arguments (a mask of uint8)."""
    real, row = real_types(filters, dtype)
    signature = (*frame_types(dtype) * 2, types.uint8[::1], real, types.float32[::1], row)
    return kernels.blend_pixels(fuse.pixel_formulas(filters), dtype, masked, tabled), (
        *signature,
        *(types.int64,) * 5,
        types.boolean,
    )


def sum_kernel(filters: tuple[Filter, ...], dtype: np.dtype[Any]) -> Kernel:
    """The sums after `filters`, weighted by a mask of uint8, and the types of their arguments."""
    real, row = real_types(filters, dtype)
    kernel = kernels.sum_pixels(fuse.pixel_formulas(filters), dtype, True)
    return kernel, (*frame_types(dtype), types.uint8[::1], real, row, real[:, ::1])


def histogram_kernel() -> Kernel:
    """The histogram and the types of its arguments."""
    return kernels.count_levels(), (*frame_types(np.dtype(np.uint8)), types.int32[::1])


def bound_kernel(mask: np.dtype[Any]) -> Kernel:
    """The bounds of a mask and the types of their arguments."""
    return kernels.bound_mask(), (getattr(types, mask.name)[:, ::1], types.int32[::1])


def frame_types(dtype: np.dtype[Any]) -> tuple[Any, Any]:
    """A frame as items and as words."""
    return getattr(types, dtype.name)[::1], getattr(types, packing_of(dtype).word.name)[::1]


def real_types(filters: tuple[Filter, ...], dtype: np.dtype[Any]) -> tuple[Any, Any]:
    """The working dtype, and a row of coefficients."""
    real = getattr(types, fuse.working_dtype(dtype).name)
    return real, types.UniTuple(real, max(1, sum(map(coefficient_count, filters))))


def coefficient_count(filter: Filter) -> int:
    """How many coefficients a pixel formula takes after r, g, b."""
    return len(inspect.signature(filter.pixel).parameters) - 3


def compile_ptx(kernel: Kernel, capability: tuple[int, int]) -> str:
    """The kernel as PTX, with the options that it was made with."""
    dispatcher, signature = kernel
    fast = bool(dispatcher.targetoptions.get("fastmath"))
    ptx: str = cuda.compile_ptx(dispatcher.py_func, signature, cc=capability, fastmath=fast)[0]
    return ptx


def assemble(ptx: str, capability: tuple[int, int]) -> Assembled:
    """Assemble one kernel for a capability."""
    options = [f"-arch=sm_{capability[0]}{capability[1]}", "-Xptxas=-v"]
    handle = nvjitlink.create(len(options), options)
    nvjitlink.add_data(handle, nvjitlink.InputType.PTX, ptx.encode(), len(ptx), "kernel")
    nvjitlink.complete(handle)
    log, cubin = bytearray(nvjitlink.get_info_log_size(handle)), bytearray(nvjitlink.get_linked_cubin_size(handle))
    nvjitlink.get_info_log(handle, log)
    nvjitlink.get_linked_cubin(handle, cubin)
    nvjitlink.destroy(handle)

    def number(pattern: str) -> int:
        return sum(map(int, re.findall(rf"(\d+) {pattern}", log.decode())))

    return Assembled(
        registers=number("registers"),
        stack=number("bytes stack frame"),
        spilled=number("bytes spill stores") + number("bytes spill loads"),
        shared=number("bytes smem"),
        instructions=code_size(bytes(cubin)) // INSTRUCTION_BYTES,
    )


def code_size(cubin: bytes) -> int:
    """The bytes of machine code in a cubin, which is an ELF file of 64 bits."""
    start, size, count, names = *struct.unpack_from("<Q", cubin, 40), *struct.unpack_from("<HHH", cubin, 58)
    sections = [struct.unpack_from("<IIQQQQ", cubin, start + index * size) for index in range(count)]
    strings = sections[names][4]
    return sum(section[5] for section in sections if cubin.startswith(b".text.", strings + section[0]))


def planned(filters: tuple[Filter, ...], dtype: np.dtype[Any]) -> Kernel:
    """The pass over the pixels as the plan runs it, with a mask."""
    start = table_length(filters, dtype)
    return pixel_kernel(filters[start:], dtype, masked=True, tabled=start > 0)


def resources(kernel: Kernel) -> list[Assembled]:
    """What the kernel needs for each capability."""
    return [assemble(compile_ptx(kernel, capability), capability) for capability in CAPABILITIES]


def cells(both: list[Assembled]) -> list[str]:
    """The columns of RESOURCES, with both capabilities in each."""
    return [" / ".join(str(getattr(each, name)) for each in both) for name in RESOURCES]


def estimate(dtype: np.dtype[Any], count: int, instructions: int) -> list[str]:
    """A row of the table of estimates: passes, bytes, frames a second by bytes and by instructions."""
    passes = plans.passes(wf.Cascade(filters_of(count)), eight_bits=dtype == BYTES)
    moved = sum(each.moved for each in passes) * dtype.itemsize + MASK_READINGS
    kinds = ", ".join(each.purpose for each in passes)
    rates = BYTES_A_SECOND / (moved * FRAME), INSTRUCTIONS_A_SECOND / (instructions * FRAME)
    return [dtype.name, str(count), kinds, str(moved), *(f"{rate:,.0f}" for rate in rates)]


def heads() -> list[list[str]]:
    """Instructions for four pixels with the first filters computed, and looked up."""
    apart = tuple(filter for filter in filters_of(len(wf.names())) if filter.channels != "mixed")
    looked_up = code(pixel_kernel((), BYTES, masked=True, tabled=True))
    return [
        [", ".join(each.name for each in apart[:count]), str(code(pixel_kernel(apart[:count], BYTES, masked=True)))]
        for count in range(1, HEADS + 1)
    ] + [["any, looked up", str(looked_up)]]


def code(kernel: Kernel) -> int:
    """The instructions of a kernel for the first capability."""
    return assemble(compile_ptx(kernel, CAPABILITIES[0]), CAPABILITIES[0]).instructions


def main() -> None:
    """Compile and assemble all, then write the page."""
    pixels: dict[tuple[np.dtype[Any], int], list[Assembled]] = {}
    for dtype in (FLOAT, BYTES):
        for count in COUNTS:
            pixels[dtype, count] = resources(planned(filters_of(count), dtype))
            print(dtype, count, pixels[dtype, count], flush=True)
    others = {
        "bounds of a mask of uint8": bound_kernel(BYTES),
        "histogram": histogram_kernel(),
        "sums before contrast, float32": sum_kernel(filters_of(2), FLOAT),
    }
    # A thread of the float32 kernel takes one pixel, so that all of its instructions count for that pixel.
    work = {count: max(each.instructions for each in pixels[FLOAT, count]) for count in COUNTS}
    dirty = [str(count) for (_, count), both in pixels.items() if any(each.spilled for each in both)]
    first = grid(
        ["dtype", "k", *RESOURCES], [[dtype.name, str(count), *cells(both)] for (dtype, count), both in pixels.items()]
    )
    second = grid(["kernel", *RESOURCES], [[name, *cells(resources(kernel))] for name, kernel in others.items()])
    third = grid(
        ["dtype", "k", "passes over the frame", "bytes a pixel", "by bytes", "by instructions"],
        [estimate(dtype, count, work[count]) for dtype, count in pixels],
    )
    RESULTS.write_text(
        TEXT.format(
            spills=f"spill registers for k = {', '.join(dirty)}" if dirty else "spill no register for any k up to 40",
            registers=max(each.registers for both in pixels.values() for each in both),
            versions=", ".join(f"{name} {version(name)}" for name in VERSIONS),
            python=platform.python_version(),
            pixels=first,
            others=second,
            estimates=third,
            heads=grid(["filters", "instructions"], heads()),
        ),
        encoding="utf-8",
    )


TEXT = """\
# CUDA kernels

**Decision.** One kernel for the whole cascade stays as it is: its {registers} registers at most {spills}, so that it
need not be split. Three or more filters at the start of an 8-bit cascade that keep the channels apart become a table
(`TABLE_FROM`): from there on it takes fewer instructions.

**Nothing here ran on a GPU.** Registers, spills and instructions come from NVIDIA's assembler; frames a second are
estimates. `make bench-gpu` measures, where there is a GPU.

Python {python}, {versions}. Kernels as a plan picks them for k filters and a uint8 mask: the paper's six, tint, gamma,
then the others, colour bands last but for two gains. Each cell: compute capability 8.6 / 9.0, as `ptxas -v` gives
them (by nvJitLink, from the wheels). Spilled: bytes of stores and loads together. Instructions: machine code, where
a loop counts once if the assembler did not unroll it.

{pixels}

Up to 40 registers leave an SM of capability 8.6 all of its 1536 threads, one of 9.0 1638 of its 2048. The other
kernels (`shared`: bytes of shared memory a block):

{others}

## Estimate: frames a second on an RTX 3090, 1080p

**Estimated, not measured.** By bytes: 936 GB/s over the bytes that all passes move, with the mask (uint8, read twice)
above 0 all over. By instructions: 10496 cores at 1.695 GHz, one instruction a clock each, over all instructions of the
float32 kernel for each pixel, though some (the ends of frames) are never run and others (logarithms and powers of two)
take four clocks. The lower of both is the limit. Launches, the way back of a few KB of statistics, and Python's time
for coefficients come on top: some tenths of a millisecond a frame, so that at 1080p no plan will come near thousands
of frames a second.

{estimates}

## Tables

Instructions of the 8-bit kernel, for four pixels, capability 8.6, with the first filters of a cascade computed one by
one and looked up. A table costs three loads a pixel, which the count does not weigh.

{heads}

`python benchmarks/cuda_kernels.py` makes this page.
"""


if __name__ == "__main__":
    main()
