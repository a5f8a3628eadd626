"""What a check of a filter returns or raises."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Report:
    """What was checked of a filter, and what was not."""

    filter: str
    backends: tuple[str, ...]
    properties: tuple[str, ...]
    notes: tuple[str, ...]  # the counterexamples that show what the filter rightly does not promise
    not_run: Mapping[str, str]  # backend -> why


class FilterConformanceError(AssertionError):
    """A property that a filter promises and does not have."""

    def __init__(self, filter: str, property: str, counterexample: str) -> None:
        super().__init__(f"filter {filter!r} fails {property!r}: {counterexample}")
        self.filter = filter
        self.property = property
        self.counterexample = counterexample


def require(condition: object, filter: str, property: str, counterexample: str) -> None:
    """Raise FilterConformanceError unless `condition` holds."""
    if not condition:
        raise FilterConformanceError(filter, property, counterexample)
