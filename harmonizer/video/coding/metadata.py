"""Titles, languages, flags and other tags of a file and its tracks, and whether they came over."""

from __future__ import annotations

from av.container import Container
from av.stream import Disposition, Stream

# What muxers write by themselves, or what describes the coding and not the film; `rotate` is applied to the pixels.
TECHNICAL = (
    *("encoder", "major_brand", "minor_version", "compatible_brands", "vendor_id", "duration", "rotate", "alpha_mode"),
    *("bps", "number_of_frames", "number_of_bytes", "source_id"),
)
# QuickTime's own list of languages has other codes for these than ISO 639-2.
QUICKTIME = dict(
    [
        *(("deu", "ger"), ("nld", "dut"), ("ell", "gre"), ("isl", "ice"), ("zho", "chi"), ("swe", "sve")),
        *(("sqi", "alb"), ("mkd", "mac"), ("fre", "fra"), ("rum", "ron"), ("cze", "ces"), ("slo", "slk")),
    ]
)
UNKNOWN_LANGUAGE = "und"


def read_tags(source: Container | Stream) -> dict[str, str]:
    """What is worth keeping of the tags of a file or track, by names in lower case."""
    tags = {name.lower(): text for name, text in source.metadata.items()}
    tags = {name: text for name, text in tags.items() if name not in TECHNICAL and not name.startswith("_statistics")}
    if (
        "name" in tags and "title" not in tags
    ):  # FFmpeg reads the title of an MP4 track by one name, and writes it by another
        tags["title"] = tags.pop("name")
    if tags.get("language") == UNKNOWN_LANGUAGE:
        del tags["language"]
    return tags


def copy_tags(source: Stream, output: Stream, container: str) -> None:
    """Give a track of an output that has not begun the tags and flags of the track that it is made of."""
    tags = read_tags(source)
    if container == "mov" and "language" in tags:
        tags["language"] = QUICKTIME.get(tags["language"], tags["language"])
    output.metadata.update(tags)
    output.disposition = source.disposition


def find_lost(source: Stream, output: Stream) -> list[str]:
    """Which of language, title and flags of a track an output that was written lacks, in words."""
    before, after = read_tags(source), read_tags(output)
    languages = [QUICKTIME.get(tags.get("language", ""), tags.get("language")) for tags in (before, after)]
    lost = ["language"] if languages[0] != languages[1] and languages[0] else []
    lost += ["title"] if before.get("title", "") != after.get("title", "") else []
    flags = Disposition.default | Disposition.forced | Disposition.hearing_impaired | Disposition.visual_impaired
    missing = source.disposition & flags & ~output.disposition
    return lost + [f"flag {flag.name}" for flag in Disposition if flag & missing]
