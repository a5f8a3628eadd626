"""The folder of a study: its pictures, checked before anybody is asked.

FOLDER/adjust/NAME/ holds composite.* and mask.*; FOLDER/compare/NAME/ holds METHOD.*, two or more results of one
composite; FOLDER/study.json, which may be left out, holds the title and the filters to adjust.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import whitebox_filters as wf
from harmonizer.errors import StudyError
from harmonizer.pictures import io

SETTINGS = "study.json"
LAYOUT = "expected adjust/NAME/composite.* and mask.*, or compare/NAME/METHOD.* with two or more results, or both"


@dataclass(frozen=True)
class Composite:
    """A picture to adjust."""

    composite: Path
    mask: Path


@dataclass(frozen=True)
class Folder:
    """What a study asks: the pictures by name, and of each comparison the results by method."""

    path: Path
    title: str
    filters: tuple[str, ...]
    composites: Mapping[str, Composite]
    comparisons: Mapping[str, Mapping[str, Path]]


def read_folder(path: Path) -> Folder:
    """Read the layout, and every picture once. Raises StudyError, ImageFileError and MaskError."""
    if not path.is_dir():
        raise StudyError(f"there is no folder {path}; name one with the pictures of a study")
    title, filters = _read_settings(path)
    composites = {each.name: _find_composite(each) for each in _folders(path / "adjust")}
    comparisons = {each.name: _find_results(each) for each in _folders(path / "compare")}
    if not composites and not comparisons:
        raise StudyError(f"{path} holds no study; {LAYOUT}")
    for each in composites.values():
        io.read_mask(each.mask, io.read_image(each.composite).pixels.shape[:2])
    for results in comparisons.values():
        _check_sizes(results)
    return Folder(path, title, filters, composites, comparisons)


def _read_settings(path: Path) -> tuple[str, tuple[str, ...]]:
    """The title and the filters."""
    file = path / SETTINGS
    values: Any = {}
    if file.exists():
        try:
            values = json.loads(file.read_text(encoding="utf-8-sig"))
        except (OSError, ValueError) as error:
            raise StudyError(f"{file} cannot be read: {error}") from error
    accepted = 'JSON such as {"title": "Which is real?", "filters": ["brightness", "contrast"]}'
    if not isinstance(values, dict) or set(values) - {"title", "filters"}:
        raise StudyError(f"{file} has other fields than title and filters; expected {accepted}")
    title = values.get("title", "Which picture looks real?")
    filters = values.get("filters", list(wf.DEFAULT_FILTERS))
    if not isinstance(title, str) or not title.strip():
        raise StudyError(f"the title in {file} is not a text; expected {accepted}")
    if not isinstance(filters, list) or not filters or not all(isinstance(name, str) for name in filters):
        raise StudyError(f"the filters in {file} are not a list of names; expected {accepted}")
    if unknown := sorted(set(filters) - set(wf.names())):
        raise StudyError(f"{file} names filters that are not there: {', '.join(unknown)}; there are {_all_filters()}")
    if len(set(filters)) < len(filters):
        raise StudyError(f"{file} names a filter twice; name each once")
    return title, tuple(filters)


def _all_filters() -> str:
    return ", ".join(wf.names())


def _folders(path: Path) -> list[Path]:
    return [each for each in _visible(path) if each.is_dir()] if path.is_dir() else []


def _visible(path: Path) -> list[Path]:
    """What a folder holds, in order of names, without what programs hide there."""
    return sorted(each for each in path.iterdir() if not each.name.startswith("."))


def _find_composite(folder: Path) -> Composite:
    files = _by_stem(folder)
    if missing := [name for name in ("composite", "mask") if name not in files]:
        raise StudyError(f"{folder} has no {' and no '.join(f'{name}.*' for name in missing)}; {LAYOUT}")
    return Composite(files["composite"], files["mask"])


def _find_results(folder: Path) -> dict[str, Path]:
    results = _by_stem(folder)
    if len(results) < 2:
        found = ", ".join(path.name for path in results.values()) or "nothing"
        raise StudyError(f"{folder} holds {found}; it needs results of two or more methods, METHOD.* each")
    return results


def _by_stem(folder: Path) -> dict[str, Path]:
    files: dict[str, Path] = {}
    for file in _visible(folder):
        if file.stem in files:
            raise StudyError(f"{folder} holds both {files[file.stem].name} and {file.name}; leave one")
        files[file.stem] = file
    return files


def _check_sizes(results: Mapping[str, Path]) -> None:
    """Raise StudyError if the sizes of two results tell them apart."""
    sizes = {path: io.read_image(path).pixels.shape[1::-1] for path in results.values()}
    first, *others = sizes
    for other in others:
        if sizes[other] != sizes[first]:
            given = " and ".join(f"{path} {sizes[path][0]} x {sizes[path][1]}" for path in (first, other))
            raise StudyError(f"results of one composite have one size; {given} pixels")
