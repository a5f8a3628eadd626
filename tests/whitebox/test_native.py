"""Machine code in a cache: found by what it was made from, never stale, never trusted when damaged."""

import ast
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FunctionType

import numpy as np
import pytest

import harmonizer
import whitebox_filters as wf
from harmonizer import kernels as harmonizer_kernels
from whitebox_filters.backends.cpu import vectors
from whitebox_filters.native import cache
from whitebox_filters.scales import angle, power

RUN = """
import numpy as np
import whitebox_filters as wf
image = np.linspace(0, 1, 60, dtype=np.float32).reshape(4, 5, 3)
print(wf.Cascade(["shadow"]).compile("numba")(image, [0.5]).sum())
"""


def test_power_and_angle_keep_their_stated_errors():
    generator = np.random.default_rng(0)
    with np.errstate(over="ignore"):  # of bits that are shifted out
        bases, exponents = generator.uniform(1 / 255, 1, 4000), generator.uniform(-1, 1, 4000)
        for base, exponent in zip(bases.astype(np.float32), exponents.astype(np.float32), strict=True):
            assert vectors.power(base, exponent) == pytest.approx(power(float(base), float(exponent)), rel=4e-7)
        assert vectors.power(np.float32(0.3), np.float32(0)) == 1
        for across, along in generator.normal(size=(4000, 2)).astype(np.float32):
            assert vectors.angle(across, along) == pytest.approx(angle(float(across), float(along)), abs=1e-6)
    assert vectors.angle(np.float32(0), np.float32(0)) == 0


def scaled(limit):
    def formula(r, g, b):
        return r * limit, g, b

    return formula


def test_a_fingerprint_tells_what_a_function_computes():
    shadow = wf.get("shadow").pixel
    assert cache.fingerprint(shadow) == cache.fingerprint(shadow)
    moved = FunctionType(shadow.__code__.replace(co_filename="elsewhere.py", co_firstlineno=7), shadow.__globals__)
    assert cache.fingerprint(moved) == cache.fingerprint(shadow)
    changed = FunctionType(shadow.__code__, {**shadow.__globals__, "TOE_32": np.float32(0.1)})
    assert cache.fingerprint(changed) != cache.fingerprint(shadow)
    assert cache.fingerprint(scaled(2)) != cache.fingerprint(scaled(3))
    assert cache.fingerprint(wf.get("highlight").pixel) != cache.fingerprint(shadow)


def copy_of(package, folder):
    shutil.copytree(Path(package.__file__).parent, folder, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.mark.parametrize(
    ("package", "leave_out"), [(wf, cache.LEFT_OUT), (harmonizer, harmonizer_kernels.OTHERS)], ids=["filters", "own"]
)
def test_every_module_that_code_may_depend_on_is_in_its_digest(package, leave_out, tmp_path):
    folder = copy_of(package, tmp_path / "package")
    digest_sources = cache.digest_sources.__wrapped__  # it remembers, since no module changes in a process
    before = digest_sources(folder, leave_out)
    for path in sorted(folder.rglob("*.py")):
        text = path.read_text()
        path.write_text(f"{text}\n")
        changed = digest_sources(folder, leave_out) != before
        assert changed == (path.relative_to(folder).parts[0] not in leave_out), path
        path.write_text(text)
    assert digest_sources(folder, leave_out) == before


def test_the_digest_is_of_the_whole_package():
    assert Path(wf.__file__).parent == cache.PACKAGE


@pytest.mark.parametrize(
    ("package", "kernels", "leave_out"),
    [
        (
            wf,
            ["native/queue_loops.py", *(f"backends/cpu/{name}_loops.py" for name in ("pixel", "prepass", "table"))],
            cache.LEFT_OUT,
        ),
        (harmonizer, ["loops.py"], harmonizer_kernels.OTHERS),
    ],
    ids=["filters", "own"],
)
def test_no_module_that_is_left_out_is_imported_by_kernels(package, kernels, leave_out):
    folder = Path(package.__file__).parent
    reached, waiting = set(), [folder / name for name in kernels]
    while waiting:
        path = waiting.pop()
        if path in reached:
            continue
        reached.add(path)
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == package.__name__:
                names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
                files = (folder.parent / f"{name.replace('.', '/')}.py" for name in names)
                waiting += [file for file in files if file.is_file()]
    imported = {path.relative_to(folder).parts[0] for path in reached}
    assert len(reached) > len(kernels)
    assert not imported & set(leave_out)


def test_the_next_process_finds_the_code_and_makes_damaged_code_anew(run_python, tmp_path):
    first = run_python(RUN, WHITEBOX_FILTERS_CACHE=str(tmp_path))
    entries = sorted(tmp_path.iterdir())
    assert {entry.suffix for entry in entries} == {".o"}
    stamps = [entry.stat().st_mtime_ns for entry in entries]
    assert run_python(RUN, WHITEBOX_FILTERS_CACHE=str(tmp_path)) == first
    assert [entry.stat().st_mtime_ns for entry in entries] == stamps
    damaged = entries[0].read_bytes()[:-100]
    entries[0].write_bytes(damaged)
    assert run_python(RUN, WHITEBOX_FILTERS_CACHE=str(tmp_path)) == first
    assert sorted(tmp_path.iterdir()) == entries
    assert len(entries[0].read_bytes()) > len(damaged)


def test_a_folder_that_cannot_be_written_is_done_without(run_python, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    assert run_python(RUN, WHITEBOX_FILTERS_CACHE=str(tmp_path / "file" / "cache")) == run_python(
        RUN, WHITEBOX_FILTERS_CACHE=""
    )
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_threads_make_and_load_one_function_at_a_time_and_once(monkeypatch):
    """LLVM's engine, asked by two threads at once, ends the process now and then."""
    busy, seen = threading.Lock(), []

    class Engine:
        processor = "none"

        def assemble(self, *text):
            return b"code"

        def load(self, code, symbol):
            assert busy.acquire(blocking=False)
            time.sleep(0.002)
            seen.append(symbol)
            busy.release()
            return len(seen)

    monkeypatch.setattr(cache, "engine", Engine)
    monkeypatch.setattr(cache, "_loaded", {})
    monkeypatch.setenv(cache.CACHE_VARIABLE, "")
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda index: cache.address(b"%d" % (index % 4), lambda: ("", "")), range(32)))
    assert sorted(set(found)) == [1, 2, 3, 4]
    assert len(set(seen)) == len(seen) == 4
    assert all(found[index] == found[index % 4] for index in range(32))
