"""What every request passes before its work: key, place, size and time."""

from __future__ import annotations

import asyncio
import hmac
import time

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from harmonizer.server.metrics import Metrics
from harmonizer.server.problems import RequestError
from harmonizer.server.settings import Limits
from harmonizer.server.workers import Workers

WORK = "/v1/"
"""Paths below it count against the limits and need the key; the others are for whoever watches the service."""


class Gate:
    """ASGI middleware around the routes; answers with a RequestError what may not pass."""

    def __init__(self, app: ASGIApp, limits: Limits, workers: Workers, metrics: Metrics, api_key: str | None) -> None:
        self._app, self._limits, self._workers, self._metrics = app, limits, workers, metrics
        self._key = None if api_key is None else api_key.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start, status = time.perf_counter(), 499  # as nginx logs a client that went away

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._pass(scope, receive, watched)
        finally:
            self._metrics.count(scope, status, time.perf_counter() - start)

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            _check_query(scope["query_string"])
            if not scope["path"].startswith(WORK):
                await self._app(scope, receive, send)
                return
            headers = Headers(scope=scope)
            self._check_key(headers)
            if scope["method"] != "POST":
                await self._app(scope, receive, send)
                return
            with self._workers.admit():
                async with asyncio.timeout(self._limits.seconds):
                    await self._app(scope, self._count(headers, receive), send)
        except RequestError as error:
            await error.respond()(scope, receive, send)
        except TimeoutError:
            problem = RequestError(
                503,
                "the request took too long",
                given=f"more than {self._limits.seconds:g} seconds, the upload and the wait included",
                accepted=f"{self._limits.seconds:g} seconds",
                advice="Send a smaller picture, or try again when the service is less busy.",
            )
            await problem.respond()(scope, receive, send)

    def _check_key(self, headers: Headers) -> None:
        if self._key is None:
            return
        scheme, _, key = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(key.encode(), self._key):
            raise RequestError(
                401,
                "this service asks for a key",
                given="no key, or another one",
                accepted="Authorization: Bearer KEY",
                advice="Ask whoever runs this service for a key.",
            )

    def _count(self, headers: Headers, receive: Receive) -> Receive:
        """`receive`, which raises RequestError 413 once more than the limit has come."""
        length = headers.get("content-length", "0")
        if length.isdecimal() and int(length) > self._limits.body_bytes:
            raise self._too_large(f"{int(length)} bytes")
        total = 0

        async def counted() -> Message:
            nonlocal total
            message = await receive()
            total += len(message.get("body", b""))
            if total > self._limits.body_bytes:
                raise self._too_large(f"more than {self._limits.body_bytes} bytes")
            return message

        return counted

    def _too_large(self, given: str) -> RequestError:
        return RequestError(
            413,
            "the request is too large",
            given=given,
            accepted=f"{self._limits.body_bytes} bytes",
            advice="Send smaller files, or ask whoever runs this service to raise the limit.",
        )


def _check_query(query: bytes) -> None:
    """Raise RequestError unless the query is text, as what reads it further on takes for granted."""
    try:
        query.decode()
    except UnicodeDecodeError:
        raise RequestError(
            400,
            "the query is no text",
            given=repr(query[:100]),
            accepted="UTF-8",
            advice="Write characters outside ASCII as %XX.",
        ) from None
