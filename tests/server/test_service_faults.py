"""A service whose disk is full."""

from __future__ import annotations

import errno
import os
import tempfile

import starlette.formparsers


class Full(tempfile.SpooledTemporaryFile):
    def write(self, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_no_room_for_an_upload(client, demo, monkeypatch):
    monkeypatch.setattr(starlette.formparsers, "SpooledTemporaryFile", Full)
    answer = client.post("/v1/harmonize", files=demo)
    assert (answer.status_code, answer.json()["error"]) == (503, "there is no room for the upload now")
    assert "retry-after" in answer.headers
    monkeypatch.undo()
    assert client.post("/v1/harmonize", files=demo).status_code == 200
