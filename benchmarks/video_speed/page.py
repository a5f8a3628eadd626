"""The results as a page of Markdown."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

import numpy as np
from fps.cases import FULL, QUARTER
from fps.page import rate, ratio_table
from fps.ratios import Ratio
from report import describe_machine, digits, grid, median_and_quartiles

from harmonizer.video import CodecName
from harmonizer.video.coding.codecs import CODECS
from video_speed import encoders
from video_speed.cases import B0, DEFAULT, OURS, PLAIN, SIDE, Case, Results, Whole
from video_speed.clip import SEQUENCE
from video_speed.plain import MOST
from whitebox_filters.native import cores

VERSIONS = ("torch", "numba", "openvino", "av")
BOUNDS = {FULL: 56.3, QUARTER: 80.0}
WHOLE_BOUND, MEMORY_BOUND = 24.0, 700.0  # frames a second; MB


def frames_a_second(results: Results, case: Case) -> float | None:
    return 1 / float(np.median(results.seconds[case])) if case in results.seconds else None


def best(results: Results, network: str, mask: str) -> tuple[str, float] | None:
    """The fastest of our contenders, and its frames a second."""
    rates = {name: frames_a_second(results, Case(network, mask, name)) for name in OURS}
    found = {name: rate for name, rate in rates.items() if rate is not None}
    return max(found.items(), key=lambda item: item[1]) if found else None


def whole_rate(runs: list[Whole]) -> float:
    """The median of their frames a second."""
    return float(np.median([run.frames / run.seconds for run in runs]))


def requirements(results: Results) -> list[Ratio]:
    """All that was required, at this size."""
    found = []
    for network in results.networks:
        for mask, bound in BOUNDS.items():
            fastest = best(results, network, mask)
            rates = [fastest[1]] if fastest else []
            rates += [
                whole_rate(runs) for case, runs in results.side.items() if (case.network, case.mask) == (network, mask)
            ]
            what = f"{network}, mask over {mask}: frames a second, the best way"
            found.append(Ratio(what, bound, True, max(rates, default=None)))
        runs = results.whole.get((network, DEFAULT), [])
        what = f"{network}: frames a second of the whole pipeline"
        found.append(Ratio(what, WHOLE_BOUND, True, whole_rate(runs) if runs else None))
        peak = max(run.peak for run in runs) / 1e6 if runs else None
        found.append(Ratio(f"{network}: peak memory of it", MEMORY_BOUND, False, peak, unit=" MB"))
    return found


def frames_table(results: Results) -> str:
    columns = [(network, mask) for network in results.networks for mask in BOUNDS]
    rows = []
    for name in (PLAIN, *OURS):
        cases = [Case(*column, name) for column in columns]
        rows.append([name, *(rate(results.seconds[case]) if case in results.seconds else "–" for case in cases)])
    for name in SIDE:
        runs = [results.side.get(Case(*column, name), []) for column in columns]
        spreads = [sorted(run.seconds / run.frames for run in each) for each in runs]
        rows.append([f"{name}, side by side", *(rate(spread) if spread else "–" for spread in spreads)])
    return grid(["frames a second", *(f"{network}, {mask}" for network, mask in columns)], rows)


def limit_table(results: Results) -> str:
    """What a prediction asks for and takes, and what is left of a frame's time at the rates that were required."""
    head = ["", "multiply-adds", "at the peak of a core, ms", "one thread takes, ms", "of the peak"]
    rows = []
    for network, asked in results.asked.items():
        least = asked.multiply_adds / results.peak
        cells = [f"{asked.multiply_adds / 1e6:.0f} M", f"{1e3 * least:.1f}", f"{1e3 * asked.seconds:.1f}"]
        rows.append([network, *cells, f"{least / asked.seconds:.0%}", *_spent(results, network)])
    spent = [part for mask in BOUNDS for part in (f"mask over {mask}: CPU ms a frame", "there are at most")]
    return grid([*head, *spent], rows)


