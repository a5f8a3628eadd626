"""`harmonizer serve` as a process."""

from __future__ import annotations

import io
import re
import signal
import subprocess
import sys
import threading
import time

import httpx
import pytest
from PIL import Image


@pytest.fixture
def process():
    command = [sys.executable, "-m", "harmonizer", "serve", "--port", "0", "--parallel", "1"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        lines = []
        for line in process.stderr:
            lines.append(line)
            if found := re.search(r"running on (http://\S+)", line):
                break
        else:
            pytest.fail("".join(lines))
        yield process, found[1]
        process.kill()


def enlarge(picture, side):
    """So large that a request takes long enough to be seen at work."""
    file = io.BytesIO()
    Image.open(io.BytesIO(picture)).resize((side, side)).save(file, "PNG", compress_level=0)
    return file.getvalue()


def test_sigterm_finishes_what_runs(process, demo):
    server, url = process
    files = {name: enlarge(picture, 1500) for name, picture in demo.items()}
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(httpx.post(f"{url}/v1/harmonize", files=files, timeout=60)))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    limit = time.monotonic() + 30
    while "harmonizer_requests_admitted 3" not in httpx.get(f"{url}/metrics").text:
        assert time.monotonic() < limit, "the three requests were never at work together"
    server.send_signal(signal.SIGTERM)
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [200] * 3
    assert server.wait(20) in (0, -signal.SIGTERM)


def test_it_listens_on_this_machine_alone(process):
    assert "//127.0.0.1:" in process[1]


def test_an_address_that_is_taken_is_an_error(process):
    port = process[1].rpartition(":")[2]
    done = subprocess.run([sys.executable, "-m", "harmonizer", "serve", "--port", port], capture_output=True, text=True)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert "in use" in done.stderr
