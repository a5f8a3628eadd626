"""The results as a page of Markdown."""

from __future__ import annotations

from importlib.metadata import version

import numpy as np
from baselines import CONTENDERS, COPY, CUDA, NUMBA, RELEASED
from report import describe_machine, digits, grid

from fps.cases import FULL, LARGEST, QUARTER, REACH, SEED, SIX, Case, Results, sets
from fps.clock import LIMIT, PATIENCE
from fps.ratios import BOUNDS, Ratio, all_frames, extra_frames, ratios
from whitebox_filters.native import cores

VERSIONS = ("torch", "numba", "kornia", "opencv-python-headless")


def rate(seconds: list[float]) -> str:
    """Frames per second: the median, and the quartiles."""
    lower, middle, upper = (digits(1 / quartile) for quartile in np.percentile(seconds, [75, 50, 25]))
    return f"{middle} ({lower} to {upper})"


def frames_table(results: Results, size: str, mask: str) -> str:
    """Frames per second of every contender, a row each, a column for each number of filters."""
    rows = []
    for contender in CONTENDERS:
        cases = [Case(size, mask, count, contender.name) for count in results.counts]
        rows.append([contender.name, *(rate(results.seconds[c]) if c in results.seconds else "–" for c in cases)])
    return grid(["frames per second", *(f"k = {count}" for count in results.counts)], rows)


def ratio_table(found: list[Ratio]) -> str:
    rows = []
    for ratio in found:
        sign = "at least" if ratio.at_least else "at most"
        goal = f"{ratio.goal:g}" if ratio.goal else ""
        reached = "not measured" if ratio.reached is None else f"{digits(ratio.reached)}{ratio.unit}"
        verdict = "" if ratio.reached is None else ("yes" if ratio.met else "no")
        rows.append([ratio.what, f"{sign} {ratio.bound:g}{ratio.unit}", goal, reached, verdict])
    return grid(["", "required", "goal", "reached", "met"], rows)


def memory_table(results: Results) -> str:
    rows = [
        [
            name,
            digits(1 / memory.seconds),
            f"{memory.extra / 2**20:.0f} MiB",
            digits(extra_frames(memory) or 0),
            digits(all_frames(memory) or 0),
        ]
        for name, memory in results.memory.items()
    ]
    return grid(["", "frames per second", "extra", "extra, in frames", "frame, mask and extra, in frames"], rows)


def tensor_table(results: Results) -> str:
    rows = [
        [name, rate(results.seconds[case]), rate(seconds)]
        for name, seconds in results.on_tensors.items()
        if (case := Case(results.main, FULL, SIX, name)) in results.seconds
    ]
    return grid(["frames per second", "8-bit frame to 8-bit frame", "float tensor to float tensor"], rows)


def roofline_table(results: Results) -> str:
    """What k filters ask of a core and what it allows, nanoseconds a pixel."""
    if results.limits is None:
        return "Not measured."
    width, height = results.sizes[results.main]
    rows = []
    for count, work in results.work.items():
        took, least = work.seconds / (width * height), work.least(results.limits)
        asked = (work.bytes, work.look_ups, work.sums, round(work.operations))
        times = (digits(1e9 * least), digits(1e9 * took), f"{least / took:.0%}")
        rows.append([f"k = {count}", *map(str, asked), *times])
    head = ["a pixel", "bytes", "look-ups", "sums", "operations", "ns at the limits", "ns taken", "of the limits"]
    return grid(head, rows)


def roofline_verdict(results: Results) -> str:
    """Whether the core's limits leave room for the bounds on more filters."""
    two = results.work.get(2)
    if results.limits is None or two is None:
        return ""
    width, height = results.sizes[results.main]
    least = {count: work.least(results.limits) * width * height / two.seconds for count, work in results.work.items()}
    return " ".join(
        f"At these limits k = {count} would still take {digits(least[count])} times what k = 2 takes, "
        f"{'more' if least[count] > bound else 'less'} than the {bound:g} required."
        for count, bound in BOUNDS.items()
        if count in least
    )


def limits_text(results: Results) -> str:
    """What the core was seen to do."""
    if results.limits is None:
        return ""
    each = results.limits
    return (
        f"The core does at most {each.operations / 1e9:.0f}e9 operations a second (multiply-adds in the first cache, "
        f"counted as two), {each.look_ups / 1e9:.1f}e9 look-ups (the same) and adds up {each.sums / 1e9:.1f}e9 "
        "levels (of the frame)."
    )


def quarter_verdict(results: Results) -> str:
    """What the limits leave room for with the smaller mask, which spares no sums, and leaves the rest to be copied."""
    work, copied = results.work.get(SIX), results.median(Case(results.main, FULL, SIX, COPY.name))
    released = results.median(Case(results.main, QUARTER, SIX, RELEASED.name))
    if results.limits is None or work is None or copied is None or released is None:
        return ""
    width, height = results.sizes[results.main]
    adding = work.sums / results.limits.sums
    filtering = work.least(results.limits) - adding
    seconds = (3 / 4 * copied + width * height * (adding + filtering / 4)) / cores.count()
    return (
        f"With a mask over {QUARTER} and k = {SIX} the levels of all the frame are added up, and three quarters of it "
        f"copied: {cores.count()} cores at these limits would take {digits(1e3 * seconds)} ms, and make "
        f"{digits(released / seconds)} times the frames of `{RELEASED.name}`."
    )


