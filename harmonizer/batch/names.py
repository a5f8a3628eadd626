"""Names of options, which the command line needs before the batch itself is imported."""

from __future__ import annotations

from enum import StrEnum


class Engine(StrEnum):
    """Where the work is done."""

    local = "local"
    ray = "ray"


class Progress(StrEnum):
    """How progress is told."""

    bar = "bar"
    json = "json"
    none = "none"
