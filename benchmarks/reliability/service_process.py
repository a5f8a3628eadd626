"""`harmonizer serve` or `harmonizer studio --study` as a process that can be killed and started again."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from reliability.commands import environment, harmonizer


def launch(*arguments: str) -> subprocess.Popen[str]:
    """The process, which may not answer yet."""
    return subprocess.Popen(
        harmonizer(*arguments), stderr=subprocess.PIPE, text=True, env=environment(), start_new_session=True
    )


def start(*arguments: str) -> tuple[subprocess.Popen[str], str]:
    """The process and its URL, once it answers. Raises RuntimeError with what it said if it ends before."""
    process = launch(*arguments)
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if match := re.search(r"running on (http://\S+)", line):
            return process, match[1]
    raise RuntimeError(f"the service did not start: {''.join(said)}")


@contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The same, ended at the end."""
    process, url = start(*arguments)
    try:
        yield process, url
    finally:
        end(process)


def end(process: subprocess.Popen[str], signal_number: int = signal.SIGTERM) -> None:
    """Stop it, and wait for its end."""
    if process.poll() is None:
        process.send_signal(signal_number)
        process.wait(60)
    if process.stderr is not None:
        process.stderr.close()
