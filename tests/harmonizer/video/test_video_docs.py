"""Every command of docs/video.md that names files runs, one after the other, then its script, as the page says."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path

import imageio_ffmpeg
import numpy as np
from clips import mask

from harmonizer.video.coding.reader import Reader

PAGE = (Path(__file__).parents[3] / "docs/video.md").read_text(encoding="utf-8")


def commands():
    for block in re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL):
        for line in block.replace("\\\n", "").splitlines():
            yield shlex.split(line, comments=True)


def frames(path):
    with Reader(path) as video:
        return np.array([frame.pixels for frame in video], int)


def test_the_commands_of_the_page(files, run, monkeypatch):
    monkeypatch.chdir(files)
    for program, *arguments in commands():
        if program == "harmonizer":
            assert arguments[0] == "video"
            recalled = "--theta-in" in arguments
            assert run(*arguments[1:], **({"weights": None} if recalled else {}))[::2] == (0, ""), arguments
        else:
            assert program == "ffmpeg"
            subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), *arguments], check=True)
    shadow = [json.loads(line)["theta"][5] for line in Path("lifted.jsonl").read_text().splitlines()[1:]]
    assert set(shadow) == {0.3}
    (block,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    first = Path("theta.jsonl").read_text().splitlines()
    exec(block, {})
    changed = [old != new for old, new in zip(first, Path("theta.jsonl").read_text().splitlines(), strict=True)]
    assert changed == [False] + [0.1 <= json.loads(line)["time"] < 0.2 for line in first[1:]]
    assert any(changed)
    # Of frames as small as these, x264 makes now one thing, now another.
    assert np.abs(frames("edited.mp4") - frames("out.mp4")).mean() < 4
    before, ours, graded = (frames(name) for name in ("clip.mp4", "out.mp4", "graded.mp4"))
    inside = np.array([mask(index) for index in range(len(before))]) > 0
    assert np.abs(ours - before)[inside].mean() > 20
    assert np.abs(graded - ours)[inside].mean() < 8
    assert np.abs(graded - before)[:, 42:].mean() < 2.5  # after two encoders, and two conversions of chroma


# What holds each row of the table of what stays.
TESTS_OF_ROWS = {
    "frame times": ["test_uneven_times_and_sound_stay", "test_frames_of_one_time_follow_one_another",
                    "test_a_clock_that_does_not_begin_at_0"],
    "decoding times": ["test_times_of_avi_are_those_of_display"],
    "edit lists": ["test_what_an_edit_list_hides_stays_hidden", "test_priming_of_a_whole_film_moves_nothing"],
    "sound": ["test_uneven_times_and_sound_stay", "test_mistake_is_one_line_and_leaves_nothing"],
    "subtitles": ["test_tags_of_tracks_travel", "test_attachments_and_data_that_are_left_out_are_named"],
    "chapters": ["test_tags_of_tracks_travel", "test_chapters_move_with_the_clock", "test_time_code_travels"],
    "cover pictures": ["test_a_second_picture_is_named", "test_a_cover_is_named"],
    "range": ["test_background_and_coding_stay", "test_matrices_and_ranges_that_can_be_converted",
              "test_untagged_is_taken_as_players_take_it"],
    "other matrices": ["test_matrices_that_cannot_be_converted_are_named"],
    "HDR10": ["test_hdr10_travels", "test_hdr10_is_named_where_it_is_lost"],
    "HDR10+": ["test_captions_are_named"],
    "depth": ["test_ten_bits_need_a_codec_that_takes_them", "test_every_layout_of_a_source"],
    "chroma": ["test_chroma_of_a_source"],
    "odd width": ["test_odd_sizes_in_every_codec"],
    "rotation": ["test_display_matrix", "test_turned_clip_with_upright_mask"],
    "pixels": ["test_pixels_that_are_not_square"],
    "interlaced frames": ["test_interlaced_frames_are_named"],
    "alpha": ["test_what_alpha_hides_steers_nothing"],
    "primaries": ["test_primaries_are_converted", "test_profile_of_a_picture_is_converted",
                  "test_hdr_beside_sdr_is_said_in_one_line"],
}  # fmt: skip


def test_each_row_of_what_stays_is_held_by_tests():
    table = PAGE.split("| what a file holds |")[1].split("\n\n")[0]
    rows = [line.split("|")[1].strip() for line in table.splitlines()[2:]]
    subjects = [re.match(r"[\w+ -]+", row)[0].strip() for row in rows]
    for subject in TESTS_OF_ROWS:
        assert sum(each == subject or each.startswith(f"{subject} ") for each in subjects) == 1, subject
    assert len(rows) == len(TESTS_OF_ROWS)
    tests = "\n".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    for names in TESTS_OF_ROWS.values():
        for name in names:
            assert f"def {name}(" in tests, name
