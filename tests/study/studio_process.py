"""`harmonizer studio --study` as a process."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path


class Studio:
    """A process that can be killed and started again, at the same address."""

    def __init__(self, folder: Path | None) -> None:
        self.folder, self.port, self.url = folder, "0", ""

    def start(self, *options: str) -> None:
        command = [sys.executable, "-m", "harmonizer", "studio", "--port", self.port]
        if self.folder is not None:
            command += ["--study", str(self.folder)]
        self.process = subprocess.Popen([*command, *(options or ["--no-open"])], stderr=subprocess.PIPE, text=True)
        lines = []
        for line in self.process.stderr:
            lines.append(line)
            if found := re.search(r"running on (http://\S+)", line):
                self.url = found[1]
                self.port = self.url.rpartition(":")[2]
                return
        raise AssertionError("".join(lines))

    def kill(self) -> None:
        self.process.kill()
        assert self.process.wait() == -signal.SIGKILL
        self.process.stderr.close()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        self.process.stderr.close()


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """A command of harmonizer that ends."""
    command = [sys.executable, "-m", "harmonizer", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | {"COLUMNS": "200"})
