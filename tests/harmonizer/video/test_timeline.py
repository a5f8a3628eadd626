"""A timeline that was written is read again, and what is wrong in an edited one is named."""

from __future__ import annotations

import json

import numpy as np
import pytest
from clips import mask, picture

from harmonizer.atomic import FileGroup
from harmonizer.errors import OutputError, TimelineError
from harmonizer.video.frames import Frame, Graded
from harmonizer.video.timeline import TimelineWriter, read_timeline
from whitebox_filters import Cascade

CASCADE = Cascade(["temperature", "shadow"], statistics="mask")
THETA = np.array([[0.1, -1 / 3], [0.25, 1.0], [-1.0, 0.0]])


def graded():
    for index, theta in enumerate(THETA):
        yield Graded(Frame(index, index, 1, index / 30, picture(), mask()), theta, -theta, index == 1)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "theta.jsonl"
    with FileGroup() as group, TimelineWriter(path, group, CASCADE, "EMA") as writer:
        for item in graded():
            writer.write(item)
    return path


def test_there_and_back(path):
    timeline = read_timeline(path)
    assert timeline.cascade.names == CASCADE.names
    assert timeline.cascade.region == "mask"
    np.testing.assert_array_equal(timeline.theta, THETA)
    assert timeline.smoothing == "EMA"
    replayed = list(timeline.replay(item.frame for item in graded()))
    np.testing.assert_array_equal([item.theta for item in replayed], THETA)
    assert [item.shot_change for item in replayed] == [False, True, False]


def test_lines_say_what_they_are(path):
    header, *lines = map(json.loads, path.read_text().splitlines())
    assert (header["filters"], header["statistics"], header["smoothing"]) == (["temperature", "shadow"], "mask", "EMA")
    assert lines[1] == {
        "frame": 1, "time": 0.033333, "cut": True, "theta_raw": (-THETA[1]).tolist(), "theta": THETA[1].tolist()
    }  # fmt: skip


def test_nothing_is_left_of_a_timeline_that_was_not_finished(tmp_path):
    def interrupted():
        with FileGroup() as group, TimelineWriter(tmp_path / "t.jsonl", group, CASCADE, "EMA") as writer:
            writer.write(next(graded()))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(OutputError, match="no folder"):
        TimelineWriter(tmp_path / "none" / "theta.jsonl", FileGroup(), CASCADE, "EMA")


def edit(line, **changes):
    return json.dumps({**json.loads(line), **changes})


MISTAKES = {
    "no JSON": (lambda lines: [*lines[:2], "{", *lines[3:]], "line 3 is not readable as JSON"),
    "not an object": (lambda lines: [*lines[:2], "[1]", *lines[3:]], "line 3: a line is a JSON object"),
    "another file": (lambda lines: lines[1:], "is no timeline"),
    "a filter nobody has": (lambda lines: [edit(lines[0], filters=["sepia"]), *lines[1:]], "'sepia'"),
    "another region": (lambda lines: [edit(lines[0], statistics="half"), *lines[1:]], "'half'"),
    "a newer version": (lambda lines: [edit(lines[0], registry_version=99), *lines[1:]], "upgrade"),
    "out of range": (lambda lines: [*lines[:2], edit(lines[2], theta=[0, 1.5]), lines[3]], r"line 3: .*shadow = 1.5"),
    "too short": (lambda lines: [*lines[:2], edit(lines[2], theta=[0]), lines[3]], "line 3: .*takes 2 numbers"),
    "words": (lambda lines: [*lines[:2], edit(lines[2], theta=["a", 0]), lines[3]], "line 3: theta is a list"),
    "a cut that is no truth": (lambda lines: [*lines[:2], edit(lines[2], cut=1), lines[3]], "line 3: cut, .*got 1"),
    "a lost line": (lambda lines: [lines[0], *lines[2:]], "line 2: here comes frame 0; got 1"),
    "no frames": (lambda lines: lines[:1], "no line for any frame"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_named(path, mistake):
    change, message = MISTAKES[mistake]
    path.write_text("\n".join(change(path.read_text().splitlines())))
    with pytest.raises(TimelineError, match=message):
        read_timeline(path)


def test_no_file(tmp_path):
    with pytest.raises(TimelineError, match="no file"):
        read_timeline(tmp_path / "none.jsonl")


@pytest.mark.parametrize(("count", "message"), [(2, "has 3 frames, its video 2"), (4, "ends after 3 frames")])
def test_another_videos_timeline(path, count, message):
    frames = (Frame(index, index, 1, 0.0, picture()) for index in range(count))
    with pytest.raises(TimelineError, match=message):
        list(read_timeline(path).replay(frames))
