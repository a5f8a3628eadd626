"""The service under twice the load that it takes: what is answered, how fast, and whether any answer is another's.

From the repository root: python benchmarks/service.py [--seconds 120]. Starts `harmonizer serve` as a process, and
clients that send 1080p photographs, one after the other. Every answer is compared with the picture that the library
gives. Writes benchmarks/results/service.md. Needs the extra `server`, and httpx.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np
from report import describe_machine, grid

from harmonizer import Harmonizer
from harmonizer.evaluation.bench import masks, picture
from harmonizer.pictures.coding.decode import decode
from harmonizer.pictures.coding.encode import ENCODERS
from harmonizer.pictures.picture import Picture

RESULTS = Path(__file__).parent / "results" / "service.md"
SHAPE = (1080, 1920)
PARALLEL = 2
QUEUE = 2
TWICE = 2 * (PARALLEL + QUEUE)
PICTURES = 4
JPEG = {"options": '{"format": "jpg"}'}


@dataclass
class Load:
    """What came back while so many clients asked."""

    clients: int
    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    times: list[float] = field(default_factory=list)
    wrong: int = 0


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=120)
    options = parser.parse_args()
    requests = make_requests()
    command = [
        sys.executable,
        "-m",
        "harmonizer",
        "serve",
        "--port",
        "0",
        "--parallel",
        str(PARALLEL),
        "--queue",
        str(QUEUE),
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        url = next(match[1] for line in server.stderr if (match := re.search(r"running on (http://\S+)", line)))
        loads = [
            asyncio.run(load(url, requests, clients, seconds))
            for clients, seconds in (
                (1, options.seconds / 4),
                (PARALLEL, options.seconds / 4),
                (4 * PARALLEL, options.seconds),
            )
        ]
        memory = peak_memory(server.pid)
        server.terminate()
    text = page(loads, in_process(requests), memory)
    RESULTS.write_text(text, encoding="utf-8")
    print(text)


def make_requests() -> list[tuple[dict[str, bytes], np.ndarray]]:
    """Photographs as clients send them, each with the picture that is to come back."""
    harmonizer = Harmonizer.load()
    requests = []
    for index in range(PICTURES):
        image, mask = np.roll(picture(SHAPE), 97 * index, axis=1), masks(SHAPE)["a quarter"]
        sent = {"composite": ENCODERS[".jpg"](Picture(image)), "mask": ENCODERS[".png"](Picture(np.dstack([mask] * 3)))}
        result = harmonizer.harmonize(decode(sent["composite"]).pixels, mask).image
        requests.append((sent, decode(ENCODERS[".jpg"](Picture(result))).pixels))
    return requests


async def load(url: str, requests: list[tuple[dict[str, bytes], np.ndarray]], clients: int, seconds: float) -> Load:
    """Ask from so many clients at once, each again when it is answered, for so long."""
    result, end = Load(clients), time.perf_counter() + seconds
    start = time.perf_counter()

    async def ask(number: int) -> None:
        async with httpx.AsyncClient(base_url=url, timeout=60) as client:
            while time.perf_counter() < end:
                files, expected = requests[number % len(requests)]
                begin = time.perf_counter()
                answer = await client.post("/v1/harmonize", files=files, data=JPEG)
                result.statuses[answer.status_code] += 1
                if answer.status_code == 200:
                    result.times.append(time.perf_counter() - begin)
                    received = await asyncio.to_thread(decode, answer.content)
                    result.wrong += not np.array_equal(received.pixels, expected)
                else:
                    await asyncio.sleep(float(answer.headers.get("retry-after", 1)))

    await asyncio.gather(*(ask(number) for number in range(clients)))
    result.seconds = time.perf_counter() - start
    return result


def in_process(requests: list[tuple[dict[str, bytes], np.ndarray]]) -> float:
    """Seconds that the same takes in one process without HTTP, the median."""
    harmonizer, times = Harmonizer.load(), []
    for index in range(24):
        files, _ = requests[index % len(requests)]
        begin = time.perf_counter()
        composite, mask = decode(files["composite"]), decode(files["mask"], is_mask=True)
        ENCODERS[".jpg"](Picture(harmonizer.harmonize(composite.pixels, mask.pixels[..., 1]).image))
        times.append(time.perf_counter() - begin)
    return float(np.median(times[4:]))


def peak_memory(pid: int) -> int:
    """Bytes, of a process on Linux."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def page(loads: list[Load], alone: float, memory: int) -> str:
    """The results page."""
    rows = [["one process without HTTP", "", f"{1 / alone:.1f}", f"{1e3 * alone:.0f}", "", "", "", ""]]
    for each in loads:
        middle, high, highest = (1e3 * np.percentile(each.times, share) for share in (50, 95, 99))
        turned_away = sum(count for status, count in each.statuses.items() if status == 429)
        others = sum(count for status, count in each.statuses.items() if status not in (200, 429))
        rows.append([
            f"{each.clients} clients", str(each.statuses[200]), f"{each.statuses[200] / each.seconds:.1f}",
            f"{middle:.0f}", f"{high:.0f}", f"{highest:.0f}", str(turned_away), str(each.wrong + others),
        ])  # fmt: skip
    best = max(each.statuses[200] / each.seconds for each in loads)
    head = ["", "answered", "a second", "p50 ms", "p95 ms", "p99 ms", "turned away (429)", "lost or mixed"]
    return "\n".join([
        "# The service under load",
        "",
        f"**Decision.** One process answers {best:.1f} photographs of 1080p a second, {best * alone:.0%} of what the "
        "library does without HTTP; beyond that it turns clients away and loses nothing. Start more processes behind a "
        "proxy for more cores.",
        "",
        f"JPEG in and out, mask over a quarter, `--parallel {PARALLEL} --queue {QUEUE}`: the last row is twice what is "
        f"admitted. Every answer was compared with the library's own. Peak memory {memory / 1e6:.0f} MB.",
        "",
        grid(head, rows),
        "",
        f"{describe_machine()} `python benchmarks/service.py`.",
        "",
    ])  # fmt: skip


if __name__ == "__main__":
    main()
