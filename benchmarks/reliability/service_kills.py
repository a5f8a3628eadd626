"""SIGKILL of `harmonizer serve` and of a study while clients ask: no part of an answer, no answer of a person lost."""

from __future__ import annotations

import random
import signal
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from harmonizer.study.store import Store
from harmonizer.study.study import DATABASE
from harmonizer.study.tasks import Kind
from reliability import kills, make
from reliability.rows import Row
from reliability.service_process import end, launch, start

ASKING = 3.0  # seconds that clients ask, after the start


@dataclass
class Seen:
    """What clients saw."""

    whole: int = 0
    errors: int = 0  # connections that broke or were refused
    wrong: list[str] = field(default_factory=list)


def serve(command: str, folder: Path) -> Row:
    """The service, killed while it starts, waits, and works."""
    image, mask = make.pair(folder, "picture", 0, (480, 640))
    files = {"composite": image.read_bytes(), "mask": mask.read_bytes()}
    port = _free_port()
    expected = b""

    def ask(client: httpx.Client, seen: Seen) -> None:
        answer = client.post("/v1/harmonize", files=files)
        if answer.status_code != 200 or (expected and answer.content != expected):
            seen.wrong.append(f"status {answer.status_code}, {len(answer.content)} bytes")
        seen.whole += 1

    def after(url: str, seen: Seen) -> None:
        nonlocal expected
        with httpx.Client(base_url=url, timeout=60) as client:
            ask(client, seen)
            expected = expected or client.post("/v1/harmonize", files=files).content

    seen = _kill_again_and_again("serve", ["serve", "--port", port], port, ask, after)
    note = f"{seen.whole:,} answers were whole, {seen.errors:,} requests saw the connection break or refused"
    fault = "SIGKILL of `serve` while three clients ask; then it is started again and asked"
    return Row(fault, command, kills.TIMES, len(seen.wrong), note, tuple(seen.wrong[:20]))


def study(command: str, folder: Path) -> Row:
    """A study, killed while participants answer: what was acknowledged is in the database."""
    place = make.study(folder / "study")
    port = _free_port()
    acknowledged: dict[str, dict[str, float]] = {}

    def ask(client: httpx.Client, seen: Seen) -> None:
        progress = client.post("/v1/study/participants").json()
        while task := progress["task"]:
            theta = dict.fromkeys(("brightness", "contrast"), round(random.uniform(-1, 1), 3))
            answer = {"task": task["id"], "theta": theta, "importance": dict.fromkeys(theta, 3)}
            reply = client.post(f"/v1/study/participants/{progress['participant']}/answers", json=answer)
            if reply.status_code != 200:
                seen.wrong.append(f"status {reply.status_code}: {reply.text[:200]}")
                return
            progress = reply.json()
            acknowledged[task["id"]] = theta
            seen.whole += 1

    def after(_: str, seen: Seen) -> None:
        with Store(place / DATABASE) as store:
            kept = {each.task.id: each.values["theta"] for each in store.answers(Kind.adjust)}
        for task, theta in list(acknowledged.items()):
            if kept.get(task) != theta:
                seen.wrong.append(f"task {task}: {theta} was acknowledged, {kept.get(task)} is stored")

    arguments = ["studio", "--study", str(place), "--no-open", "--port", port]
    seen = _kill_again_and_again("study", arguments, port, ask, after)
    note = f"{len(acknowledged):,} answers were acknowledged, all are stored"
    fault = "SIGKILL of `studio --study` while three people answer; then it is started again"
    return Row(fault, command, kills.TIMES, len(seen.wrong), note, tuple(seen.wrong[:20]))


def _kill_again_and_again(
    name: str,
    arguments: list[str],
    port: str,
    ask: Callable[[httpx.Client, Seen], None],
    after: Callable[[str, Seen], None],
) -> Seen:
    """Kill at moments from the start of the process until clients have asked for ASKING seconds; `after` each, look."""
    seen, chance, begin = Seen(), random.Random(name), time.monotonic()
    process, url = start(*arguments)
    seconds = time.monotonic() - begin + ASKING
    after(url, seen)
    end(process)
    for number in range(kills.TIMES):
        process, over = launch(*arguments), threading.Event()
        clients = [threading.Thread(target=_ask_on, args=(ask, port, seen, over)) for _ in range(3)]
        for client in clients:
            client.start()
        time.sleep(seconds * (number + chance.random()) / kills.TIMES)
        end(process, signal.SIGKILL)
        over.set()
        for client in clients:
            client.join(60)
        try:
            process, url = start(*arguments)
        except RuntimeError as error:
            seen.wrong.append(f"kill {number}: {error}")
            continue
        after(url, seen)
        end(process)
    return seen


def _ask_on(ask: Callable[[httpx.Client, Seen], None], port: str, seen: Seen, over: threading.Event) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        while not over.is_set():
            try:
                ask(client, seen)
            except httpx.HTTPError:
                seen.errors += 1
                time.sleep(0.02)


def _free_port() -> str:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return str(listener.getsockname()[1])
