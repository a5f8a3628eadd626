"""The command that answers over HTTP, and what it shares with the one that opens the page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harmonizer.engines import EngineName
from harmonizer.server.settings import Limits

if TYPE_CHECKING:
    from harmonizer.study.study import Study

HOST, PORT, MEGABYTES, MEGAPIXELS, SECONDS, PARALLEL, QUEUE = "127.0.0.1", 8000, 100.0, 60.0, 30.0, 2, 16

Host = Annotated[str, typer.Option(envvar="HARMONIZER_HOST", help="The address to listen at.")]
Port = Annotated[int, typer.Option(envvar="HARMONIZER_PORT", min=0, max=65535, help="0: one that is free.")]
Weights = Annotated[Path | None, typer.Option(help="A checkpoint folder instead of the one shipped.")]
Engine = Annotated[EngineName, typer.Option(help="What runs the network.")]
Megabytes = Annotated[float, typer.Option(envvar="HARMONIZER_MEGABYTES", min=0.001, help="Limit of a whole request.")]
Megapixels = Annotated[float, typer.Option(envvar="HARMONIZER_MEGAPIXELS", min=0.001, help="Limit of one picture.")]
Seconds = Annotated[
    float, typer.Option(envvar="HARMONIZER_SECONDS", min=0.1, help="Limit of a request, its upload included.")
]
Parallel = Annotated[
    int, typer.Option(envvar="HARMONIZER_PARALLEL", min=1, help="Requests that are worked on at once.")
]
Queue = Annotated[int, typer.Option(envvar="HARMONIZER_QUEUE", min=0, help="Requests that may wait.")]


def serve(
    host: Host = HOST,
    port: Port = PORT,
    weights: Weights = None,
    engine: Engine = EngineName.onnxruntime,
    megabytes: Megabytes = MEGABYTES,
    megapixels: Megapixels = MEGAPIXELS,
    seconds: Seconds = SECONDS,
    parallel: Parallel = PARALLEL,
    queue: Queue = QUEUE,
    api_key: Annotated[
        str | None, typer.Option(envvar="HARMONIZER_API_KEY", help="A bearer token that clients have to send.")
    ] = None,
) -> None:
    """Answer HTTP requests: pictures in; harmonized pictures, edits and LUTs out. Needs the extra `server`.

    It listens on this machine alone unless --host says otherwise.
    """
    limits = count_limits(megabytes, megapixels, seconds, parallel, queue)
    run(host, port, weights, engine, limits, api_key=api_key)


def count_limits(megabytes: float, megapixels: float, seconds: float, parallel: int, queue: int) -> Limits:
    """Limits in bytes and pixels from those that are typed."""
    return Limits(round(megabytes * 1e6), round(megapixels * 1e6), seconds, parallel, queue)


def run(
    host: str,
    port: int,
    weights: Path | None,
    engine: EngineName,
    limits: Limits,
    *,
    api_key: str | None = None,
    study: Study | None = None,
    opened: Callable[[str], None] | None = None,
) -> None:
    """Serve until the end of the process; `opened` is called with the address once it answers."""
    from harmonizer.errors import HarmonizerError
    from harmonizer.pipeline import Harmonizer

    try:
        from harmonizer.server.app import create_app
        from harmonizer.server.listen import listen
    except ImportError as error:
        raise HarmonizerError(f"this needs {error.name}; pip install 'whitebox-harmonizer[server]'") from error
    app = create_app(Harmonizer.load(weights, engine), limits, api_key, study)
    listen(app, host, port, limits.seconds, opened)
