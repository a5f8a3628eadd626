"""Filters that other installed packages offer, by entry points of the group `whitebox_filters.filters`."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

from whitebox_filters.errors import PluginError
from whitebox_filters.spec import Filter

GROUP = "whitebox_filters.filters"


def find() -> dict[str, EntryPoint]:
    """What installed packages offer, by name; nothing of theirs is imported.

    Raises PluginError where two packages offer one name.
    """
    found: dict[str, EntryPoint] = {}
    for entry in entry_points(group=GROUP):
        other = found.setdefault(entry.name, entry)
        if other != entry:
            raise PluginError(
                f"packages {_package(other)!r} and {_package(entry)!r} both offer a filter named {entry.name!r}; "
                "uninstall one of them"
            )
    return found


def load(entry: EntryPoint) -> Filter:
    """Import the filter that an entry point names.

    Raises PluginError, which names the package, if it cannot be imported, is no Filter, or has another name.
    """
    offer = f"filter {entry.name!r} of package {_package(entry)!r} ({entry.value})"
    try:
        filter = entry.load()
    except Exception as error:
        raise PluginError(
            f"{offer} cannot be loaded: {type(error).__name__}: {error}; update or uninstall the package"
        ) from error
    if not isinstance(filter, Filter):
        raise PluginError(f"{offer} is a {type(filter).__name__}; its entry point must name a whitebox_filters.Filter")
    if filter.name != entry.name:
        raise PluginError(f"{offer} calls itself {filter.name!r}; an entry point has the name of its filter")
    return filter


def _package(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else "unknown"
