"""What can be asked of the service."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Body, File, Form, Query, Request, UploadFile
from starlette.responses import Response

from harmonizer.server import notices
from harmonizer.server.models import EXAMPLE_EDIT, EditModel, FiltersModel, Options, ProblemModel
from harmonizer.server.problems import RequestError
from harmonizer.server.service import Answer, Service
from harmonizer.server.uploads import Upload
from harmonizer.server.workers import Task, Workers

WARNING = "Harmonizer-Warning"
CLIENT_GONE = 499  # nobody reads it but the log, which knows it from nginx
PROBLEM: dict[str, Any] = {"model": ProblemModel}
PROBLEMS: dict[int | str, dict[str, Any]] = dict.fromkeys((400, 401, 413, 415, 422, 429, 503), PROBLEM)
PICTURE: dict[str, Any] = {
    "description": "The harmonized picture; or, with `Accept: application/json`, the edit.",
    "content": {
        "image/png": {"schema": {"type": "string", "format": "binary"}},
        "application/json": {"schema": EditModel.model_json_schema(), "example": EXAMPLE_EDIT},
    },
}

BINARY: dict[str, Any] = {
    "description": "Binary data.",
    "content": {
        kind: {"schema": {"type": "string", "format": "binary"}} for kind in ("image/png", "application/octet-stream")
    },
}
LUT: dict[str, Any] = {
    "description": "The table.",
    "content": {
        "text/plain": {"schema": {"type": "string"}},
        "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
    },
}


def build(service: Service, workers: Workers) -> APIRouter:
    """The routes below /v1/."""
    router = APIRouter(prefix="/v1", responses=PROBLEMS)

    @router.post("/harmonize", tags=["pictures"], response_class=Response, responses={200: PICTURE})
    async def harmonize(
        request: Request,
        composite: Annotated[
            UploadFile, File(description="The composite; with `background`, the foreground with alpha.")
        ],
        mask: Annotated[UploadFile | None, File(description="Its mask, grey, white on the foreground.")] = None,
        background: Annotated[UploadFile | None, File(description="What the foreground is pasted onto.")] = None,
        options: Annotated[
            str, Form(description="JSON: theta, filters, format, place.", examples=['{"format": "png"}'])
        ] = "{}",
    ) -> Response:
        """Harmonize a composite, or a foreground and a background."""
        chosen = Options.read(options)
        upload = await _read(composite, mask, background)
        as_json = _wants_json(request)
        return await _answer(request, workers, lambda task: service.harmonize(task, upload, chosen, as_json))

    @router.post("/apply", tags=["pictures"], response_class=Response, responses={200: PICTURE})
    async def apply(
        request: Request,
        composite: Annotated[UploadFile, File(description="As for /v1/harmonize.")],
        edit: Annotated[str, Form(description="The edit, as JSON.")],
        mask: Annotated[UploadFile | None, File()] = None,
        background: Annotated[UploadFile | None, File()] = None,
        options: Annotated[str, Form(description="JSON: theta of filters to change, format, place.")] = "{}",
    ) -> Response:
        """Render an edit, without the network; with `Accept: application/json`, only measure it anew."""
        chosen = Options.read(options)
        upload = await _read(composite, mask, background)
        as_json = _wants_json(request)
        return await _answer(request, workers, lambda task: service.apply(task, upload, edit, chosen, as_json))

    @router.post("/lut", tags=["pictures"], response_class=Response, responses={200: LUT})
    async def lut(
        request: Request,
        edit: Annotated[EditModel, Body(openapi_examples={"an edit": {"value": EXAMPLE_EDIT}})],
        size: Annotated[int, Query(ge=2, le=65, description="Steps along each axis.")] = 33,
    ) -> Response:
        """An edit, all statistics in it, as a .cube file; or with `Accept: application/octet-stream` as a raw table.

        The raw table has size^3 triples of 8 bits, red fastest, as a 3-D texture takes it.
        """
        text, raw = (
            json.dumps(edit.model_dump(exclude_none=True)),
            "application/octet-stream" in request.headers.get("accept", ""),
        )
        return await _answer(request, workers, lambda task: service.bake(task, text, size, raw))

    @router.post("/compose", tags=["pictures"], response_class=Response, responses={200: BINARY})
    async def compose(
        request: Request,
        composite: Annotated[UploadFile, File(description="The foreground, with alpha or a mask.")],
        background: Annotated[UploadFile | None, File()] = None,
        mask: Annotated[UploadFile | None, File()] = None,
        options: Annotated[str, Form(description="JSON: place, format.")] = "{}",
    ) -> Response:
        """Paste a foreground onto a background, and leave its colours as they are."""
        chosen = Options.read(options)
        upload = await _read(composite, mask, background)
        return await _answer(request, workers, lambda task: service.compose(task, upload, chosen))

    @router.post("/mask", tags=["pictures"], response_class=Response, responses={200: BINARY})
    async def mask_of(
        request: Request,
        composite: Annotated[UploadFile, File(description="As for /v1/harmonize.")],
        mask: Annotated[UploadFile | None, File()] = None,
        background: Annotated[UploadFile | None, File()] = None,
        options: Annotated[str, Form(description="JSON: place.")] = "{}",
    ) -> Response:
        """What is the foreground, as grey PNG of 8 bits in full size."""
        chosen = Options.read(options)
        upload = await _read(composite, mask, background)
        return await _answer(request, workers, lambda task: service.mask(task, upload, chosen))

    @router.post("/preview", tags=["page"], response_class=Response, responses={200: BINARY})
    async def preview(
        request: Request,
        composite: Annotated[UploadFile, File(description="As for /v1/harmonize.")],
        mask: Annotated[UploadFile | None, File()] = None,
        background: Annotated[UploadFile | None, File()] = None,
        side: Annotated[int, Query(ge=16, le=4096, description="Pixels of the longer side, at most.")] = 1600,
    ) -> Response:
        """The picture in little as PNG, its values as they are, with the mask as its alpha channel.

        Without a mask, the alpha channel is its own. The header `Harmonizer-Size` tells the size of the whole picture.
        """
        upload = await _read(composite, mask, background)
        return await _answer(request, workers, lambda task: service.preview(task, upload, side))

    @router.post("/colours", tags=["page"], response_class=Response, responses={200: BINARY})
    async def colours(
        request: Request,
        composite: Annotated[UploadFile, File(description="As for /v1/harmonize.")],
        mask: Annotated[UploadFile | None, File()] = None,
        background: Annotated[UploadFile | None, File()] = None,
    ) -> Response:
        """The picture's colours for /v1/grade: rows of float32, red, green, blue, pixels, pixels of the foreground."""
        upload = await _read(composite, mask, background)
        return await _answer(request, workers, lambda task: service.colours(task, upload))

    @router.post("/grade", tags=["page"], response_class=Response, responses={200: BINARY})
    async def grade(
        request: Request,
        edit: Annotated[str, Form(description="The edit, as JSON.")],
        colours: Annotated[UploadFile, File(description="What /v1/colours answered.")],
        options: Annotated[str, Form(description="JSON: theta of filters to change.")] = "{}",
        size: Annotated[int, Query(ge=2, le=65, description="Steps along each axis.")] = 65,
    ) -> Response:
        """A changed edit as a raw table, size^3 triples of 8 bits, red fastest."""
        theta, data = Options.read(options).theta, await colours.read()
        return await _answer(request, workers, lambda task: service.grade(task, edit, data, theta, size))

    @router.get("/filters", tags=["registry"])
    async def filters() -> FiltersModel:
        """Every filter that can be used, those that the network predicts, and the formats of pictures."""
        return service.filters()

    return router


async def _read(composite: UploadFile, mask: UploadFile | None, background: UploadFile | None) -> Upload:
    return Upload(await composite.read(), await _bytes(mask), await _bytes(background))


async def _bytes(upload: UploadFile | None) -> bytes | None:
    return None if upload is None else await upload.read()


def _wants_json(request: Request) -> bool:
    return "application/json" in request.headers.get("accept", "")


async def _answer(request: Request, workers: Workers, work: Callable[[Task], Answer]) -> Response:
    """Do the work while the client is there. What the library warns of stands in headers of the answer."""

    def collect(task: Task) -> tuple[Answer, list[str]]:
        with notices.collect() as messages:
            return work(task), messages

    task = asyncio.ensure_future(workers.run(collect))
    gone = asyncio.ensure_future(_disconnect(request))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise RequestError(CLIENT_GONE, "the client went away")
        answer, messages = task.result()
    finally:
        task.cancel()
        gone.cancel()
    response = Response(answer.body, media_type=answer.media_type, headers=dict(answer.headers))
    for message in messages:
        response.headers.append(WARNING, message.encode("ascii", "replace").decode())
    return response


async def _disconnect(request: Request) -> None:
    """Return when the client has closed its connection. The body has been read before."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
