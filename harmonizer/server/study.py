"""What can be asked of a study: a place in it, the next task, its pictures; and where answers go."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Body
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import FileResponse, Response

from harmonizer import edits
from harmonizer.edits import Edit, Step
from harmonizer.pictures import io
from harmonizer.pictures.coding.encode import ENCODERS
from harmonizer.pictures.picture import Picture, convert_depth
from harmonizer.server.models import ProblemModel, Theta
from harmonizer.server.problems import RequestError
from harmonizer.server.workers import Workers
from harmonizer.study.store import Task
from harmonizer.study.study import HIGHEST, LOWEST, Study
from harmonizer.study.tasks import Kind
from whitebox_filters.cascade import Region

PAGE = Path(__file__).parents[1] / "studio" / "static" / "study.html"
PROBLEM: dict[str, Any] = {"model": ProblemModel}
PROBLEMS: dict[int | str, dict[str, Any]] = dict.fromkeys((400, 401, 404, 413, 415, 422, 429, 503), PROBLEM)
PNG: dict[str, Any] = {
    "description": "The picture, of 8 bits, with nothing that names the method.",
    "content": {"image/png": {"schema": {"type": "string", "format": "binary"}}},
}


class TaskModel(BaseModel):
    """A task; its pictures are at /v1/study/tasks/ID/PART."""

    id: str
    kind: Kind
    edit: dict[str, Any] | None = Field(default=None, description="To adjust: all filters of the study, theta 0.")


class ProgressModel(BaseModel):
    """Where a participant is."""

    participant: str
    title: str
    answered: int
    total: int
    task: TaskModel | None = Field(description="The next one; null after the last.")


class Adjustment(BaseModel):
    """How a participant adjusted a composite, and how important each filter was."""

    model_config = ConfigDict(extra="forbid")

    task: str
    theta: dict[str, Theta]
    importance: dict[str, Annotated[int, Field(ge=LOWEST, le=HIGHEST, strict=True)]]


class Choice(BaseModel):
    """Which of two results looks more real."""

    model_config = ConfigDict(extra="forbid")

    task: str
    choice: Literal["first", "second"]


def build(study: Study, workers: Workers, region: Region) -> APIRouter:
    """The page, and the routes below /v1/study/. Filters measure the `region` that they measure in training.

    Functions without `async` run in threads: they wait for the disk.
    """
    router = APIRouter(tags=["study"], responses=PROBLEMS)

    def where(participant: str) -> ProgressModel:
        progress = study.progress(participant)
        if progress is None:
            raise _unknown("participant", participant)
        task = None if progress.task is None else _show(progress.task, study.folder.filters, region)
        return ProgressModel(
            participant=participant,
            title=study.folder.title,
            answered=progress.answered,
            total=progress.total,
            task=task,
        )

    @router.get("/study", include_in_schema=False)
    def page() -> Response:
        return FileResponse(PAGE)

    @router.post("/v1/study/participants")
    def register() -> ProgressModel:
        """Take part: a new random id, and tasks in an order of their own."""
        return where(study.register())

    @router.get("/v1/study/participants/{participant}")
    def progress(participant: str) -> ProgressModel:
        """Where a participant is, who may have been away."""
        return where(participant)

    @router.post("/v1/study/participants/{participant}/answers")
    def answer(participant: str, answer: Annotated[Adjustment | Choice, Body()]) -> ProgressModel:
        """Store an answer, on the disk before this is answered. The same one may be sent again."""
        task = study.find(participant, answer.task)
        if task is None:
            raise _unknown("task of this participant", answer.task)
        if isinstance(answer, Adjustment):
            study.adjust(task, answer.theta, answer.importance)
        else:
            study.compare(task, answer.choice)
        return where(participant)

    @router.get("/v1/study/tasks/{task}/{part}", response_class=Response, responses={200: PNG})
    async def picture(task: str, part: Literal["composite", "mask", "first", "second"]) -> Response:
        """A picture of a task: composite and mask to adjust, or first and second to compare."""
        files = study.pictures(task)
        if files is None or part not in files:
            raise _unknown("task with this part", f"{task}/{part}")
        file = files[part]
        if not file.is_file():  # removed since the study began
            raise RequestError(503, "the picture is not there now", advice="Tell whoever runs this study.")
        if part in ("composite", "mask"):
            return FileResponse(file)
        return Response(await workers.run(lambda _: _encode(file)), media_type="image/png")

    return router


def _unknown(what: str, given: str) -> RequestError:
    return RequestError(
        404,
        f"there is no such {what}",
        given=given[:200],
        accepted="what this study's answers name",
        advice="POST /v1/study/participants gives a place in the study.",
    )


def _show(task: Task, filters: tuple[str, ...], region: Region) -> TaskModel:
    kind = task.question.kind
    if kind == Kind.compare:
        return TaskModel(id=task.id, kind=kind)
    # The page measures and renders this; which picture it belongs to does not matter for that.
    edit = Edit(tuple(Step(name, 0.0) for name in filters), region, "0" * 64, "0" * 64)
    return TaskModel(id=task.id, kind=kind, edit=json.loads(edits.dumps(edit)))


@lru_cache(maxsize=32)
def _encode(file: Path) -> bytes:
    """A result as PNG of 8 bits: all methods in one format, and without the metadata, which may name them."""
    picture = io.read_image(file)
    return ENCODERS[".png"](Picture(convert_depth(picture.pixels, np.uint8), profile=picture.profile))
