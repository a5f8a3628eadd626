"""What a file says beside its picture travels, or one line says what did not."""

from __future__ import annotations

import av
import pytest
from av.sidedata.sidedata import Type
from clips import HEIGHT, WIDTH, ffmpeg, picture, write_clip

from harmonizer.video.coding.reader import Reader

CLIP = ("-f", "lavfi", "-i", f"testsrc2=s={WIDTH}x{HEIGHT}:r=25:d=0.4")
H264 = ("-c:v", "libx264", "-pix_fmt", "yuv420p")
LOST = "warning: not everything beside the picture came over, and these are lost: "
HDR = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)"


@pytest.fixture
def rich(tmp_path):
    """A film with two languages, subtitles, chapters, a font, titles and a cover."""
    (tmp_path / "s.srt").write_text(
        "1\n00:00:00,000 --> 00:00:00,200\nHello\n\n2\n00:00:00,200 --> 00:00:00,390\nYou\n"
    )
    chapters = [f"[CHAPTER]\nTIMEBASE=1/1000\nSTART={at}\nEND={at + 200}\ntitle=Part {at}\n" for at in (0, 200)]
    (tmp_path / "tags.txt").write_text(";FFMETADATA1\ntitle=Film\nartist=Somebody\n" + "".join(chapters))
    (tmp_path / "font.ttf").write_bytes(b"\0\1\0\0" * 30)
    inputs = (
        "-f",
        "lavfi",
        "-i",
        "sine=d=0.4",
        "-f",
        "lavfi",
        "-i",
        "sine=f=900:d=0.4",
        "-i",
        "s.srt",
        "-i",
        "tags.txt",
    )
    ffmpeg(
        tmp_path,
        *(*CLIP, *inputs, "-map", "0:v", "-map", "1:a", "-map", "2:a", "-map", "3:s", "-map_metadata", "4", *H264),
        *("-c:a", "aac", "-c:s", "srt", "-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=deu"),
        *("-metadata:s:a:1", "title=Comments", "-metadata:s:s:0", "language=fra", "-metadata:s:v:0", "language=jpn"),
        *("-disposition:a:0", "0", "-disposition:a:1", "default", "-disposition:s:0", "forced", "rich_.mkv"),
    )
    ffmpeg(tmp_path, "-i", "rich_.mkv", "-map", "0", "-c", "copy", "-attach", "font.ttf", "-metadata:s:t:0",
           "mimetype=font/ttf", "rich.mkv")  # fmt: skip
    ffmpeg(tmp_path, "-i", "rich_.mkv", "-map", "0", "-c", "copy", "-c:s", "mov_text", "rich.mp4")
    return tmp_path


def title(stream):
    return stream.metadata.get("title", stream.metadata.get("name"))


@pytest.mark.parametrize("source", ["rich.mkv", "rich.mp4"])
@pytest.mark.parametrize("output", ["out.mkv", "out.mp4", "out.mov"])
def test_tags_of_tracks_travel(rich, run, still, source, output):
    code, _, err = run(rich / source, still, "-o", rich / output)
    assert code == 0
    with av.open(str(rich / output)) as file:
        sound = file.streams.audio
        assert [stream.language for stream in sound] == ["eng", "ger" if output == "out.mov" else "deu"]
        assert [title(stream) for stream in sound] == [None, "Comments"]
        assert [stream.disposition & 1 for stream in sound] == [0, 1]
        assert file.streams.video[0].language == "jpn"
        assert [chapter["metadata"]["title"] for chapter in file.chapters()] == ["Part 0", "Part 200"]
        tags = {name.lower(): text for name, text in file.metadata.items()}
        assert (tags["title"], tags["artist"]) == ("Film", "Somebody")
        lines = err.splitlines()
        if (source[-3:] == "mkv") == (output[-3:] == "mkv"):  # subtitles are of the container's kind
            assert [stream.language for stream in file.streams.subtitles] == ["fra"]
            assert lines == [] or (output == "out.mov" and "flag forced" in lines[0])
        else:
            assert len(lines) == 1
            assert lines[0].startswith(LOST + "the subtitle track 3 (")
    if source == output.replace("out", "rich") == "rich.mkv":
        with av.open(str(rich / output)) as file:
            (font,) = file.streams.attachments
            assert font.data == (rich / "font.ttf").read_bytes()
            assert font.mimetype == "font/ttf"
            shown = [packet for packet in file.demux(subtitles=0) if packet.size]
            assert [bytes(packet) for packet in shown] == [b"Hello", b"You"]


