"""Commands of a page and what they print. `python -m website.transcripts PAGE FOLDER` runs them there and renews it.

A block `sh` is run; where a block `text` follows it at once, that is what it prints.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

COMMANDS = re.compile(r"^```sh\n(.*?)^```\n(\n```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)
SETTING_UP = "pip install"


def renewed(page: str, folder: Path, environment: Mapping[str, str]) -> str:
    """The text of a page with what its commands print now, run one block after the other in `folder`.

    A block that installs is left out: the environment has what it installs. Raises CalledProcessError.
    """

    def run(found: re.Match[str]) -> str:
        if SETTING_UP in found[1]:
            return found[0]
        printed = _printed(found[1], folder, environment)
        return found[0].replace(found[2], f"\n```text\n{printed}```\n") if found[2] else found[0]

    return COMMANDS.sub(run, page)


def _printed(commands: str, folder: Path, environment: Mapping[str, str]) -> str:
    """What bash prints, without blanks at the ends of lines and empty lines around the whole."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=folder,
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    lines = [line.rstrip() for line in done.stdout.splitlines()]
    return "\n".join(lines).strip("\n") + "\n" if any(lines) else ""


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(renewed(path.read_text(encoding="utf-8"), Path(sys.argv[2]), os.environ), encoding="utf-8")
