"""Edit files: JSON by docs/edit.schema.json, checked before use."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence, Set
from typing import Any, get_args

import whitebox_filters as wf
from harmonizer.errors import EditError
from whitebox_filters.cascade import Region

FORMAT = 1
MOST = 10  # names in an error
KEYS = {"format", "harmonizer_version", "registry_version", "input", "statistics_region", "filters"}


def parse(text: str | bytes, name: str) -> dict[str, Any]:
    """The JSON document of an edit, checked. Raises EditError, which calls it `name`."""
    try:
        document: dict[str, Any] = json.loads(text.removeprefix("\ufeff") if isinstance(text, str) else text)
    except (ValueError, RecursionError) as error:
        raise EditError(f"{name} is not JSON: {error}; give what --edit wrote") from error
    try:
        check_structure(document)
        _check_filters(document)
    except EditError as error:
        raise EditError(f"{name}: {error}") from None
    return document


def check_structure(document: Any) -> None:
    """Raise EditError unless the document is one by docs/edit.schema.json."""
    if not isinstance(document, dict) or not _is_integer(document.get("format")):
        raise EditError('this is no edit; one is a JSON object with "format": 1, as --edit writes it')
    if document["format"] > FORMAT:
        raise EditError(
            f"its format {document['format']} is of a newer version; this one reads format {FORMAT}: upgrade "
            "harmonizer, or make the edit again with this version"
        )
    _demand(document["format"] == FORMAT, "format", str(FORMAT), document["format"])
    _check_keys(document, "an edit", KEYS)
    author, registry = document["harmonizer_version"], document["registry_version"]
    _demand(isinstance(author, str) and author != "", "harmonizer_version", "a text", author)
    _demand(_is_integer(registry) and registry >= 1, "registry_version", "a positive integer", registry)
    _check_keys(document["input"], "input", {"image_sha256", "mask_sha256"})
    for key, value in document["input"].items():
        hashed = isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) is not None
        _demand(hashed, f"input.{key}", "64 digits from 0-9a-f", value)
    region, filters = document["statistics_region"], document["filters"]
    _demand(region in get_args(Region), "statistics_region", " or ".join(get_args(Region)), region)
    _demand(isinstance(filters, list) and filters != [], "filters", "a list of at least one filter", filters)
    for index, entry in enumerate(filters):
        _check_entry(entry, f"filters[{index}]")


def _check_entry(entry: Any, where: str) -> None:
    _check_keys(entry, where, {"name", "theta"}, {"statistic"})
    name, theta = entry["name"], entry["theta"]
    _demand(isinstance(name, str) and name != "", f"{where}.name", "the name of a filter", name)
    _demand(_is_number(theta) and -1 <= theta <= 1, f"{where}.theta", "a number in [-1, 1]", theta)
    if "statistic" in entry:
        statistic = entry["statistic"]
        means = statistic if isinstance(statistic, list) and len(statistic) == 3 else [statistic]
        valid = all(_is_number(mean) and 0 <= mean <= 1 for mean in means)
        _demand(valid, f"{where}.statistic", "a mean in [0, 1], or a list of three", statistic)


def _check_filters(document: dict[str, Any]) -> None:
    """Raise EditError unless the filters can be rendered with what is installed; no schema knows what that is."""
    if document["registry_version"] > wf.REGISTRY_VERSION:
        raise EditError(
            f"it was made with filters of version {document['registry_version']}; this version has "
            f"{wf.REGISTRY_VERSION}: upgrade harmonizer"
        )
    counts = Counter(entry["name"] for entry in document["filters"])
    twice = sorted(name for name, count in counts.items() if count > 1)
    if twice:
        raise EditError(f"filters names {_enumerate(twice)} more than once; an edit has each filter once")
    missing = _find_missing(counts)
    if missing:
        raise EditError(
            f"no filter is named {_enumerate(missing)}; registered: {', '.join(wf.names())}. Install the package that "
            "offers it, or correct the name"
        )
    accepted = {None: "no statistic", "mean": "one mean as statistic", "channel_means": "a list of three means"}
    for entry in document["filters"]:
        statistic, needed = entry.get("statistic"), wf.get(entry["name"]).statistic
        if statistic is not None and (needed is None or isinstance(statistic, list) != (needed == "channel_means")):
            raise EditError(f"{entry['name']} takes {accepted[needed]}; got {statistic!r}. Correct it, or leave it out")


def _find_missing(names: Iterable[str]) -> list[str]:
    """Those that no filter has, sorted.

    For `wf.names()` the metadata of all installed packages is read, and for each look-up that fails: so the one is
    called only where a name is missing, and the others end there.
    """
    try:
        for name in names:
            wf.get(name)
    except wf.UnknownFilterError:
        return sorted(set(names) - set(wf.names()))
    return []


def _enumerate(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    hidden = len(names) - MOST
    return ", ".join(names[:MOST]) + f" and {hidden} more" * (hidden > 0)


def _check_keys(value: Any, where: str, required: Set[str], optional: Set[str] = frozenset()) -> None:
    _demand(isinstance(value, dict), where, "a JSON object", value)
    missing, unknown = sorted(required - set(value)), sorted(set(value) - required - optional)
    if missing or unknown:
        faults = [f"lacks {', '.join(missing)}"] * bool(missing) + [f"has {', '.join(unknown)}"] * bool(unknown)
        raise EditError(f"{where} {' and '.join(faults)}; its keys are {', '.join(sorted(required | optional))}")


def _demand(holds: bool, where: str, accepted: str, value: Any) -> None:
    if not holds:
        raise EditError(f"{where} is {accepted}; got {value!r:.80}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_integer(value: Any) -> bool:
    """As JSON Schema has it: 1.0 is one too."""
    return _is_number(value) and (isinstance(value, int) or value.is_integer())
