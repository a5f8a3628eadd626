"""What is to be done: one task a picture, from a folder by names, or from a manifest by rows."""

from __future__ import annotations

import json
import posixpath
import reprlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from harmonizer import edits
from harmonizer.batch import manifest, storage
from harmonizer.errors import BatchError, HarmonizerError
from harmonizer.pictures.coding.encode import ENCODERS

NAMED = ("image", "mask", "edit", "background", "output")
"""Columns of a manifest that name files."""
READ = frozenset({".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".avif", ".heic", ".heif", ".jxl", ".exr"})


@dataclass(frozen=True)
class Task:
    """One picture: where to read and to write, as paths or URLs; theta for some filters, or a whole edit."""

    image: str
    output: str
    mask: str | None = None
    background: str | None = None
    theta: tuple[tuple[str, float], ...] = ()
    edit: str | None = None
    fault: str | None = None  # why the row makes no task; it is reported, and the others go on

    @classmethod
    def from_json(cls, text: str) -> Task:
        """What `json.dumps(asdict(task))` wrote."""
        values = json.loads(text)
        return cls(**values | {"theta": tuple((name, value) for name, value in values["theta"])})


def read_tasks(inputs: str, outputs: str, background: str | None = None) -> Iterator[Task]:
    """The tasks of a folder or a manifest, one after the other. Raises BatchError and ImageFileError."""
    if inputs.lower().endswith(manifest.EXTENSIONS):
        return _of_manifest(inputs, outputs, background)
    if not storage.is_folder(inputs):
        raise BatchError(f"{inputs} is neither a folder nor a manifest ({', '.join(manifest.EXTENSIONS)})")
    return _of_folder(inputs, outputs, background)


def _of_folder(folder: str, outputs: str, background: str | None) -> Iterator[Task]:
    """Pairs by name: `x.jpg` with `x_mask.png`; or cut-outs with `x_background.jpg`, or one background for all."""
    found: dict[str, dict[str, str]] = {}
    for name in storage.files(folder):
        stem, extension = posixpath.splitext(name)
        if extension.lower() not in READ:
            continue
        role = next((role for role in ("mask", "background") if stem.endswith(f"_{role}")), "image")
        key = stem.removesuffix(f"_{role}")
        if role == "image" and role in found.setdefault(key, {}):
            raise BatchError(f"{folder} has two pictures of one name, {found[key][role]} and {name}; use a manifest")
        found.setdefault(key, {})[role] = name
    for key, roles in found.items():
        if "image" not in roles:
            continue  # a mask without a picture is none of ours
        paths = {role: storage.join(folder, name) for role, name in roles.items()}
        task_background = paths.get("background") or (None if "mask" in paths else background)
        fault = None
        if "mask" not in paths and task_background is None:
            fault = f"nothing shows its foreground: there is no {key}_mask, no {key}_background, and no --background"
        output = storage.join(outputs, key + _extension(roles["image"]))
        task = Task(paths["image"], output, paths.get("mask"), task_background)
        yield replace(task, fault=fault or _overwrites(task))


def _of_manifest(name: str, outputs: str, background: str | None) -> Iterator[Task]:
    base = storage.parent(name)
    for number, row in enumerate(manifest.read_rows(name), 1):
        task = _of_row(row, base, outputs, background)
        yield task if task.image else replace(task, image=f"(row {number})", output=f"(row {number})")


def _of_row(row: Mapping[str, Any], base: str, outputs: str, background: str | None) -> Task:
    """A task; its paths are relative to the manifest's folder, its output to that of the outputs."""
    try:
        image, mask, edit, under, output = (_text(row, column) for column in NAMED)
    except BatchError as error:
        return Task("", "", fault=str(error))
    if not image:
        return Task("", "", fault="the row names no image")
    output = output or posixpath.splitext(posixpath.basename(image))[0] + _extension(image)
    under = under or (None if mask else background)
    paths = {key: value and storage.join(base, value) for key, value in (("mask", mask), ("edit", edit))}
    place = storage.join(outputs, output)
    task = Task(
        storage.join(base, image), place, paths["mask"], under and storage.join(base, under), edit=paths["edit"]
    )
    try:
        theta = _theta(row.get("theta"))
    except HarmonizerError as error:
        return Task(task.image, place, fault=f"theta: {error}")
    fault = _fault(task, output)
    return Task(task.image, place, task.mask, task.background, theta, task.edit, fault)


def _fault(task: Task, output: str) -> str | None:
    if storage.is_url(output) or posixpath.isabs(output) or ".." in output.replace("\\", "/").split("/"):
        return f"the output {output} does not lie in the folder of the outputs; name it relative to that"
    if posixpath.splitext(output)[1].lower() not in ENCODERS:
        return f"the output {output} has no extension that can be written; these can: {', '.join(ENCODERS)}"
    if task.mask is None and task.background is None:
        return "nothing shows its foreground: the row names neither mask nor background"
    return _overwrites(task)


def _overwrites(task: Task) -> str | None:
    for name in (task.image, task.mask, task.background, task.edit):
        if name and storage.is_same(name, task.output):
            return f"its output would overwrite {name}; choose another folder for the outputs"
    return None


def _theta(value: Any) -> tuple[tuple[str, float], ...]:
    """Theta by name: a mapping, its JSON, or texts such as `shadow=0.3 tint=-0.1`. Raises EditError."""
    if value is None or value == "":
        return ()
    if isinstance(value, str):
        text = value.strip()
        if not text.startswith("{"):
            return tuple(edits.parse_settings(text.replace(",", " ").split()).items())
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise BatchError(f"{text[:80]} is not JSON: {error}") from error
    try:
        pairs = dict(value)  # Parquet's maps are lists of pairs
        if not all(_is_number(each) for each in pairs.values() if each is not None):
            raise TypeError
        return tuple((str(name), float(each)) for name, each in pairs.items() if each is not None)
    except (TypeError, ValueError, OverflowError, RecursionError):
        raise BatchError(f"theta is numbers by filter name; got {reprlib.repr(value)}") from None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(row: Mapping[str, Any], column: str) -> str | None:
    """The text of a cell, None for an empty one. Raises BatchError for one that no file can be named."""
    value = row.get(column)
    if value is None:
        return None
    text = str(value).strip()
    try:
        is_name = b"\0" not in text.encode()
    except UnicodeEncodeError:  # half of a pair that JSON writes as two
        is_name = False
    if not is_name:
        raise BatchError(f"{column} names no file: {text[:80]!a}")
    return text or None


def _extension(image: str) -> str:
    """That of the picture if it can be written, else .png."""
    extension = posixpath.splitext(image)[1].lower()
    return extension if extension in ENCODERS else ".png"
