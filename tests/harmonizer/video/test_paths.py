"""Paths are files, whatever characters they have; names that the system refuses, links, and standard streams."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from clips import HEIGHT, WIDTH, picture, write_clip
from PIL import Image

import harmonizer
from harmonizer.errors import VideoError
from harmonizer.video.coding.reader import Reader, open_input
from harmonizer.video.timeline import read_timeline

ROOT = Path(harmonizer.__file__).parents[1]
LONG = "x" * 300
NAMES = ["12:30:45", "pipe:0", "http:", "concat:a|b", "%03d", "a?b#c", "-", "file:x", "data:,", "\udcff", "a b'\"\n"]


@pytest.mark.parametrize("name", NAMES)
def test_names_are_taken_literally(files, run, still, monkeypatch, name):
    monkeypatch.chdir(files)
    shutil.copy("clip.mp4", f"{name}.mp4")
    shutil.copy("mask.mkv", f"{name}.mkv")
    code, _, err = run(f"./{name}.mp4", f"./{name}.mkv", "-o", f"./{name}out.mp4", "--theta-out", f"./{name}.jsonl")
    assert (code, err) == (0, "")
    assert Path(f"{name}out.mp4").exists()
    assert Path(f"{name}.jsonl").exists()


@pytest.mark.parametrize("name", NAMES)
def test_relative_names_are_no_urls(files, monkeypatch, name):
    monkeypatch.chdir(files)
    shutil.copy("clip.mp4", f"{name}.mp4")
    with Reader(Path(f"{name}.mp4")) as video:
        assert video.info.size == (HEIGHT, WIDTH)


def test_a_pattern_is_no_sequence_of_pictures(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for index in range(3):
        Image.fromarray(picture(index)).save(f"a{index:03}.png")
    with pytest.raises(VideoError, match=r"there is no file a%03d\.png"):
        open_input(Path("a%03d.png"))
    shutil.copy("a001.png", "a%03d.png")
    with Reader(Path("a%03d.png")) as video:
        assert len(list(video)) == 1


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/a.ts", "tcp://127.0.0.1:9", "concat:clip.mp4|clip.mp4"])
def test_playlists_lead_to_files_alone(files, monkeypatch, address):
    monkeypatch.chdir(files)
    Path("list.m3u8").write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:0.4,\n{address}\n#EXT-X-ENDLIST\n")
    with pytest.raises(VideoError, match=r"list\.m3u8"):
        Reader(Path("list.m3u8"))


REFUSED = {
    "composite": (LONG, "mask.mkv", "-o", "out.mp4"),
    "mask": ("clip.mp4", LONG, "-o", "out.mp4"),
    "picture": ("clip.mp4", f"{LONG}.png", "-o", "out.mp4"),
    "background": ("clip.mp4", "mask.mkv", "-o", "out.mp4", "--background", LONG),
    "output": ("clip.mp4", "mask.mkv", "-o", f"{LONG}.mp4"),
    "loop": ("clip.mp4", "mask.mkv", "-o", "self.mp4"),
    "loop as input": ("self.mp4", "mask.mkv", "-o", "out.mp4"),
    "loop as mask": ("clip.mp4", "self.mp4", "-o", "out.mp4"),
    "theta": ("clip.mp4", "mask.mkv", "-o", "out.mp4", "--theta-out", LONG),
    "theta in": ("clip.mp4", "mask.mkv", "-o", "out.mp4", "--theta-in", LONG),
    "LUT": ("clip.mp4", "mask.mkv", "-o", "out.mp4", "--lut", f"{LONG}.cube"),
    "delta": ("clip.mp4", "mask.mkv", "-o", "out.mp4", "--delta", f"{LONG}.mp4"),
    "mask out": ("clip.mp4", "mask.mkv", "-o", "out.mp4", "--mask-out", "self.mp4"),
    "replaces the composite": ("clip.mp4", "mask.mkv", "-o", "clip.mp4"),
    "replaces the mask": ("clip.mp4", "mask.mkv", "-o", "out.mp4", "--mask-out", "./mask.mkv"),
    "replaces by a link": ("clip.mp4", "mask.mkv", "-o", "link.mp4"),
    "replaces the timeline": (
        "clip.mp4",
        "mask.mkv",
        "-o",
        "out.mp4",
        "--theta-in",
        "t.jsonl",
        "--theta-out",
        "t.jsonl",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_names_are_one_line_and_leave_nothing(files, run, monkeypatch, case):
    monkeypatch.chdir(files)
    Path("self.mp4").symlink_to("self.mp4")
    Path("link.mp4").symlink_to("clip.mp4")
    Path("t.jsonl").write_text("{}")
    before = {path: path.lstat().st_mtime_ns for path in files.iterdir()}
    code, out, err = run(*REFUSED[case], weights=None)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err
    assert ("would replace the input" in err) == case.startswith("replaces")
    assert {path: path.lstat().st_mtime_ns for path in files.iterdir()} == before


def test_links_and_modes_stay(files, run):
    (files / "store").mkdir()
    for name in ("out.mp4", "t.jsonl", "used.mkv", "d.mkv"):
        (files / "store" / name).write_text("old")
        (files / "store" / name).chmod(0o640)
        (files / name).symlink_to(f"store/{name}")
    options = ("--theta-out", files / "t.jsonl", "--mask-out", files / "used.mkv", "--delta", files / "d.mkv")
    assert run(files / "clip.mp4", files / "mask.mkv", "-o", files / "out.mp4", *options)[0] == 0
    for name in ("out.mp4", "t.jsonl", "used.mkv", "d.mkv"):
        assert (files / name).is_symlink()
        assert (files / "store" / name).stat().st_mode & 0o777 == 0o640
        assert (files / "store" / name).read_bytes() != b"old"


def shell(folder, arguments, redirection, checkpoint):
    command = f'"{sys.executable}" -m harmonizer {arguments} --weights "{checkpoint}" {redirection}'
    return subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
    )


@pytest.mark.parametrize("redirection", [">&-", "2>&-", "<&-", ">/dev/full", "2>/dev/full", ">&- 2>&- <&-"])
def test_closed_and_full_streams_undo_no_work(files, checkpoint, redirection):
    """The clip's alpha gives a warning, which has nowhere to go on a full stderr."""
    write_clip(files / "clip.mov", [picture()] * 2, codec="png", pixel_format="rgba")
    done = shell(files, "video clip.mp4 mask.mkv --background clip.mp4 -o out.mp4", redirection, checkpoint)
    assert done.returncode == 0, done.stderr
    assert (files / "out.mp4").exists()
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("redirection", ["<&-", ">&- </dev/zero"])
def test_a_pipe_of_closed_streams_is_one_line(files, checkpoint, still, redirection):
    done = shell(files, "pipe mask.png --size 64x48", redirection, checkpoint)
    assert done.returncode == 2
    assert done.stderr.startswith(b"error: standard ")
    assert done.stderr.count(b"\n") == 1


def test_a_timeline_with_a_byte_order_mark(files, run):
    assert run(files / "clip.mp4", files / "mask.mkv", "-o", files / "o.mp4", "--theta-out", files / "t.jsonl")[0] == 0
    plain = read_timeline(files / "t.jsonl")
    (files / "t.jsonl").write_bytes(b"\xef\xbb\xbf" + (files / "t.jsonl").read_bytes().replace(b"\n", b"\r\n"))
    assert (read_timeline(files / "t.jsonl").theta == plain.theta).all()
