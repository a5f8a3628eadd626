"""The commands of studies with people: the one that asks, and those that read the answers."""

from __future__ import annotations

from importlib import import_module
from math import isnan
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated

import typer

from harmonizer.cli import serve
from harmonizer.engines import EngineName

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harmonizer.study.bootstrap import Interval

study = typer.Typer(no_args_is_help=True, help="Read the answers of a study: priors for training, or a ranking.")

Database = Annotated[Path, typer.Argument(help="The answers.sqlite that a study leaves in its folder.")]
Csv = Annotated[Path | None, typer.Option("--csv", help="A file for the table.")]


def studio(
    folder: Annotated[
        Path | None, typer.Option("--study", help="Ask people about the pictures of this folder; docs/study.md.")
    ] = None,
    show: Annotated[bool, typer.Option("--open/--no-open", help="Open the page in the browser.")] = True,
    host: serve.Host = serve.HOST,
    port: serve.Port = serve.PORT,
    weights: serve.Weights = None,
    engine: serve.Engine = EngineName.onnxruntime,
    megabytes: serve.Megabytes = serve.MEGABYTES,
    megapixels: serve.Megapixels = serve.MEGAPIXELS,
    seconds: serve.Seconds = serve.SECONDS,
    parallel: serve.Parallel = serve.PARALLEL,
    queue: serve.Queue = serve.QUEUE,
) -> None:
    """Open the page in the browser, or the page of a study. Needs the extra `server`.

    The service is that of `serve`; it ends with Ctrl-C.
    """
    limits = serve.count_limits(megabytes, megapixels, seconds, parallel, queue)
    opened = _open_browser if show else None
    if folder is None:
        serve.run(host, port, weights, engine, limits, opened=opened)
        return
    from harmonizer.study.study import Study

    with Study.open(folder) as opened_study:
        serve.run(host, port, weights, engine, limits, study=opened_study, opened=opened)


@study.command()
def priors(
    database: Database,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="A file for `harmonizer train --priors`.")
    ] = None,
    csv: Csv = None,
    plot: Annotated[Path | None, typer.Option(help="A picture of both, .png or .svg.")] = None,
) -> None:
    """Print how the filters were used, and how important they are; write the Gaussians that training draws from.

    Needs the extra `study`.
    """
    from harmonizer import atomic
    from harmonizer.study.store import Store
    from harmonizer.study.tasks import Kind

    adjustments, tables = _import("adjustments"), _import("tables")
    drawing = None if plot is None else _import("plot")
    if drawing is not None:
        drawing.check_format(plot)
    for path in (output, csv, plot):
        if path is not None:
            atomic.check_place(path)
    with Store(database) as store:
        uses = adjustments.summarize(store.answers(Kind.adjust))
    files: list[tuple[Path, bytes]] = []
    if output is not None:
        files.append((output, adjustments.format_priors(uses).encode()))
    if csv is not None:
        files.append((csv, tables.format_csv(tables.filter_rows(uses)).encode()))
    if plot is not None and drawing is not None:
        files.append((plot, drawing.draw(uses, plot.suffix.lower()[1:])))
    _write(files)
    _print(
        ["filter", "answers", "mean", "variance", "quartiles", "importance"],
        [
            [
                use.name,
                str(len(use.theta)),
                f"{use.mean:.3f}",
                "-" if isnan(use.variance) else f"{use.variance:.3f}",
                "{:.2f} {:.2f}".format(*use.quartiles[::2]),
                _interval(use.importance),
            ]
            for use in uses
        ],
    )


@study.command()
def rank(database: Database, csv: Csv = None) -> None:
    """Print Bradley-Terry scores of the methods, the best first, with confidence intervals. Needs the extra `study`."""
    from harmonizer import atomic
    from harmonizer.cli.streams import report
    from harmonizer.study.store import Store
    from harmonizer.study.tasks import Kind

    ranking, tables = _import("ranking"), _import("tables")
    if csv is not None:
        atomic.check_place(csv)
    with Store(database) as store:
        result = ranking.rank(store.answers(Kind.compare))
    if csv is not None:
        _write([(csv, tables.format_csv(tables.method_rows(result)).encode())])
    _print(
        ["method", "wins", "comparisons", "score"],
        [[each.method, str(each.wins), str(each.comparisons), _interval(each.score)] for each in result.scores],
    )
    if result.participants < 2:
        report("One participant gives no intervals.")
    elif result.disconnected:
        shares = f"{result.disconnected} of {result.resamples} resamples of the participants have no finite scores"
        report(f"{shares}: too many for intervals." if isnan(result.scores[0].score.low) else f"{shares}.")


def _open_browser(url: str) -> None:
    import threading
    import webbrowser

    # Some browsers run until their window is closed, and the page has to come meanwhile.
    threading.Thread(target=webbrowser.open, args=[url], daemon=True).start()


def _import(module: str) -> ModuleType:
    from harmonizer.errors import HarmonizerError

    try:
        return import_module(f"harmonizer.study.{module}")
    except ImportError as error:
        raise HarmonizerError(f"this needs {error.name}; pip install 'whitebox-harmonizer[study]'") from error


def _write(files: Sequence[tuple[Path, bytes]]) -> None:
    """Write all files or none."""
    from harmonizer import atomic

    with atomic.FileGroup() as group:
        for path, data in files:
            group.reserve(path).write_bytes(data)


def _print(names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich import box
    from rich.table import Table

    from harmonizer.cli.streams import report

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for index, name in enumerate(names):
        table.add_column(name, justify="right" if index else "left")
    for row in rows:
        table.add_row(*row)
    report(table)


def _interval(interval: Interval) -> str:
    if isnan(interval.low):
        return f"{interval.value:.2f}"
    return f"{interval.value:.2f} [{interval.low:.2f}, {interval.high:.2f}]"