def _spent(results: Results, network: str) -> list[str]:
    """For each mask the processor's milliseconds of a frame side by side, and those that there are at most."""
    cells = []
    for mask, bound in BOUNDS.items():
        cpu = np.median([run.cpu / run.frames for run in results.side[Case(network, mask, DEFAULT)]])
        cells += [f"{1e3 * cpu:.1f}", f"{1e3 * cores.count() / bound:.1f}"]
    return cells


def engine_table(results: Results) -> str:
    """Milliseconds a prediction, size and quality."""
    head = [part for network in results.networks for part in (f"{network}, ms", f"{network}, MB")]
    rows = []
    for name in (PLAIN, *OURS):
        cells = []
        for network in results.networks:
            seconds, size = results.network_seconds.get((network, name)), results.bytes.get((network, name))
            cells += [milliseconds(seconds) if seconds else "–", f"{size / 1e6:.1f}" if size else "–"]
        quality = results.quality.get(name)
        scores = (
            [f"{quality.theta:.4f}", *(f"{quality.fmse[title]:.1f}" for title in results.pictures)] if quality else []
        )
        rows.append([name, *cells, *(scores or ["–"] * (1 + len(results.pictures)))])
    titles = [f"fMSE, {title} ({count})" for title, count in results.pictures.items()]
    return grid(["", *head, "change of theta", *titles], rows)


def milliseconds(seconds: list[float]) -> str:
    """Milliseconds: the median, and the quartiles."""
    return median_and_quartiles([1e3 * second for second in seconds])


def stage_table(results: Results) -> str:
    columns = list(results.stages)
    names = next(iter(results.stages.values())).stages if columns else ()
    rows = [[name, *(milliseconds(results.stages[column].stages[name]) for column in columns)] for name in names]
    rows.append(
        ["**predict and filter**", *(f"**{milliseconds(results.stages[column].whole)}**" for column in columns)]
    )
    return grid(["ms a frame", *(f"{network}, {mask}" for network, mask in columns)], rows)


def whole_table(results: Results) -> str:
    rows = []
    for (network, name), runs in results.whole.items():
        rates = [run.frames / run.seconds for run in runs]
        cpu = float(np.median([1e3 * run.cpu / run.frames for run in runs]))
        memory = max(run.peak for run in runs) / 1e6
        rows.append(
            [
                f"{network}, {name}",
                f"{np.median(rates):.1f} ({min(rates):.1f} to {max(rates):.1f})",
                digits(cpu),
                digits(memory),
            ]
        )
    return grid(["", "frames a second", "CPU ms a frame", "peak memory, MB"], rows)


def work_table(results: Results) -> str:
    total = sum(results.work.values())
    rows = [[name, f"{1e3 * seconds:.1f}", f"{seconds / total:.0%}"] for name, seconds in results.work.items()]
    rows.append(["**all**", f"**{1e3 * total:.1f}**", ""])
    return grid(["stage", "CPU ms a frame", "share"], rows)


def encoder_table(results: Results) -> str:
    rows = []
    for name, found in results.encoders.items():
        more = found.bytes / results.encoders[encoders.OURS].bytes - 1
        rows.append([name, f"{1e3 * found.cpu:.1f}", f"{found.bytes / 1e3:.1f}", f"{more:+.0%}"])
    return grid(["settings of x264", "CPU ms a frame", "kB a frame", "size beside ours"], rows)


def decision(results: Results) -> str:
    """Which engine, by what was measured, and what takes the time."""
    network, missed = results.networks[-1], [each.what for each in requirements(results) if not each.met]
    fastest, default = best(results, network, FULL), frames_a_second(results, Case(network, FULL, DEFAULT))
    lines = ["**Decision.**", "All that was required is met." if not missed else f"Not met: {'; '.join(missed)}."]
    if fastest and default:
        gain = fastest[1] / default - 1
        if fastest[0] == DEFAULT:
            lines.append(f"{DEFAULT} is the default, and the fastest here.")
        else:
            quality = results.quality.get(fastest[0])
            moved = f", and moves theta by {quality.theta:.4f}" if quality else ""
            lines.append(
                f"{fastest[0]} is the fastest here, by {gain:.0%} over {DEFAULT}{moved}. {DEFAULT} stays the default: "
                "it needs neither a further package nor other weights."
            )
    if plain := frames_a_second(results, Case(network, FULL, PLAIN)):
        lines.append(f"The plain way filters {digits(plain)} frames a second, {DEFAULT} {digits(default or 0)}.")
    if results.work:
        largest = max(results.work, key=lambda name: results.work[name])
        lines.append(f'Of a whole frame "{largest}" takes the most, {1e3 * results.work[largest]:.0f} ms of one core.')
    return " ".join(lines)


