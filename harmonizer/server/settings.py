"""What a service allows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds on what clients may ask of a service."""

    body_bytes: int = 100_000_000  # of a whole request
    pixels: int = 60_000_000  # of one picture, by its header, before it is decoded
    seconds: float = 30.0  # from the arrival of a request to its answer, the upload included
    parallel: int = 2  # requests that are worked on at once
    queue: int = 16  # requests that wait for one of these

    def __post_init__(self) -> None:
        if min(self.body_bytes, self.pixels, self.parallel) < 1 or self.queue < 0 or not self.seconds > 0:
            raise ValueError(f"limits are positive, and the queue's length is 0 or more; got {self}")
