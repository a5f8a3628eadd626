"""The application: routes, and how their errors are answered."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from harmonizer.errors import HarmonizerError
from harmonizer.pipeline import Harmonizer
from harmonizer.server import problems, routes
from harmonizer.server import study as study_routes
from harmonizer.server.gate import Gate
from harmonizer.server.metrics import Metrics
from harmonizer.server.problems import RequestError
from harmonizer.server.service import Service
from harmonizer.server.settings import Limits
from harmonizer.server.workers import Workers
from harmonizer.study.study import Study
from whitebox_filters import FilterError

STATIC = Path(__file__).parents[1] / "studio" / "static"
DESCRIPTION = """Make the foreground of a composite look as if it had been taken together with its background.

Pictures come as `multipart/form-data`, are worked on in memory and are gone with the answer. Every error is JSON with
the fields `error`, `given`, `accepted` and `advice`."""


def create_app(
    harmonizer: Harmonizer, limits: Limits | None = None, api_key: str | None = None, study: Study | None = None
) -> FastAPI:
    """The service as an ASGI application, for any server of these; `harmonizer serve` runs it by uvicorn.

    With `api_key`, all below /v1/ asks for `Authorization: Bearer KEY`. With `study`, the page is that of the study.
    """
    limits = limits or Limits()
    workers = Workers(limits)
    metrics = Metrics(workers)
    service = Service(harmonizer, limits, metrics)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await workers.run(lambda _: service.warm_up())
        app.state.ready = True
        yield
        app.state.ready = False
        workers.close()

    app = FastAPI(
        title="Harmonizer",
        version=version("whitebox-harmonizer"),
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,  # these pages would load their scripts from elsewhere
        redoc_url=None,
    )
    app.state.ready = False
    app.include_router(routes.build(service, workers))
    if study is not None:
        app.include_router(study_routes.build(study, workers, harmonizer.cascade.region))

    @app.get("/healthz", tags=["operation"], response_class=PlainTextResponse)
    async def healthz() -> str:
        """Whether the process runs."""
        return "ok"

    @app.get("/readyz", tags=["operation"], response_class=PlainTextResponse, responses={503: routes.PROBLEM})
    async def readyz() -> str:
        """Whether requests are answered: the network is loaded, and the service is not ending."""
        if not app.state.ready or workers.closing:
            raise RequestError(503, "the service is not ready", advice="Ask again later.")
        return "ready"

    @app.get("/metrics", tags=["operation"], response_class=PlainTextResponse)
    async def prometheus() -> Response:
        """Counters in Prometheus's text format."""
        return Response(metrics.exposition(), media_type="text/plain; version=0.0.4; charset=utf-8")

    @app.get("/", include_in_schema=False)
    async def page() -> Response:
        return FileResponse(STATIC / "index.html") if study is None else RedirectResponse("study")

    app.mount("/studio", StaticFiles(directory=STATIC), name="studio")
    _answer_errors(app)
    app.add_middleware(Gate, limits=limits, workers=workers, metrics=metrics, api_key=api_key)
    return app


def _answer_errors(app: FastAPI) -> None:
    @app.exception_handler(RequestError)
    async def problem(_: Request, error: RequestError) -> JSONResponse:
        return error.respond()

    @app.exception_handler(HarmonizerError)
    @app.exception_handler(FilterError)
    async def library(_: Request, error: HarmonizerError | FilterError) -> JSONResponse:
        return problems.of_error(error).respond()

    @app.exception_handler(RequestValidationError)
    async def validation(request: Request, error: RequestValidationError) -> JSONResponse:
        return problems.of_validation(request, error).respond()

    @app.exception_handler(HTTPException)
    async def http(_: Request, error: HTTPException) -> JSONResponse:
        if isinstance(error.__cause__, RequestError):  # raised while the body was read
            return error.__cause__.respond()
        if isinstance(error.__cause__, OSError):  # a large upload is kept in a temporary file
            advice = "Try again later, or send a smaller picture."
            return RequestError(503, "there is no room for the upload now", advice=advice).respond()
        answer = RequestError(
            error.status_code, str(error.detail), advice="See /openapi.json for what there is."
        ).respond()
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(Exception)
    async def fault(*_: object) -> JSONResponse:
        # The server logs the traceback; it is not for the client.
        return RequestError(500, "the service failed", advice="Tell whoever runs it when this happened.").respond()
