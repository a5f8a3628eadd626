"""What ComfyUI offers to its nodes: its output folder and its progress bar."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from harmonizer.errors import OutputError


def next_file(prefix: str, extension: str) -> Path:
    """The next free file `PREFIX_00001_EXTENSION` in ComfyUI's output folder; folders in `prefix` are made.

    `prefix` may hold what ComfyUI's Save Image replaces, such as %year%. Raises OutputError for one that leads out of
    the output folder.
    """
    folder_paths = import_module("folder_paths")
    output = Path(folder_paths.get_output_directory()).resolve()
    _check_inside(output / prefix, output, prefix)  # before ComfyUI makes folders
    folder, name, counter, _, _ = folder_paths.get_save_image_path(prefix, str(output))
    path = Path(folder) / f"{name}_{counter:05}_{extension}"
    _check_inside(path, output, prefix)
    return path


def progress(total: int) -> Any:
    """ComfyUI's progress bar, whose `update` also ends a run that the user cancels. Without ComfyUI it does nothing."""
    try:
        return import_module("comfy.utils").ProgressBar(total)
    except ImportError:
        return _NoProgress()


class _NoProgress:
    def update(self, value: int) -> None:
        pass


def _check_inside(path: Path, output: Path, prefix: str) -> None:
    if not path.resolve().is_relative_to(output):
        raise OutputError(
            f"filename_prefix {prefix!r} leads out of ComfyUI's output folder; give a name, or FOLDER/NAME"
        )