def page(results: Results) -> str:
    """The whole of benchmarks/results/video.md."""
    return TEXT.format(
        decision=decision(results),
        width=results.size[0],
        height=results.size[1],
        required=ratio_table(requirements(results)),
        frames=frames_table(results),
        engines=engine_table(results),
        limits=limit_table(results),
        peak=f"{2 * results.peak / 1e9:.0f}",
        stages=stage_table(results),
        whole=whole_table(results),
        work=work_table(results),
        encoders=encoder_table(results),
        psnr=f"{results.encoders[encoders.OURS].psnr:.1f}" if results.encoders else "–",
        clip=results.clip,
        sequence=SEQUENCE,
        most=MOST,
        preset=CODECS[CodecName.h264].options["preset"],
        b0=B0,
        default=DEFAULT,
        plain=PLAIN,
        cores=cores.count(),
        machine=describe_machine(),
        versions=", ".join(f"{name} {_version(name)}" for name in VERSIONS),
        command=results.command,
    )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


TEXT = """\
# Speed of prediction, filters and video

{decision}

## What was required

Frames of {width} x {height}, six filters, {cores} cores; all figures are from this run.

{required}

## Predict and filter

Frame and mask, `uint8`, in memory to harmonized frame in memory: thumbnail, network, statistics and six filters. The
median of all calls, and their quartiles. The smaller mask is an ellipse with soft edges.

{frames}

`{plain}` is network and filters in eager torch, brightness through RGB to HSV and back as the released system has it,
thumbnails by Pillow. `side by side` has as many frames in work as there are cores, each on a thread of its own: a
frame is done later than by two threads, more are done in a second. {b0} is the architecture of the released checkpoint
(EfficientNet-B0 at 256 x 256) with random weights, which take the same time, and whose theta is about as large as that
of trained ones; `shipped` is the network in the package.

## Engines

One prediction from thumbnails, and the size of the file. On the right the shipped network: the mean absolute change of
theta from `{default}`'s, and the mean fMSE on pictures whose truth is known, at 256 x 256.

{engines}

int8 is static quantization of the convolutions and their activations, weights by channel, by the ranges that
photographs distorted by Eq. 8 give. In bf16 all weights and activations are rounded to 8 digits of the 24.

## What the networks ask for

One core does {peak} billion operations of float32 a second in a matrix product by torch, a multiply-add counted as two.
On the left `{default}` on one thread, alone; on the right thumbnail, network, statistics and filters side by side. A
rate is reached where a frame's CPU time is below what all cores have for it at that rate.

{limits}

## Where the milliseconds of a frame go

With `{default}`, timed as `harmonizer bench` does.

{stages}

## The whole pipeline

`harmonizer video` on {clip} (the sequence {sequence} of DAVIS-2016 brought to size, there and back), with its mask as a
second H.264 video. Both are read, and H.264 is written (x264 {preset}, its CRF 18). `{plain}` does the same frame by
frame, with the same settings of the encoder, for the first {most} frames. Each run is a process of its own; opening the
network is not in the time. The median of the runs, and their range.

{whole}

Processor time by stage, the shipped network, each stage by itself with one thread in decoder; {cores} cores have
{cores} ms of it in each millisecond.

{work}

## The encoder

The first frames of that clip by one thread. Each row's rate factor is what gives {psnr} dB, those of our settings at
CRF 18, by two measurements and the line between them. Settings that save time pay with size; ours do without what costs
time and saves next to nothing. The pipeline finds the cuts and asks for key frames there.

Tried in the whole pipeline, and not to be told from noise: queues of 1 to 4 frames, of which 1 takes the least memory,
and 2 to 4 threads in x264. A second thread for the network costs about a third more processor time.

{encoders}

{machine} Also {versions}.

`{command}`
"""
