"""What the service counts, for Prometheus."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import Scope

from harmonizer.server.workers import Workers

SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """Counters of one service, in a registry of their own: several services may run in one process."""

    def __init__(self, workers: Workers) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "harmonizer_requests",
            "Requests by route and status; 499: the client went away.",
            ["route", "status"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "harmonizer_request_seconds",
            "From the request's arrival to the end of its answer.",
            ["route"],
            buckets=SECONDS,
            registry=self._registry,
        )
        self._stages = Histogram(
            "harmonizer_stage_seconds",
            "Time in decoding, predicting, rendering and encoding.",
            ["stage"],
            buckets=SECONDS,
            registry=self._registry,
        )
        busy = Gauge("harmonizer_threads_busy", "Threads that work on a request.", registry=self._registry)
        busy.set_function(lambda: workers.busy)
        admitted = Gauge(
            "harmonizer_requests_admitted", "Requests that upload, wait or are worked on.", registry=self._registry
        )
        admitted.set_function(lambda: workers.admitted)

    def count(self, scope: Scope, status: int, seconds: float) -> None:
        """Count a finished request under the route that served it; paths without a route count as one."""
        route = getattr(scope.get("route"), "path", "none")
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage of the work."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self._stages.labels(name).observe(time.perf_counter() - start)

    def exposition(self) -> bytes:
        """All figures in Prometheus's text format."""
        return generate_latest(self._registry)
