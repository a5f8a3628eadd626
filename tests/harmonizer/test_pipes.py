"""Standard input and output: pictures, and raw frames from FFmpeg."""

from __future__ import annotations

import contextlib
import io as streams
import os
import re
import select
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import harmonizer
from harmonizer import Harmonizer, HarmonizerWarning, MaskError, StreamError
from harmonizer.pictures import io
from harmonizer.pictures.picture import Picture
from harmonizer.video.raw import PixelFormat, harmonize_stream, parse_size, read_frames

ROOT = Path(harmonizer.__file__).parents[1]
SHAPE = (24, 32)


@pytest.fixture(scope="module")
def harmonizer(checkpoint):
    return Harmonizer.load(checkpoint)


@pytest.fixture
def frames(image):
    """Three frames that differ."""
    return [image, image[:, ::-1].copy(), image // 2]


@pytest.fixture
def start(files, checkpoint):
    """Start the command in the folder of the files with pipes for all three streams."""

    def start(*arguments: object) -> subprocess.Popen[bytes]:
        weights = ["--weights", str(checkpoint)] if arguments[0] in ("run", "pipe") else []
        return subprocess.Popen(
            [sys.executable, "-m", "harmonizer", *map(str, arguments), *weights],
            cwd=files,
            env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": ""},  # buffered, as it is for users
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    return start


@pytest.fixture
def stdin(monkeypatch):
    """Put bytes on standard input."""

    def put(data: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", streams.TextIOWrapper(streams.BytesIO(data)))

    return put


def test_a_picture_goes_through(files, start, harmonizer, image, mask):
    with start("run", "-", "mask.png", "-o", "-") as process:
        out, err = process.communicate((files / "composite.png").read_bytes())
    assert process.returncode == 0
    (files / "out.png").write_bytes(out)
    written = io.read_image(files / "out.png").pixels
    np.testing.assert_array_equal(written, harmonizer.harmonize(image, mask).image)
    assert "temperature" in err.decode()  # the table goes where no picture is


def test_the_mask_may_be_piped(files, run, stdin):
    assert run("run", files / "composite.png", files / "mask.png", "-o", files / "first.png")[0] == 0
    stdin((files / "mask.png").read_bytes())
    assert run("run", files / "composite.png", "-", "-o", files / "second.png")[::2] == (0, "")
    assert (files / "first.png").read_bytes() == (files / "second.png").read_bytes()


@pytest.mark.parametrize(("name", "header"), [("jpg", b"\xff\xd8\xff"), ("webp", b"RIFF"), ("tif", b"II*\0")])
def test_standard_output_in_any_format(files, run, monkeypatch, name, header):
    given = (files / "composite.png", files / "mask.png")
    assert run("run", *given, "-o", files / f"out.{name}")[0] == 0
    sink = streams.TextIOWrapper(streams.BytesIO())
    monkeypatch.setattr(sys, "stdout", sink)
    code, _, err = run("run", *given, "-o", "-", "--format", name)
    assert code == 0
    assert "temperature" in err
    assert sink.buffer.getvalue().startswith(header)
    assert sink.buffer.getvalue() == (files / f"out.{name}").read_bytes()


def test_apply_reads_and_writes_pipes_too(files, run, stdin, monkeypatch):
    given = (files / "composite.png", files / "mask.png")
    assert run("run", *given, "-o", files / "out.png", "--edit", files / "edit.json")[0] == 0
    stdin(given[0].read_bytes())
    sink = streams.TextIOWrapper(streams.BytesIO())
    monkeypatch.setattr(sys, "stdout", sink)
    assert run("apply", files / "edit.json", "-", given[1], "-o", "-")[0] == 0
    assert sink.buffer.getvalue() == (files / "out.png").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "data", "message"),
    [
        (("-", "mask.png"), b"", "standard input is not a picture that can be read; .* It is empty"),
        (("-", "mask.png"), b"no picture at all", "standard input is not a picture"),
        (("-", "mask.png"), b"\x89PNG\r\n\x1a\n cut off", "standard input cannot be decoded"),
        (("-", "-"), b"", "only one of the two"),
        (("composite.png", "-"), b"", "standard input is not a picture"),
    ],
)
def test_what_cannot_be_read_from_standard_input(files, run, stdin, monkeypatch, arguments, data, message):
    monkeypatch.chdir(files)
    stdin(data)
    code, out, err = run("run", *arguments, "-o", "-")
    assert (code, out) == (2, "")
    assert re.match(f"error: {message}.*\n$", err)


def harmonize(harmonizer, data, pixel_format="rgb24", mask=None):
    sink = streams.BytesIO()
    harmonize_stream(harmonizer, streams.BytesIO(data), sink, SHAPE, PixelFormat(pixel_format), mask)
    return sink.getvalue()


@pytest.mark.parametrize("pixel_format", ["rgb24", "rgb48le"])
def test_frames_with_a_still_mask(files, harmonizer, frames, mask, pixel_format):
    if pixel_format == "rgb48le":
        frames = [frame.astype(np.uint16) * 257 - np.uint16(3) for frame in frames]
    data = b"".join(frame.astype(frame.dtype.newbyteorder("<")).tobytes() for frame in frames)
    expected = b"".join(harmonizer.harmonize(frame, mask).image.tobytes() for frame in frames)
    out = harmonize(harmonizer, data, pixel_format, files / "mask.png")
    assert out == expected
    assert out != data


@pytest.mark.parametrize("pixel_format", ["rgba", "rgba64le"])
def test_frames_with_alpha_keep_it(harmonizer, frames, mask, pixel_format):
    masks = [mask, mask[:, ::-1], mask // 2]
    if pixel_format == "rgba64le":
        frames, masks = ([pixels.astype(np.uint16) * 257 for pixels in list] for list in (frames, masks))
    pairs = list(zip(frames, masks, strict=True))
    out = harmonize(harmonizer, b"".join(np.dstack(pair).tobytes() for pair in pairs), pixel_format)
    assert out == b"".join(np.dstack([harmonizer.harmonize(*pair).image, pair[1]]).tobytes() for pair in pairs)


def test_frames_come_out_one_by_one(files, start, harmonizer, frames, mask):
    """The second is sent when the first has come back: nothing waits for the end."""
    with start("pipe", "mask.png", "--size", "32x24") as process:
        for frame in frames:
            process.stdin.write(frame.tobytes())
            process.stdin.flush()
            assert select.select([process.stdout], [], [], 60)[0]
            assert process.stdout.read(frame.size) == harmonizer.harmonize(frame, mask).image.tobytes()
        rest, err = process.communicate()
    assert (process.returncode, rest, err) == (0, b"", b"")


@pytest.mark.parametrize("more", [1, 24 * 32 * 3 - 1])
def test_a_truncated_frame_is_an_error_after_the_whole_ones(files, run, stdin, monkeypatch, frames, mask, more):
    stdin(frames[0].tobytes() + frames[1].tobytes()[:more])
    sink = streams.TextIOWrapper(streams.BytesIO())
    monkeypatch.setattr(sys, "stdout", sink)
    code, _, err = run("pipe", files / "mask.png", "--size", "32x24")
    assert code == 2
    assert err.startswith(f"error: frame 2 is cut off: {more} of 2304 bytes came")
    assert "32x24 rgb24" in err
    assert len(sink.buffer.getvalue()) == 2304


def test_no_frame_is_an_error():
    with pytest.raises(StreamError, match="no frame came"):
        next(read_frames(streams.BytesIO(), SHAPE, PixelFormat.rgb24))


def test_a_warning_is_given_once(harmonizer, frames):
    data = b"".join(np.dstack([frame, np.zeros(SHAPE, np.uint8)]).tobytes() for frame in frames)
    with pytest.warns(HarmonizerWarning, match="the mask is empty") as caught:
        assert harmonize(harmonizer, data, "rgba") == data
    assert len(caught) == 1


def test_either_mask_or_alpha(files, harmonizer):
    with pytest.raises(StreamError, match=r"rgb24 frames have no alpha channel, .*; give a mask, or send rgba"):
        harmonize(harmonizer, b"")
    with pytest.raises(StreamError, match=r"the mask .*mask\.png and the alpha channel of rgba frames.*leave the mask"):
        harmonize(harmonizer, b"", "rgba", files / "mask.png")


def test_a_mask_of_another_size(files, harmonizer):
    Image.new("L", (8, 8)).save(files / "small.png")
    with pytest.raises(MaskError, match="8 x 8 pixels, its picture 32 x 24"):
        harmonize(harmonizer, b"", "rgb24", files / "small.png")


def test_size():
    assert parse_size("1920x1080") == (1080, 1920)


@pytest.mark.parametrize("size", ["1920", "1920*1080", "0x5", "-4x5", "4x", "4x5x6", "٣x٣", "", "99999x99999"])
def test_no_size(size):
    with pytest.raises(StreamError, match=r"a frame's"):
        parse_size(size)


def test_a_broken_pipe_ends_quietly(files, start, frames):
    with start("pipe", "mask.png", "--size", "32x24") as process:
        process.stdin.write(frames[0].tobytes())
        process.stdin.flush()
        process.stdout.read(100)
        process.stdout.close()
        with pytest.raises(BrokenPipeError):
            process.stdin.write(frames[1].tobytes() * 1000)
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


def test_a_picture_into_a_broken_pipe_ends_quietly(files, start):
    noise = np.random.default_rng(0).integers(0, 256, (300, 300, 3), np.uint8)  # more than a pipe holds
    io.write_image(files / "big.png", Picture(noise))
    Image.fromarray(np.eye(300, dtype=np.uint8) * 255).save(files / "big mask.png")
    with start("run", "-", "big mask.png", "-o", "-") as process:
        process.stdout.close()
        process.stdin.write((files / "big.png").read_bytes())
        process.stdin.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
@pytest.mark.parametrize("command", ["run", "pipe"])
def test_a_full_disk_behind_standard_output_is_one_line(files, run, stdin, frames, monkeypatch, command):
    stdin(frames[0].tobytes())
    arguments = ("--size", "32x24") if command == "pipe" else ("-o", "-", files / "composite.png")
    with Path("/dev/full").open("wb", buffering=0) as full:
        monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=full))
        code, _, err = run(command, *arguments, files / "mask.png")
    assert code == 2
    assert err == "error: standard output cannot be written: No space left on device\n"
