"""Too little memory, as the system and the libraries tell it: one line on stderr and exit code 2."""

from __future__ import annotations

import errno
import sys
from typing import NoReturn

from harmonizer.cli.interrupts import causes

EXIT_CODE = 2
NUMBERS = (errno.ENOMEM, errno.EAGAIN)  # the second where a thread cannot be started
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
        is_plain = isinstance(each, MemoryError) or (isinstance(each, OSError) and each.errno in NUMBERS)
        if is_plain or any(words in str(each).lower() for words in WORDS):
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
