"""Too little memory, as the system and the libraries tell it: one line on stderr and exit code 2."""

from __future__ import annotations

import errno
import sys
from typing import NoReturn

from harmonizer.cli.interrupts import causes

EXIT_CODE = 2
# What C and C++ libraries say: dlopen, the C++ runtime, LLVM and OpenVINO, torch, Python's threads, FFmpeg.
WORDS = (
    "failed to map segment",
    "bad_alloc",
    "bad allocation",
    "cannot allocate memory",
    "can't allocate memory",
    "can't start new thread",
    "out of memory",
)


def find_lack(error: BaseException | None) -> BaseException | None:
    """The error that tells of too little memory among an error and what caused it, None if there is none."""
    for each in causes(error):
        is_plain = isinstance(each, MemoryError) or (isinstance(each, OSError) and each.errno == errno.ENOMEM)
        # FFmpeg says so where it cannot start a thread. A lock that is held says the same, by Python's own class.
        is_of_threads = type(each).__module__ == "av.error" and getattr(each, "errno", None) == errno.EAGAIN
        if is_plain or is_of_threads or any(words in str(each).lower() for words in WORDS):
            return each
    return None


def exit_lacking() -> NoReturn:
    """End the process with a line that says what to do."""
    if sys.stderr:  # None if it is closed
        sys.stderr.write(
            "error: there is not enough memory; end other programs, raise a limit (ulimit -v), or take smaller "
            "pictures or fewer at once\n"
        )
    sys.exit(EXIT_CODE)
