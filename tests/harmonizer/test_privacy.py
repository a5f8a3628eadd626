"""Nothing leaves the machine: no library in use reports to its makers, opens a connection or leaves a file at home."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

DEMO = Path(__file__).parents[2] / "demo"
PROGRAM = """
import os, sys
sys.addaudithook(lambda event, _: event.startswith("socket.") and sys.exit(f"{event} was called"))
from harmonizer.cli import app
try:
    app.main()
finally:
    import time
    time.sleep(0.5)  # time for threads that report in the background
    files = [os.path.realpath(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd")]
    assert "onnxruntime" in sys.modules
    assert not [name for name in files if "socket:" in name], files
"""


def test_a_run_opens_no_connection_and_writes_nothing_but_its_output(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    environment |= {"HOME": str(home), "XDG_CACHE_HOME": str(home / ".cache"), "WHITEBOX_FILTERS_CACHE": ""}
    arguments = ["run", DEMO / "composite.jpg", DEMO / "mask.png", "-o", tmp_path / "out.png"]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, arguments)], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out.png").is_file()
    assert [path for path in home.rglob("*") if path.is_file()] == []
