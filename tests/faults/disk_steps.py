"""A folder whose file system is full or read-only, by the errors that it gives."""

from __future__ import annotations

import errno
import os
from pathlib import Path


def fill_up(monkeypatch, folder, left=0, number=errno.ENOSPC):
    """No more than `left` bytes can be written below the folder by `Path.write_bytes` and `Path.write_text`."""
    room = [left]
    write = Path.write_bytes

    def limited(path, data):
        if path.is_relative_to(folder):
            if len(data) > room[0]:
                write(path, bytes(data)[: room[0]])
                raise OSError(number, os.strerror(number))
            room[0] -= len(data)
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", limited)
    monkeypatch.setattr(Path, "write_text", lambda path, text, *_, **__: limited(path, text.encode()))
