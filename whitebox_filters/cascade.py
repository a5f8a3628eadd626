"""The ordered composition of filters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from whitebox_filters.aliases import Region
from whitebox_filters.chain import Chain
from whitebox_filters.errors import FilterError
from whitebox_filters.registry import get
from whitebox_filters.spec import Filter

__all__ = ["DEFAULT_FILTERS", "EIGHT_FILTERS", "Cascade", "Region"]

DEFAULT_FILTERS = ("temperature", "brightness", "contrast", "saturation", "highlight", "shadow")
"""The six filters of the paper, in the order of the released system."""

EIGHT_FILTERS = (*DEFAULT_FILTERS, "tint", "gamma")
"""For comparison with the eight filters of the paper's Table 4, whose two further ones it does not name."""


class Cascade(Chain):
    """An immutable sequence of filters, applied one after the other (Eq. 4).

    The type of the image picks the backend: a NumPy array (uint8, uint16, float32, float64; HWC) or a torch
    tensor (floating point; (N, 3, H, W)) the array backend, any other object with `__cuda_array_interface__`
    Numba-CUDA. `backend="numba"` compiles the fused loop for NumPy images on the CPU.
    """

    def __init__(self, filters: Sequence[str | Filter] = DEFAULT_FILTERS, *, statistics: Region = "frame") -> None:
        """Compose filters given by name or as entries, whose statistics are of the frame or of what the mask shows.

        The released system measures the frame, so that the background takes part in what a filter does to the
        foreground. Raises UnknownFilterError, and FilterError if there are no filters or for another `statistics`.
        """
        if isinstance(filters, str) or not filters:
            raise FilterError(f"a cascade takes a sequence of at least one filter or name; got {filters!r}")
        if statistics not in get_args(Region):
            raise FilterError(f"statistics are those of the {' or the '.join(get_args(Region))}; got {statistics!r}")
        super().__init__([get(item) if isinstance(item, str) else item for item in filters], statistics)

    def reversed(self) -> Cascade:
        """The same filters in the opposite order, which synthesis applies to a real photograph (Eq. 8)."""
        return Cascade(self.filters[::-1], statistics=self.region)
