"""What a client is told if a request cannot be answered: a status, and JSON that says what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse

from harmonizer.errors import (
    CheckpointError,
    EditError,
    HarmonizerError,
    ImageFileError,
    MaskError,
    OutputError,
    StoreError,
)
from harmonizer.pictures.coding.formats import READABLE
from whitebox_filters import FilterError

RETRY_SECONDS = 2
JSON, MULTIPART = "application/json", "multipart/form-data"


class RequestError(Exception):
    """A request that is not answered. `given` and `accepted` are short texts; `advice` is a whole sentence."""

    def __init__(self, status: int, message: str, *, given: str = "", accepted: str = "", advice: str = "") -> None:
        super().__init__(message)
        self.status = status
        texts = {"error": message, "given": given, "accepted": accepted, "advice": advice}
        # What clients send may hold half of a pair that JSON writes as two, which is no text.
        self.fields = {key: text.encode("utf-8", "backslashreplace").decode() for key, text in texts.items()}

    def respond(self) -> JSONResponse:
        """The answer; 429 and 503 tell when to try again."""
        return JSONResponse(self.fields, self.status, _retry(self.status))


def of_error(error: HarmonizerError | FilterError) -> RequestError:
    """The problem that an error of the library is to a client: the client's picture, mask, edit or options."""
    if isinstance(error, CheckpointError):
        return RequestError(
            503, "the network cannot be run", advice="Try again later, or tell whoever runs this service."
        )
    if isinstance(error, StoreError):  # its message names files of this machine
        return RequestError(503, "the answer is not stored", advice="Send it again later, or tell whoever runs this.")
    return RequestError(400 if isinstance(error, ImageFileError) else 422, str(error), **_EXPECTED.get(type(error), {}))


def of_validation(request: Request, error: RequestValidationError) -> RequestError:
    """The problem of a request whose parts are missing or malformed."""
    first = error.errors()[0]
    place = ".".join(map(str, first["loc"]))
    sent = request.headers.get("content-type", "").partition(";")[0].strip()
    expected = JSON if request.scope["path"].endswith(("/lut", "/answers")) else MULTIPART
    if request.method == "POST" and sent != expected:
        return RequestError(
            415,
            "the body is of another type",
            given=sent or "no Content-Type",
            accepted=expected,
            advice=f"Send it as {expected}; see /openapi.json.",
        )
    return RequestError(
        422,
        f"{place}: {first['msg']}",
        given=str(first.get("input"))[:200],
        accepted="the parts that /openapi.json lists",
        advice="Send each part under its name.",
    )


_EXPECTED: dict[type[Exception], dict[str, str]] = {
    ImageFileError: {
        "given": "a file that cannot be decoded",
        "accepted": f"a whole picture: {READABLE}",
        "advice": "Check that the file opens in another program, and send its bytes unchanged.",
    },
    MaskError: {
        "given": "a mask that does not belong to its picture",
        "accepted": "a grey picture of the composite's size, white on the foreground",
        "advice": "Send the mask in the size of the composite.",
    },
    EditError: {
        "given": "an edit or setting that cannot be used",
        "accepted": "an edit as POST /v1/harmonize returns it, with theta in [-1, 1]",
        "advice": "Ask POST /v1/harmonize for an edit and change its theta.",
    },
    OutputError: {
        "given": "a picture that the format cannot hold",
        "accepted": "another format",
        "advice": "Ask for png.",
    },
}


def _retry(status: int) -> Mapping[str, Any] | None:
    return {"Retry-After": str(RETRY_SECONDS)} if status in (429, 503) else None
