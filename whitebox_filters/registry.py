"""The one dictionary of filters, and what installed packages add to it."""

from __future__ import annotations

import difflib
import importlib
import pkgutil

from whitebox_filters.errors import DuplicateFilterError, UnknownFilterError
from whitebox_filters.spec import Filter

VERSION = 1
"""Raised whenever a registered formula changes what it returns; a checkpoint records it."""

_filters: dict[str, Filter] = {}


def register(filter: Filter) -> Filter:
    """Add a filter and return it, so that a module can bind its entry to a name in one statement.

    Raises DuplicateFilterError if the name is taken; nothing is replaced.
    """
    if filter.name in _filters:
        raise DuplicateFilterError(f"a filter named {filter.name!r} is registered already; choose another name")
    _filters[filter.name] = filter
    return filter


def get(name: str) -> Filter:
    """The filter of that name; one of a plug-in package is imported now, when it is first asked for.

    Raises UnknownFilterError, which lists what there is, and PluginError, which names a broken package.
    """
    if name in _filters:
        return _filters[name]
    from whitebox_filters import plugins

    offered = plugins.find()
    if name in offered:
        filter = plugins.load(offered[name])
        return filter if _filters.get(name) is filter else register(filter)  # its module may register it itself
    close = difflib.get_close_matches(name, names(), n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise UnknownFilterError(f"no filter is named {name!r}; registered: {', '.join(names())}.{hint}")


def names() -> tuple[str, ...]:
    """The names of all filters, sorted: of the registered ones and of those that installed packages offer.

    No package is imported for it. Raises PluginError where two packages offer one name.
    """
    from whitebox_filters import plugins

    return tuple(sorted({*_filters, *plugins.find()}))


def load_builtin() -> None:
    """Import every module of `whitebox_filters.filters`; each registers its own filter, or a family of them."""
    from whitebox_filters import filters

    for module in pkgutil.iter_modules(filters.__path__):
        importlib.import_module(f"{filters.__name__}.{module.name}")
