"""docs/start.md, word for word, where only the dependencies are installed: commands print what the page shows."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys

import numpy as np
import pytest
from doc_blocks import ROOT
from PIL import Image
from website.transcripts import renewed

sys.path.append(str(ROOT / "tests/packaging"))

from empty_environment import EmptyEnvironment, needed

PAGE = (ROOT / "docs/start.md").read_text(encoding="utf-8")
OURS = {"whitebox-filters", "whitebox-harmonizer"}


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """What the page's first command makes, without a package index."""
    environment = EmptyEnvironment(tmp_path_factory.mktemp("clean"), needed([*OURS, "hatchling"], {}) - OURS)
    [line] = re.findall(r"^pip install (\./whitebox_filters \.)$", PAGE, re.MULTILINE)
    environment.install(*(ROOT / path for path in shlex.split(line)))
    (environment.home / "demo").symlink_to(ROOT / "demo")
    return environment


@pytest.fixture(scope="module")
def followed(environment, compiled_code):
    """The page with what the commands print there."""
    path = f"{environment.bin}{os.pathsep}{os.defpath}"
    return renewed(PAGE, environment.home, {"PATH": path, "HOME": str(environment.home)} | compiled_code)


def test_the_commands_print_what_the_page_shows(followed):
    assert followed == PAGE, "run: PYTHONPATH=docs python -m website.transcripts docs/start.md FOLDER (it has demo/)"


@pytest.mark.usefixtures("followed")
def test_the_files_are_what_the_page_says(environment):
    names = ("cutout.png", "background.jpg", "mine.png", "warmer.png")
    cutout, background, mine, warmer = (np.asarray(Image.open(environment.home / name)) for name in names)
    np.testing.assert_array_equal(mine[cutout[..., 3] == 0], background[cutout[..., 3] == 0])
    inside = cutout[..., 3] == 255
    assert (warmer[inside].mean(axis=0) - mine[inside].mean(axis=0))[0] > 2  # more red
    theta = {
        step["name"]: step["theta"] for step in json.loads((environment.home / "mine.json").read_text())["filters"]
    }
    shown = dict(re.findall(r"^  (\w+) +([+-]0\.\d\d)", PAGE.partition("mine.cube")[2].partition("You have")[0], re.M))
    assert {name: f"{value:+.2f}" for name, value in theta.items()} == shown
    assert "LUT_3D_SIZE 65" in (environment.home / "mine.cube").read_text()[:500]


@pytest.mark.usefixtures("followed")
def test_apply_makes_the_same_picture_again(environment):
    [line] = re.findall(r"^harmonizer apply .*", PAGE, re.MULTILINE)
    command = line.replace(" --set temperature=0.3", "").replace("warmer.png", "same.png")
    environment.run(*shlex.split(command))
    assert (environment.home / "same.png").read_bytes() == (environment.home / "mine.png").read_bytes()


def test_the_readme_shows_the_same_table():
    table = re.search(r"^```text\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[1]
    assert table in (ROOT / "README.md").read_text(encoding="utf-8")


def test_another_output_would_be_seen(tmp_path):
    page = "```sh\necho one\n```\n\n```text\ntwo\n```\n"
    assert renewed(page, tmp_path, os.environ) == page.replace("two", "one")


def test_a_command_that_fails_is_an_error(tmp_path):
    with pytest.raises(subprocess.CalledProcessError):
        renewed("```sh\nfalse\n```\n", tmp_path, os.environ)
