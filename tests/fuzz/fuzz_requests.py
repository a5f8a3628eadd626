"""Requests to the service: a line with path and media type, then the body; and how they are sent without a socket."""

from __future__ import annotations

import asyncio
import json
from functools import cache
from typing import Any

import fuzz_pictures
from fuzz_texts import EDIT, NESTED, ODD, bad_edits

from harmonizer import Harmonizer
from harmonizer.server.app import create_app
from harmonizer.server.settings import Limits

BOUNDARY = "XbX"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"
PIXELS = 100_000
ANSWERS = {200, 307, 400, 401, 404, 405, 413, 415, 422, 429, 503}
"""What docs/service.md and /openapi.json tell of."""


def requests() -> list[bytes]:
    composite, mask = fuzz_pictures.png()[0], fuzz_pictures.masks()[0]
    cutout, background = fuzz_pictures.png()[1], fuzz_pictures.jpeg()[1]
    edit = json.dumps(EDIT).encode()
    options = b'{"theta": {"shadow": 0.2}, "filters": ["shadow", "tint"], "format": "png"}'
    placed = b'{"place": {"x": 3, "y": 4, "scale": 0.7, "flip": true}, "format": "webp"}'
    pictures = {"composite": composite, "mask": mask}
    pasted = {"composite": cutout, "background": background}
    colours = bytes.fromhex("0000003f0000003f0000003f0000803f0000803f") * 3
    return [
        post("/v1/harmonize", pictures | {"options": options}),
        post("/v1/harmonize", pasted | {"options": placed}),
        post("/v1/apply", pictures | {"edit": edit, "options": b'{"theta": {"shadow": -0.2}}'}),
        post("/v1/compose", pasted | {"options": placed}),
        post("/v1/mask", pictures),
        post("/v1/preview?side=16", pictures),
        post("/v1/colours", pictures),
        post("/v1/grade?size=2", {"edit": edit, "colours": colours, "options": b"{}"}),
        b"POST /v1/lut?size=2 application/json\n" + edit,
        b"GET /v1/filters -\n",
        b"GET /studio/index.html -\n",
    ]


def bad_requests() -> list[bytes]:
    pictures = {"composite": fuzz_pictures.png()[0], "mask": fuzz_pictures.masks()[0]}
    edits = [*bad_edits(), json.dumps(EDIT | {"filters": [{"name": "\ud800", "theta": 0.1}]}).encode()]
    options = [
        b'{"theta": {"shadow": 1e999}}', b'{"theta": {"\\ud800": 0.1}}', b'{"filters": ["\\ud800"]}',
        b'{"format": "gif"}',
        b'{"place": {"x": 1e308, "y": -1e308, "scale": 1e-300}}', b'{"place": {"x": 0, "y": 0, "scale": 100}}',
        b'{"filters": ["shadow", "shadow"]}', b'{"theta": {"shadow": %s}}' % (b"9" * 5000), *NESTED, *ODD,
    ]  # fmt: skip
    cut = {"composite": fuzz_pictures.png()[1], "background": fuzz_pictures.png()[0]}
    bombs = [file for files in fuzz_pictures.crafted().values() for file in files]
    body, edit = post("/v1/apply", pictures | {"edit": b"{}"}), json.dumps(EDIT).encode()
    return [
        *(post("/v1/apply", pictures | {"edit": edit}) for edit in edits),
        *(b"POST /v1/lut?size=2 application/json\n" + edit for edit in edits),
        *(post("/v1/compose", cut | {"options": each}) for each in options),
        *(post("/v1/harmonize", pictures | {"options": each}) for each in options),
        *(post("/v1/mask", {"composite": bomb, "mask": bomb}) for bomb in bombs),
        *(post("/v1/preview", {"composite": bomb}) for bomb in bombs),
        *(post("/v1/grade?size=2", {"edit": edit, "colours": each}) for each in (b"", bytes(20), b"\xff" * 20)),
        body.replace(BOUNDARY.encode(), b"", 1), body.replace(b"boundary=", b"boundary=" + b"x" * 10_000, 1),
        body.replace(b'name="edit"', b'name=""'), body.replace(b'name="edit"', b'name="edit'), body * 50,
        body.replace(b"form-data;", b""), b"POST /v1/lut?size=2 -\n", b"GET /../../etc/passwd -\n",
        b"GET /studio/%2e%2e/%2e%2e/errors.py -\n", b"GET /studio/../../errors.py -\n", b"PUT /v1/lut x\n", *ODD,
    ]  # fmt: skip


def post(path: str, parts: dict[str, bytes]) -> bytes:
    """A request of several parts."""
    body = b""
    for name, content in parts.items():
        file = f'; filename="{name}"' if name in ("composite", "mask", "background", "colours") else ""
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
        body += head.encode() + content + b"\r\n"
    return f"POST {path} {MULTIPART}\n".encode() + body + f"--{BOUNDARY}--\r\n".encode()


@cache
def client() -> Client:
    """The one of this process."""
    return Client()


class Client:
    """Sends requests to the service in this thread, through its ASGI interface."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._app = create_app(Harmonizer.load(threads=1), Limits(body_bytes=1_000_000, pixels=PIXELS, seconds=8.0))
        self._app.state.ready = True

    def close(self) -> None:
        """End the loop, which holds sockets of its own."""
        self._loop.close()

    def send(self, request: bytes) -> tuple[int, bytes]:
        """The status and the body of the answer."""
        head, _, body = request.partition(b"\n")
        method, _, rest = head.partition(b" ")
        target, _, media_type = rest.partition(b" ")
        path, _, query = target.partition(b"?")
        messages = [{"type": "http.request", "body": body, "more_body": False}]
        answer: list[dict[str, Any]] = []
        never = asyncio.Event()

        async def receive() -> dict[str, Any]:
            if messages:
                return messages.pop()
            await never.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            answer.append(message)

        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method.decode("latin-1"),
            "scheme": "http", "path": path.decode("utf-8", "replace"), "raw_path": path, "query_string": query,
            "root_path": "", "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
            "headers": [(b"content-type", media_type), (b"content-length", str(len(body)).encode())],
        }  # fmt: skip
        self._loop.run_until_complete(self._app(scope, receive, send))
        body = b"".join(message.get("body", b"") for message in answer[1:])
        return int(answer[0]["status"]), body
