"""A command in a copy of this process that has its libraries loaded: no second is spent on that again and again."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from reliability.commands import Ended


class Fork:
    """The command line `python -m harmonizer ...` in a session of its own, what it prints in two files, if named."""

    def __init__(self, command: Sequence[str], modules: Sequence[str], said: Path | None = None) -> None:
        for module in modules:
            importlib.import_module(module)
        self.args, self.returncode = command, None
        sys.stdout.flush()
        self.pid = os.fork()
        if not self.pid:
            _run(list(command[2:]), os.devnull if said is None else str(said))

    def wait(self, seconds: float) -> int:
        """The exit code. Raises subprocess.TimeoutExpired."""
        end = time.monotonic() + seconds
        while True:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            if time.monotonic() > end:
                raise subprocess.TimeoutExpired(self.args, seconds)
            time.sleep(0.005)

    def kill(self) -> None:
        """SIGKILL, and wait for the end."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def run(command: Sequence[str], modules: Sequence[str], said: Path, seconds: float) -> Ended:
    """As `commands.run`; what it prints goes to a file."""
    fork = Fork(command, modules, said)
    try:
        code: int | None = fork.wait(seconds)
    except subprocess.TimeoutExpired:
        fork.kill()
        code = None
    return Ended(code, "", said.read_text(errors="replace"))


def _run(arguments: list[str], said: str) -> None:
    """In the copy: never returns."""
    code = 1
    try:
        os.setsid()
        sink = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        for number in (1, 2):
            os.dup2(sink, number)
        sys.argv = arguments
        from harmonizer.__main__ import main

        main()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
