"""What the fused cascade is compared with, one module a library; all take and return the same frames."""

from baselines.contender import Contender, Frame, FrameFilter, Names, TensorFrames, Theta
from baselines.kornia_filters import KORNIA, KORNIA_COMPILED
from baselines.opencv_filters import OPENCV
from baselines.ours import COMPILED, COMPILED_WHOLE, COPY, CUDA, EAGER, NUMBA
from baselines.released import RELEASED, RELEASED_ONCE

CONTENDERS = (
    COPY,
    RELEASED,
    RELEASED_ONCE,
    EAGER,
    COMPILED,
    COMPILED_WHOLE,
    KORNIA,
    KORNIA_COMPILED,
    OPENCV,
    NUMBA,
    CUDA,
)

__all__ = [
    "COMPILED",
    "COMPILED_WHOLE",
    "CONTENDERS",
    "COPY",
    "CUDA",
    "EAGER",
    "KORNIA",
    "KORNIA_COMPILED",
    "NUMBA",
    "OPENCV",
    "RELEASED",
    "RELEASED_ONCE",
    "Contender",
    "Frame",
    "FrameFilter",
    "Names",
    "TensorFrames",
    "Theta",
]
