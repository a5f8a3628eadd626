"""Clients that ask a service of everything that it does, all the time."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections import Counter
from dataclasses import dataclass, field

import httpx
import numpy as np

from harmonizer.evaluation.bench import masks, picture
from harmonizer.pictures.coding.encode import ENCODERS
from harmonizer.pictures.picture import Picture

SHAPES = ((240, 320), (480, 640), (720, 1280), (1080, 1920))
WAIT = 60.0  # seconds for an answer


@dataclass(frozen=True)
class Question:
    """A request, and the status that answers it; None: the client goes away before it is answered."""

    path: str
    files: dict[str, bytes]
    data: dict[str, str] = field(default_factory=dict)
    accept: str = "*/*"
    status: int | None = 200


@dataclass
class Load:
    """What came back."""

    statuses: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)  # answers with another status, or other bytes than the first time
    gone: int = 0  # clients that went away
    digests: dict[int, str] = field(default_factory=dict)  # of the first answer, by question

    @property
    def done(self) -> int:
        """Requests that are over."""
        return sum(self.statuses.values()) + self.gone


def make_questions() -> list[Question]:
    """Pictures of four sizes and three formats, edits, previews, files that are none, a client that goes away."""
    questions = []
    for number, shape in enumerate(SHAPES):
        image, mask = np.roll(picture(shape), 31 * number, axis=1), masks(shape)["a quarter"]
        grey = Picture(np.dstack([mask] * 3))
        files = {"composite": ENCODERS[".jpg"](Picture(image)), "mask": ENCODERS[".png"](grey)}
        formats = ("jpg", "webp") if number == 3 else ("jpg", "png", "webp")
        questions += [Question("/v1/harmonize", files, {"options": json.dumps({"format": each})}) for each in formats]
        questions.append(Question("/v1/harmonize", files, accept="application/json"))
        questions.append(Question("/v1/preview?side=200", files))
        questions.append(Question("/v1/harmonize", {**files, "composite": files["composite"][:2000]}, status=400))
        questions.append(Question("/v1/harmonize", {**files, "composite": b"none"}, status=415))
        questions.append(Question("/v1/harmonize", files, {"options": '{"theta": {"shadow": 7}}'}, status=422))
        questions.append(Question("/v1/harmonize", files, status=None))
    return questions


async def ask_all(url: str, questions: list[Question], clients: int, end: float, load: Load) -> None:
    """Ask from so many clients at once, one question after the other, until `end` by the monotonic clock."""

    async def ask(number: int) -> None:
        async with httpx.AsyncClient(base_url=url, timeout=WAIT) as client:
            while time.monotonic() < end:
                await _ask(client, questions, number % len(questions), load)
                number += clients

    await asyncio.gather(*(ask(number) for number in range(clients)))


async def _ask(client: httpx.AsyncClient, questions: list[Question], number: int, load: Load) -> None:
    question = questions[number]
    if question.status is None:
        try:
            await client.post(question.path, files=question.files, timeout=0.03)
        except httpx.TimeoutException:
            load.gone += 1
            return
        load.statuses[200] += 1
        return
    headers = {"accept": question.accept}
    try:
        answer = await client.post(question.path, files=question.files, data=question.data, headers=headers)
    except httpx.HTTPError as error:
        load.wrong.append(f"question {number}: {error!r}")
        return
    load.statuses[answer.status_code] += 1
    if answer.status_code == 429:
        await asyncio.sleep(float(answer.headers.get("retry-after", 1)))
        return
    digest = hashlib.sha256(answer.content).hexdigest()
    if answer.status_code != question.status or load.digests.setdefault(number, digest) != digest:
        load.wrong.append(f"question {number}: status {answer.status_code}, {len(answer.content)} bytes")