def test_other_videos_get_no_tracks(rich, run, still):
    assert run(rich / "rich.mkv", still, "-o", rich / "o.mkv", "--delta", rich / "d.mkv")[0] == 0
    with av.open(str(rich / "d.mkv")) as file:
        assert len(file.streams) == 1
        assert "title" not in file.metadata


def test_attachments_and_data_that_are_left_out_are_named(rich, run, still):
    code, _, err = run(rich / "rich.mkv", still, "-o", rich / "out.mp4")
    assert code == 0
    assert err == f"{LOST}the subtitle track 3 (subrip, fra); the attachment font.ttf\n".replace("subrip", "srt")


def test_a_second_picture_is_named(tmp_path, run, still):
    ffmpeg(tmp_path, *CLIP, *CLIP, "-map", "0", "-map", "1", *H264, "two.mkv")
    code, _, err = run(tmp_path / "two.mkv", still, "-o", tmp_path / "out.mkv")
    assert code == 0
    assert err.startswith(f"{LOST}the video track 1 (h264")


def test_chapters_move_with_the_clock(tmp_path, run, still):
    (tmp_path / "tags.txt").write_text(
        ";FFMETADATA1\n" + "".join(f"[CHAPTER]\nTIMEBASE=1/10\nSTART={at}\nEND={at + 2}\n" for at in (50, 52))
    )
    ffmpeg(tmp_path, *CLIP, "-i", "tags.txt", "-map_metadata", "1", *H264, "-output_ts_offset", "5", "late.mkv")
    assert run(tmp_path / "late.mkv", still, "-o", tmp_path / "out.mkv")[::2] == (0, "")
    with av.open(str(tmp_path / "late.mkv")) as before, av.open(str(tmp_path / "out.mkv")) as after:
        starts = [[float(c["start"] * c["time_base"]) for c in file.chapters()] for file in (before, after)]
        shift = float(before.start_time / 1e6)
    assert starts[1] == pytest.approx([max(0, start - shift) for start in starts[0]], abs=0.001)


@pytest.mark.parametrize("codec", ["h264", "h265"])
@pytest.mark.parametrize("output", ["out.mkv", "out.mp4"])
def test_hdr10_travels(tmp_path, run, still, codec, output):
    tags = "colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc"
    parameters = f"log-level=error:{tags}:master-display={HDR}:max-cll=1000,400:hdr10=1"
    ffmpeg(tmp_path, *CLIP, "-c:v", "libx265", "-pix_fmt", "yuv420p10le", "-x265-params", parameters, "clip.mp4")
    assert run(tmp_path / "clip.mp4", still, "-o", tmp_path / output, "--codec", codec)[::2] == (0, "")
    with Reader(tmp_path / output) as video:
        assert video.info.hdr10.mastering_display == HDR
        assert video.info.hdr10.light_level == "1000,400"
        assert (video.info.colour.matrix, video.info.colour.primaries, video.info.colour.transfer) == (9, 9, 16)


@pytest.mark.parametrize("codec", ["ffv1", "prores"])
def test_hdr10_is_named_where_it_is_lost(tmp_path, run, still, codec):
    parameters = f"log-level=error:master-display={HDR}:max-cll=1000,400:hdr10=1"
    ffmpeg(tmp_path, *CLIP, "-c:v", "libx265", "-pix_fmt", "yuv420p10le", "-x265-params", parameters, "clip.mp4")
    code, _, err = run(tmp_path / "clip.mp4", still, "-o", tmp_path / "out.mkv", "--codec", codec)
    assert (code, err) == (0, f"{LOST}HDR10 metadata, which h265 and h264 hold\n")


