"""The command that answers over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harmonizer.engines import EngineName


def serve(
    host: Annotated[str, typer.Option(envvar="HARMONIZER_HOST", help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(envvar="HARMONIZER_PORT", min=0, max=65535, help="0: one that is free.")] = 8000,
    weights: Annotated[Path | None, typer.Option(help="A checkpoint folder instead of the one shipped.")] = None,
    engine: Annotated[EngineName, typer.Option(help="What runs the network.")] = EngineName.onnxruntime,
    megabytes: Annotated[
        float, typer.Option(envvar="HARMONIZER_MEGABYTES", min=0.001, help="Limit of a whole request.")
    ] = 100,
    megapixels: Annotated[
        float, typer.Option(envvar="HARMONIZER_MEGAPIXELS", min=0.001, help="Limit of one picture.")
    ] = 60,
    seconds: Annotated[
        float, typer.Option(envvar="HARMONIZER_SECONDS", min=0.1, help="Limit of a request, its upload included.")
    ] = 30,
    parallel: Annotated[
        int, typer.Option(envvar="HARMONIZER_PARALLEL", min=1, help="Requests that are worked on at once.")
    ] = 2,
    queue: Annotated[int, typer.Option(envvar="HARMONIZER_QUEUE", min=0, help="Requests that may wait.")] = 16,
    api_key: Annotated[
        str | None, typer.Option(envvar="HARMONIZER_API_KEY", help="A bearer token that clients have to send.")
    ] = None,
) -> None:
    """Answer HTTP requests: pictures in; harmonized pictures, edits and LUTs out. Needs the extra `server`.

    It listens on this machine alone unless --host says otherwise.
    """
    from harmonizer.errors import HarmonizerError
    from harmonizer.pipeline import Harmonizer

    try:
        from harmonizer.server.app import create_app
        from harmonizer.server.listen import listen
        from harmonizer.server.settings import Limits
    except ImportError as error:
        raise HarmonizerError(f"this needs {error.name}; pip install 'whitebox-harmonizer[server]'") from error
    limits = Limits(round(megabytes * 1e6), round(megapixels * 1e6), seconds, parallel, queue)
    listen(create_app(Harmonizer.load(weights, engine), limits, api_key), host, port, limits.seconds)
