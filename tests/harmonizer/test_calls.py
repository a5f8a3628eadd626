"""How much of `harmonizer run` is Python: the pixels are compiled, so what is left is a fixed number of calls."""

from __future__ import annotations

from pathlib import Path

DEMO = Path(__file__).parents[2] / "demo"
MOST = 663

# Counts the calls of the two packages' functions; comprehensions are left out, which newer Pythons do not call. It ends
# beyond MOST, since a count makes the compiler, whose calls are millions, four times as slow.
COUNT = """
import sys
from pathlib import Path
import harmonizer, whitebox_filters
from harmonizer.cli import app
folders = tuple(str(Path(package.__file__).parent) for package in (harmonizer, whitebox_filters))
calls = 0
def count(frame, event, argument):
    global calls
    code = frame.f_code
    calls += event == "call" and code.co_filename.startswith(folders) and not code.co_name.startswith("<")
    if calls > {most}:
        sys.setprofile(None)
sys.argv = ["harmonizer", "run", {composite!r}, {mask!r}, "-o", {output!r}]
sys.setprofile(count)
try:
    app.main()
except SystemExit as done:
    assert not done.code
sys.setprofile(None)
print("calls:", calls)
"""


def test_a_warm_run_makes_few_python_calls(run_python, tmp_path):
    places = {"composite": DEMO / "composite.jpg", "mask": DEMO / "mask.png", "output": tmp_path / "out.png"}
    code = COUNT.format(most=MOST, **{name: str(path) for name, path in places.items()})
    cold, warm = (
        int(run_python(code, WHITEBOX_FILTERS_CACHE=str(tmp_path)).rpartition("calls: ")[2]) for _ in range(2)
    )
    assert 100 < warm <= MOST < cold