def test_light_level_alone(tmp_path, run, still):
    parameters = "log-level=error:max-cll=600,200"
    ffmpeg(tmp_path, *CLIP, "-c:v", "libx265", "-pix_fmt", "yuv420p10le", "-x265-params", parameters, "clip.mp4")
    assert run(tmp_path / "clip.mp4", still, "-o", tmp_path / "out.mp4", "--codec", "h265")[::2] == (0, "")
    _, frames = av.open(str(tmp_path / "out.mp4")), next(av.open(str(tmp_path / "out.mp4")).decode(video=0))
    kinds = {data.type for data in frames.side_data}
    assert Type.CONTENT_LIGHT_LEVEL in kinds
    assert Type.MASTERING_DISPLAY_METADATA not in kinds


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("tff.mp4", ("-vf", "setfield=tff", *H264, "-flags", "+ildct+ilme", "-x264-params", "tff=1")),
        ("bff.mpg", ("-vf", "setfield=bff", "-c:v", "mpeg2video", "-flags", "+ildct+ilme")),
        ("tff.mov", ("-vf", "setfield=tff", "-c:v", "prores_ks", "-flags", "+ildct")),
    ],
)
def test_interlaced_frames_are_named(tmp_path, run, still, name, options):
    ffmpeg(tmp_path, *CLIP, *options, name)
    code, _, err = run(tmp_path / name, still, "-o", tmp_path / "out.mkv")
    assert code == 0
    assert err.startswith(f"{LOST}the mark of interlaced frames")
    assert err.count("\n") == 1


@pytest.mark.parametrize("codec", ["h264", "h265", "prores", "vp9", "ffv1"])
def test_pixels_that_are_not_square(tmp_path, run, still, codec):
    ffmpeg(tmp_path, *CLIP, "-vf", "setsar=4/3", *H264, "clip.mp4")
    code, _, err = run(tmp_path / "clip.mp4", still, "-o", tmp_path / "out.mkv", "--codec", codec)
    assert code == 0
    with Reader(tmp_path / "out.mkv") as video:
        assert (video.info.sample_aspect != 1) == (err == "")
        assert err in ("", f"{LOST}the shape of the pixels, which are not square\n")


def test_an_ordinary_clip_says_nothing(tmp_path, run, still):
    clip = write_clip(tmp_path / "clip.mp4", map(picture, range(3)), codec="libx264", sound="aac")
    for name in ("out.mp4", "out.mov", "out.mkv"):
        assert run(clip, still, "-o", tmp_path / name)[::2] == (0, "")


@pytest.mark.parametrize("output", ["out.mp4", "out.mov"])
def test_time_code_travels(tmp_path, run, still, output):
    ffmpeg(tmp_path, *CLIP, *H264, "-timecode", "01:00:00:00", "clip.mov")
    assert run(tmp_path / "clip.mov", still, "-o", tmp_path / output)[::2] == (0, "")
    with av.open(str(tmp_path / output)) as file:
        assert file.streams.video[0].metadata["timecode"] == "01:00:00:00"


def test_a_cover_is_named(tmp_path, run, still):
    ffmpeg(tmp_path, "-i", "mask.png", "-vf", "scale=32:32", "cover.png")
    ffmpeg(tmp_path, *CLIP, "-i", "cover.png", "-map", "0", "-map", "1", *H264, "-c:v:1", "png",
           "-disposition:v:1", "attached_pic", "clip.mp4")  # fmt: skip
    code, _, err = run(tmp_path / "clip.mp4", still, "-o", tmp_path / "out.mp4")
    assert code == 0
    assert err.startswith(f"{LOST}the cover picture 1 (png")


def test_captions_are_named(monkeypatch, tmp_path):
    clip = write_clip(tmp_path / "clip.mp4", [picture()], codec="libx264")
    captions = type("Data", (), {"type": Type.A53_CC})()
    monkeypatch.setattr("harmonizer.video.coding.extras._side_data", lambda frame: [captions])
    with Reader(clip) as video:
        assert video.info.unwritable == ["closed captions in the picture"]
