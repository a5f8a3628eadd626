"""The lock files cover what the projects ask for: an environment made from them alone lacks nothing."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECTS = {
    tomllib.loads((ROOT / folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]["name"]: ROOT / folder
    for folder in (".", "whitebox_filters")
}


def locked(name: str) -> dict[str, list[str]]:
    """Canonical name of a distribution to its versions in requirements/NAME.txt; each has hashes."""
    versions: dict[str, list[str]] = {}
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    for package, version, after in re.findall(
        r"^([\w.-]+)==([^\s;]+)([^\n]*\n    --hash=sha256:)?", text, re.MULTILINE
    ):
        assert after, f"{package}=={version} has no hash"
        versions.setdefault(canonicalize_name(package), []).append(version)
    return versions


def asked_for(name: str, extras: set[str]) -> set[Requirement]:
    """What a project and its extras require from others, by pyproject.toml."""
    project = tomllib.loads((PROJECTS[name] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    result: set[Requirement] = set()
    for text in [
        *project["dependencies"],
        *(each for extra in extras for each in project["optional-dependencies"][extra]),
    ]:
        requirement = Requirement(text)
        result |= asked_for(requirement.name, requirement.extras) if requirement.name in PROJECTS else {requirement}
    return result


def unmet(requirements: set[Requirement], versions: dict[str, list[str]]) -> list[str]:
    return sorted(
        str(each)
        for each in requirements
        if not (found := versions.get(canonicalize_name(each.name))) or not all(map(each.specifier.contains, found))
    )


@pytest.mark.parametrize("build_tools", [set(), {Requirement("hatchling>=1.26")}])
def test_the_lock_has_all_that_development_asks_for(build_tools):
    assert not unmet(asked_for("whitebox-harmonizer", {"dev"}) | build_tools, locked("dev")), "run `make lock`"


def test_the_lock_has_all_that_a_release_asks_for():
    lines = (ROOT / "requirements" / "release.in").read_text(encoding="utf-8").splitlines()
    asked = {Requirement(line) for line in lines if line and not line.startswith("#")}
    assert not unmet(asked, locked("release")), "run `make lock`"


def test_what_is_missing_or_too_old_is_seen():
    asked = {Requirement("numpy>=2.1"), Requirement("Pillow_Heif>=1"), Requirement("rich>=13")}
    assert unmet(asked, {"numpy": ["2.4", "2.0"], "rich": ["13"]}) == ["Pillow_Heif>=1", "numpy>=2.1"]
