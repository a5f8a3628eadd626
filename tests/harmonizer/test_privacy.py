"""Nothing leaves the machine: no library in use reports to its makers, opens a connection or leaves a file at home."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import av
import pytest
from PIL import Image

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


def write_clip(path):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame(64, 48, "yuv420p")))
        container.mux(stream.encode())


@pytest.mark.parametrize("command", ["run", "video"])
def test_a_command_opens_no_connection_and_writes_nothing_but_its_output(tmp_path, compiled_code, command):
    home = tmp_path / "home"
    home.mkdir()
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    environment |= compiled_code | {"HOME": str(home), "XDG_CACHE_HOME": str(home / ".cache")}
    write_clip(tmp_path / "clip.mp4")
    Image.new("L", (64, 48), 255).save(tmp_path / "mask.png")
    output = tmp_path / ("out.png" if command == "run" else "out.mp4")
    inputs = {
        "run": (DEMO / "composite.jpg", DEMO / "mask.png"),
        "video": (tmp_path / "clip.mp4", tmp_path / "mask.png"),
    }
    arguments = [command, *inputs[command], "-o", output]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, arguments)], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert output.is_file()
    assert [path for path in home.rglob("*") if path.is_file()] == []


def test_openvino_reports_to_nobody_and_leaves_no_id_at_home(tmp_path):
    pytest.importorskip("openvino", reason="the extra openvino is not installed")
    program = "from harmonizer import Predictor; Predictor.load(None, 'openvino')"
    environment = os.environ | {"HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert [path for path in tmp_path.rglob("*") if path.is_file() and "intel" in str(path)] == []
