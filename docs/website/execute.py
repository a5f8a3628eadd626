"""Runs the notebooks that are named, in place: `python -m website.execute notebooks/*.ipynb`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]


def execute(notebook: Path) -> nbformat.NotebookNode:
    """The notebook with the outputs that its cells give now, in a kernel of its own. Raises CellExecutionError."""
    executed = nbformat.read(notebook, as_version=4)
    for cell in executed.cells:
        cell.metadata = {}
    # The kernel is a process of its own, and imports this checkout.
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    NotebookClient(executed, timeout=300, record_timing=False, resources={"metadata": {"path": str(ROOT)}}).execute()
    for cell in executed.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "image/jpeg" in data:  # Pillow gives both, and PNG of a photograph is large
                data.pop("image/png", None)
    executed.metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    return executed


if __name__ == "__main__":
    for argument in map(Path, sys.argv[1:]):
        nbformat.write(execute(argument), argument)
