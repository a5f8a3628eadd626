"""Code that a page shows as it stands in the source. `python -m website.excerpts PAGE` renews it.

Before such a block stands a comment that names the file and the function, method or class:

    <!-- excerpt: harmonizer/learning/losses.py dynamic_loss -->

The block is its source without docstrings and comments of their own line.
"""

from __future__ import annotations

import ast
import re
import sys
import textwrap
from pathlib import Path

EXCERPT = re.compile(r"(<!-- excerpt: (\S+) (\S+) -->\n\n```py\n)(.*?)(?=^```$)", re.MULTILINE | re.DOTALL)


def renewed(page: str, root: Path) -> str:
    """The text of a page with each excerpt as the source has it now."""
    return EXCERPT.sub(lambda found: found[1] + excerpt(root / found[2], found[3]), page)


def excerpt(path: Path, name: str) -> str:
    """The source of `name`, which may be dotted, in the file `path`. Raises LookupError if it is not there."""
    source = path.read_text(encoding="utf-8")
    node: ast.AST = ast.parse(source)
    for part in name.split("."):
        found = [child for child in ast.iter_child_nodes(node) if getattr(child, "name", None) == part]
        if not found:
            raise LookupError(f"{path} has no {name}")
        [node] = found
    assert isinstance(node, ast.FunctionDef | ast.ClassDef)
    dropped = {line for child in ast.walk(node) for line in _docstring(child)}
    lines = source.splitlines()
    numbers = range(node.lineno, (node.end_lineno or node.lineno) + 1)
    kept = [lines[number - 1] for number in numbers if number not in dropped]
    code = [line for line in kept if not line.lstrip().startswith("#")]
    return textwrap.dedent("\n".join(code)) + "\n"


def _docstring(node: ast.AST) -> range:
    if not isinstance(node, ast.FunctionDef | ast.ClassDef) or ast.get_docstring(node) is None:
        return range(0)
    first = node.body[0]
    blank = isinstance(node, ast.ClassDef)  # a class has an empty line after its docstring
    return range(first.lineno, (first.end_lineno or first.lineno) + 1 + blank)


if __name__ == "__main__":
    for argument in map(Path, sys.argv[1:]):
        argument.write_text(renewed(argument.read_text(encoding="utf-8"), Path(__file__).parents[2]), encoding="utf-8")
