"""The notebooks run, and give what they show."""

from __future__ import annotations

import json

import pytest
from doc_blocks import ROOT
from website.execute import execute

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def outputs(cells):
    """Of each cell the text it prints, and the kinds of what it shows."""
    return [
        ("".join("".join(output.get("text", "")) for output in cell.get("outputs", [])), kinds(cell))
        for cell in cells
        if cell["cell_type"] == "code"
    ]


def kinds(cell):
    return sorted(kind for output in cell.get("outputs", []) for kind in output.get("data", {}))


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
@pytest.mark.filterwarnings("ignore:.*without encryption")
def test_a_notebook_gives_what_it_shows(notebook):
    shown = outputs(json.loads(notebook.read_text(encoding="utf-8"))["cells"])
    now = outputs(execute(notebook)["cells"])
    if "train" in notebook.stem:  # another processor rounds otherwise, and training makes more of it
        assert [kinds for _, kinds in now] == [kinds for _, kinds in shown]
        errors = {
            text.split(":")[0]: int(text.split(":")[1])
            for text, _ in now
            for text in text.splitlines()
            if "network, " in text
        }
        assert errors["after the network, trained"] < errors["after the network, untrained"]
    else:
        assert now == shown


def test_they_are_small():
    assert len(NOTEBOOKS) == 2
    assert all(notebook.stat().st_size < 250_000 for notebook in NOTEBOOKS)
