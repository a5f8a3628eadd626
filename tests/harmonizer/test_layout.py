"""The layout of both packages: small folders, and imports that go one way."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import harmonizer
import whitebox_filters

PACKAGES = [Path(package.__file__).parent for package in (harmonizer, whitebox_filters)]
MOST = 15  # modules in a folder, `__init__` among them
COLLECTIONS = {"whitebox_filters/filters"}  # folders with a module for each entry

each_package = pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)


def name_of(path, package):
    parts = path.relative_to(package.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(package):
    """Of each module the modules of the package that it imports, in functions too; not for type checks alone."""
    names = {name_of(path, package) for path in package.rglob("*.py")}
    graph = {name: set() for name in names}
    for path in package.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        guards = [
            node for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        ]
        unused = {id(node) for guard in guards for node in ast.walk(guard)}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and id(node) not in unused and node.module:
                targets = {f"{node.module}.{alias.name}" for alias in node.names} & names or {node.module} & names
                graph[name_of(path, package)] |= targets - {package.name}
    return graph


def circles(graph):
    """Modules that are left when those that import nothing of the rest are taken away, again and again."""
    left = {name: set(targets) for name, targets in graph.items()}
    while ends := {name for name, targets in left.items() if not targets & set(left)}:
        left = {name: targets for name, targets in left.items() if name not in ends}
    return sorted(left)


@each_package
def test_folders_are_small(package):
    folders = {path.parent for path in package.rglob("*.py")}
    sizes = {folder.relative_to(package.parent).as_posix(): len(list(folder.glob("*.py"))) for folder in folders}
    assert {folder for folder, size in sizes.items() if size > MOST} == COLLECTIONS & set(sizes)


@each_package
def test_imports_make_no_circle(package):
    assert circles(imports(package)) == []


def test_imports_are_found():
    graph = {name: targets for package in PACKAGES for name, targets in imports(package).items()}
    assert len(graph["harmonizer.jobs"]) > 2
    assert "whitebox_filters.chain" in graph["whitebox_filters.spec"]
    assert "whitebox_filters.tensors" in graph["whitebox_filters.chain"]  # in a function


def test_a_circle_would_show():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}, "e": set()}) == ["a", "b", "c", "d"]
