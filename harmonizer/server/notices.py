"""The library's warnings, for the client whose request they are about."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from harmonizer.errors import HarmonizerWarning

_local = threading.local()
_lock = threading.Lock()


@contextmanager
def collect() -> Iterator[list[str]]:
    """Collect the texts of all HarmonizerWarnings that this thread gives, each once.

    `warnings.catch_warnings` would collect those of other threads too.
    """
    _install()
    messages: list[str] = []
    _local.messages = messages
    try:
        yield messages
    finally:
        del _local.messages


def _install() -> None:
    """Route warnings by threads, unless that is so already. Whoever resets Python's warnings takes it away."""
    with _lock:
        if getattr(warnings.showwarning, "routes", False):
            return
        warnings.simplefilter("always", HarmonizerWarning)
        show = warnings.showwarning

        def route(message: Any, category: type[Warning], *place: Any, **more: Any) -> None:
            messages = getattr(_local, "messages", None)
            if messages is None or not issubclass(category, HarmonizerWarning):
                show(message, category, *place, **more)
            elif str(message) not in messages:
                messages.append(str(message))

        route.routes = True  # type: ignore[attr-defined]
        warnings.showwarning = route
