"""What a release says of itself: changelog, citation, workflows, and builds that others can repeat."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools.release import builds, changelog, environments
from tools.release.commands import ROOT, ReleaseError
from tools.release.distributions import FILTERS, HARMONIZER

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def validate(schema: str, *files: Path) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *files]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr


def test_one_version_stands_everywhere():
    version, _ = changelog.latest((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    cited = re.search(r"^version: (.*)$", (ROOT / "CITATION.cff").read_text(encoding="utf-8"), re.MULTILINE)[1]
    assert {version, cited, FILTERS.version, HARMONIZER.version} == {HARMONIZER.version}


@pytest.mark.parametrize("text", ["", "# Changelog\n\n## 0.1\n", "# Changelog\n\n## 0.1.0 (soon)\n"])
def test_a_changelog_without_a_proper_heading_is_refused(text):
    with pytest.raises(ReleaseError, match="CHANGELOG"):
        changelog.latest(text)


def test_the_newest_section_of_a_changelog_counts():
    assert changelog.latest("# Changelog\n\n## 1.2.3 (2026-01-31)\n\n## 1.2.2 (2025-12-24)\n") == (
        "1.2.3",
        "2026-01-31",
    )


def test_a_tag_needs_its_version_and_its_day():
    with pytest.raises(ReleaseError, match=r"v9\.9\.9"):
        list(changelog.check("v9.9.9"))


def test_the_citation_is_valid_and_names_the_paper():
    validate("vendor.citation-file-format", ROOT / "CITATION.cff")
    assert "https://arxiv.org/abs/2207.01322" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


def test_the_workflows_are_valid():
    validate("vendor.github-workflows", *WORKFLOWS)


def test_zizmor_finds_nothing_in_the_workflows():
    command = [Path(sys.executable).parent / "zizmor", "--offline", "--quiet", *WORKFLOWS]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stdout


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_are_pinned_to_commits(workflow):
    used = re.findall(r"uses: (.*)", workflow.read_text(encoding="utf-8"))
    assert used
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each) for each in used), used


def test_windows_runs_what_the_makefile_runs():
    """The workflow for Windows writes the targets out: each command of `make lint` and of the tests stands there."""
    steps = (ROOT / ".github" / "workflows" / "checks.yml").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    recipes = re.findall(r"^(?:test|lint): .*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    commands = [line.strip().removeprefix("$(BIN)/") for recipe in recipes for line in recipe.splitlines()]
    assert len(commands) == 4
    assert not [command for command in commands if f"- run: {command}\n" not in steps]


def test_a_build_elsewhere_has_the_same_bytes(tmp_path):
    one, two = tmp_path / "one", tmp_path / "another" / "place"
    for copy in (one, two):
        shutil.copytree(ROOT / FILTERS.folder, copy, ignore=shutil.ignore_patterns("__pycache__"))
    builds.disguise(two)
    first = builds.build_project(one, tmp_path / "first", {"SOURCE_DATE_EPOCH": "1700000000"})
    second = builds.build_project(two, tmp_path / "second", {"SOURCE_DATE_EPOCH": "1700000000", "TZ": "Asia/Kathmandu"})
    assert [path.suffix for path in first] == [".whl", ".gz"]
    builds.compare(first, second, "a second build")

    second[0].write_bytes(second[0].read_bytes() + b"\0")
    with pytest.raises(ReleaseError, match=r"a second build gave other bytes for whitebox_filters.*\.whl"):
        builds.compare(first, second, "a second build")


def test_pythons_are_found_by_what_they_answer(tmp_path, monkeypatch):
    """Not by their names: pyenv puts programs on the PATH that refuse to run."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    (tmp_path / f"python{version}").write_text("#!/bin/sh\nexit 127\n", encoding="utf-8")
    (tmp_path / f"python{version}").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    assert environments.find_python(version) is None
    installed = tmp_path / "pyenv" / "versions" / f"{version}.0" / "bin" / f"python{version}"
    installed.parent.mkdir(parents=True)
    installed.symlink_to(sys.executable)
    assert environments.find_python(version) == installed