def reasons(results: Results) -> str:
    """Why cells are empty, a line for each contender and reason."""
    grouped: dict[tuple[str, str], list[str]] = {}
    sizes: dict[tuple[str, str, int], list[str]] = {}
    for case, reason in results.skipped.items():
        sizes.setdefault((case.contender, reason, case.count), []).append(case.size)
    for (contender, reason, count), found in sizes.items():
        everywhere = set(found) == set(results.sizes)
        cell = f"k = {count}" if everywhere else f"k = {count} at {', '.join(dict.fromkeys(found))}"
        grouped.setdefault((contender, reason), []).append(cell)
    lines = [
        f"- {contender}, {', '.join(dict.fromkeys(cells))}: {reason}." for (contender, reason), cells in grouped.items()
    ]
    return "\n".join(lines) or "- nothing"


def decision(results: Results) -> str:
    """Which backend to use when, from what was measured."""
    at_six = {
        name: seconds
        for contender in CONTENDERS[1:]
        if (seconds := results.median(Case(results.main, FULL, SIX, name := contender.name))) is not None
    }
    if not at_six:
        return "**Decision.** None: nothing was measured with six filters."
    fastest = min(at_six, key=lambda name: at_six[name])
    lines = [
        f"**Decision.** For 8-bit frames in memory `{fastest}` is the fastest here: {digits(1 / at_six[fastest])} "
        f"frames a second at {results.main} with the paper's six filters."
    ]
    if NUMBA.name in at_six and fastest != NUMBA.name:
        lines.append(f"`{NUMBA.name}` reaches {digits(1 / at_six[NUMBA.name])}.")
    lines.append(
        'On a CPU use `cascade.compile("numba")` for frames and pictures, `cascade.compile("torch")` where gradients '
        "are needed, and the plain call for a single small picture, which compiles nothing. "
        '`cascade.compile("cuda")` is for frames that are on a GPU already'
    )
    measured = any(case.contender == CUDA.name for case in results.seconds)
    return " ".join(lines) + ("." if measured else "; it was not measured here, for want of one.")


def page(results: Results) -> str:
    """The whole of benchmarks/results/fps_vs_filters.md."""
    found = ratios(results)
    missed = [ratio.what for ratio in found if not ratio.met]
    tables = [f"### {size}, mask: {FULL}\n\n{frames_table(results, size, FULL)}" for size in results.sizes]
    tables.insert(1, f"### {results.main}, mask: {QUARTER}\n\n{frames_table(results, results.main, QUARTER)}")
    first = ", ".join(f"{seconds:.2f}" for seconds in results.first_frame) or "not measured"
    return TEXT.format(
        decision=decision(results),
        main=results.main,
        six=SIX,
        numba=NUMBA.name,
        ratios=ratio_table(found),
        roofline=roofline_table(results),
        roofline_verdict=roofline_verdict(results),
        quarter_verdict=quarter_verdict(results),
        limits=limits_text(results),
        verdict="All of them are met." if not missed else f"Not met: {'; '.join(missed)}.",
        tables="\n\n".join(tables),
        reasons=reasons(results),
        tensors=tensor_table(results),
        memory=memory_table(results),
        largest=f"{LARGEST[0]} x {LARGEST[1]}",
        first=first,
        contenders="\n".join(f"- **{contender.name}**: {contender.note}" for contender in CONTENDERS),
        sets="\n".join(f"- {count}: {', '.join(names)}" for count, names in sets().items() if count in results.counts),
        seed=SEED,
        reach=REACH,
        limit=LIMIT,
        patience=PATIENCE,
        machine=describe_machine(),
        versions=", ".join(f"{name} {version(name)}" for name in VERSIONS),
        command=results.command,
    )


TEXT = """\
# Frames per second against the number of filters

{decision}

![frames per second against the number of filters, on a log scale](fps_vs_filters.png)

## What was required

Of `{numba}`, with {six} filters and a full mask on an 8-bit frame at {main} where nothing else is said; all figures are
from this run.

{ratios}

{verdict}

## What the core allows

`{numba}` on one core, full mask. Asked for at the least: a table for each run of filters that keep the channels apart,
three look-ups, and for the first one, where it leaves two straight lines, their operations; for each mean of the frame
three levels added up, of which two of the six filters need one and k = 1 and 2 none; the other filters' operations of
float32, as LLVM compiled them. {limits}

{roofline}

{roofline_verdict} {quarter_verdict} Memory limits nothing: a copy of the frame moves six bytes a pixel, see the first
row below.

## Frames per second

The median of all calls, and their quartiles. Every contender takes a `uint8` frame (H, W, 3) and a `uint8` mask in
memory and returns a `uint8` frame: conversions are in the time. The smaller mask is an ellipse with soft edges.

{tables}

Left out:

{reasons}

## Without conversion

{main}, {six} filters, full mask: what of the time is filters.

{tensors}

## Memory, and one frame of {largest}

{six} filters, full mask, a fresh process for each contender. `extra` is the peak of resident memory during the first
frame over what there was with frame and mask in memory; it includes the result. The rate is that of the second frame.

{memory}

## Second process

Seconds from the first import to the first frame at {main} filtered by `{numba}`, after one process that compiled:
{first}.

## What was compared

{contenders}

Filters by their number; theta is drawn once from [-{reach}, {reach}], seed {seed}, and is a filter's own in every set:

{sets}

Contenders take turns in rounds, so that whatever slows the machine down for a while slows all. A turn is one call that
is not timed and up to five that are. Everything is compiled and warm before the first round. What takes over
{limit:.0f} s a frame, or {patience} s to compile, is left out.

{machine} Also {versions}.

`{command}`
"""
