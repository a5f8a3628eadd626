"""What may import what."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Prints every top-level module that importing and calling whitebox_filters loads, after the line put before it.
LOADED = """
import json, sys
import numpy  # its own imports are its own affair
before = set(sys.modules)
import whitebox_filters as wf
wf.Cascade(["shadow"])(numpy.full((2, 2, 3), 100, numpy.uint8), [0.1], numpy.ones((2, 2)))
wf.apply_lut(numpy.ones((2, 2, 3)), wf.bake_lut(wf.Cascade(["shadow"]), [0.1], None, 2))
loaded = {name.partition(".")[0] for name in set(sys.modules) - before}
print(json.dumps(sorted(loaded - sys.stdlib_module_names - {"numpy", "whitebox_filters"})))
"""


def test_numpy_is_all_that_a_numpy_call_imports(run_python):
    assert json.loads(run_python(LOADED)) == []


@pytest.mark.parametrize("module", ["torch", "numba", "array_api_compat", "PIL"])
def test_that_would_show(run_python, tmp_path, module):
    (tmp_path / f"{module}.py").write_text("")
    spoiled = LOADED.replace("import whitebox_filters as wf", f"import whitebox_filters as wf\nimport {module}")
    assert module in json.loads(run_python(f"import sys\nsys.path.insert(0, {str(tmp_path)!r})\n{spoiled}"))


def test_numba_is_imported_by_the_backend_that_needs_it_and_only_to_compile(run_python, tmp_path):
    code = LOADED.replace("numpy.ones((2, 2)))", "numpy.ones((2, 2)), backend='numba')")
    first, second = (json.loads(run_python(code, WHITEBOX_FILTERS_CACHE=str(tmp_path))) for _ in range(2))
    assert "numba" in first
    assert "numba" not in second
    assert "llvmlite" in second
    assert not {"torch", "array_api_compat"} & {*first, *second}


def imported(text):
    """The top-level names of every import in a module's text, with whether it stands inside a function."""
    tree = ast.parse(text)
    nested = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            yield name, id(node) in nested


def breaches(package, forbidden, allowed=lambda path, name, nested: False):
    found = []
    for path in sorted((ROOT / package).rglob("*.py")):
        for name, nested in imported(path.read_text(encoding="utf-8")):
            if any(name == word or name.startswith(word + ".") for word in forbidden):
                relative = path.relative_to(ROOT).as_posix()
                if not allowed(relative, name, nested):
                    found.append(f"{relative} imports {name}")
    return found


def test_the_filters_never_import_the_harmonizer():
    assert breaches("whitebox_filters", ["harmonizer"]) == []


def test_the_harmonizer_uses_public_names_of_the_filters():
    assert breaches("harmonizer", ["whitebox_filters.backends"]) == []
    private = [
        f"{path.name}: {name}"
        for path in sorted((ROOT / "harmonizer").rglob("*.py"))
        for name, _ in imported(path.read_text(encoding="utf-8"))
        if name.startswith("whitebox_filters.") and any(part.startswith("_") for part in name.split("."))
    ]
    assert private == []


def test_compiled_loops_know_no_filter():
    words = [
        "whitebox_filters.backends",
        "whitebox_filters.filters",
        "whitebox_filters.cascade",
        "whitebox_filters.chain",
        "whitebox_filters.spec",
    ]
    assert breaches("whitebox_filters/native", words) == []


def test_only_learning_and_the_nodes_of_comfyui_import_torch():
    def learning(path, name, nested):
        if name.startswith("harmonizer.learning"):
            return nested or path.startswith("harmonizer/learning/")
        # ComfyUI's pictures are tensors; that the import of its nodes loads no torch, tests/comfyui checks.
        return path.startswith(("harmonizer/learning/", "harmonizer/comfyui/"))

    assert breaches("harmonizer", ["torch", "torchvision", "timm", "harmonizer.learning"], learning) == []


def test_only_the_cuda_backend_imports_numba_cuda():
    def backend(path, name, nested):
        return path.startswith("whitebox_filters/backends/cuda/")

    assert breaches("whitebox_filters", ["numba.cuda"], backend) == []


def test_a_breach_would_show():
    assert list(imported("import torch.nn\ndef f():\n    from torch import Tensor")) == [
        ("torch.nn", False),
        ("torch.Tensor", True),
    ]
    assert any("cuda/plan.py imports numba.cuda" in line for line in breaches("whitebox_filters", ["numba.cuda"]))
    assert any("imports numpy" in line for line in breaches("whitebox_filters", ["numpy"]))
