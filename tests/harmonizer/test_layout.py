"""The layout of the package: small folders, and imports that go one way."""

from __future__ import annotations

import ast
from pathlib import Path

import harmonizer

PACKAGE = Path(harmonizer.__file__).parent
MOST = 15  # modules in a folder, `__init__` among them


def name_of(path):
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports():
    """Of each module the modules of the package that it imports, in functions too; not for type checks alone."""
    names = {name_of(path) for path in PACKAGE.rglob("*.py")}
    graph = {name: set() for name in names}
    for path in PACKAGE.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        guards = [
            node for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        ]
        unused = {id(node) for guard in guards for node in ast.walk(guard)}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and id(node) not in unused and node.module:
                targets = {f"{node.module}.{alias.name}" for alias in node.names} & names or {node.module} & names
                graph[name_of(path)] |= targets - {"harmonizer"}
    return graph


def circles(graph):
    """Modules that are left when those that import nothing of the rest are taken away, again and again."""
    left = {name: set(targets) for name, targets in graph.items()}
    while ends := {name for name, targets in left.items() if not targets & set(left)}:
        left = {name: targets for name, targets in left.items() if name not in ends}
    return sorted(left)


def test_folders_are_small():
    folders = {path.parent for path in PACKAGE.rglob("*.py")}
    sizes = {folder.relative_to(PACKAGE).as_posix(): len(list(folder.glob("*.py"))) for folder in folders}
    assert {folder: size for folder, size in sizes.items() if size > MOST} == {}


def test_imports_make_no_circle():
    graph = imports()
    assert circles(graph) == []
    assert len(graph["harmonizer.jobs"]) > 2


def test_a_circle_would_show():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}, "e": set()}) == ["a", "b", "c", "d"]
