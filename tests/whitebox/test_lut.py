"""LUTs: what a cascade does, baked; .cube files here and in the programs that people use."""

from __future__ import annotations

import os
import stat
import threading

import av
import numpy as np
import pytest
import skimage.data

import whitebox_filters as wf

PHOTO = skimage.data.astronaut()[::2, ::2]  # a sixth of it has a channel within three levels of black
SMALL = np.random.default_rng(0).integers(0, 256, (24, 36, 3), dtype=np.uint8)
THETA = [0.05, 0.10, -0.10, -0.07, 0.09, 0.11]  # what the shipped network finds on the demo's composite


def baked(cascade, theta, image, size=65):
    return wf.bake_lut(cascade, theta, cascade.statistics(image, theta), size)


def close(first, second):
    """The share of pixels that differ by at most one level of 8 bits in every channel; float in [0, 1] or uint8."""
    scale = 255 if first.dtype.kind == "f" else 1
    return (np.abs(first.astype(float) - second).max(axis=2) * scale <= 1 + 1e-6).mean()


def random_lut(size=5):
    return np.random.default_rng(1).random((size, size, size, 3), dtype=np.float32)


def identity(size):
    steps = np.linspace(0, 1, size)
    return np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).astype(np.float32)


@pytest.mark.parametrize("photo", [PHOTO, skimage.data.coffee()[::2, ::2]], ids=["astronaut", "coffee"])
def test_a_photo_through_the_lut_is_the_photo_through_the_cascade(photo):
    cascade, image = wf.Cascade(), photo / 255
    assert close(wf.apply_lut(image, baked(cascade, THETA, image)), cascade(image, THETA)) >= 0.999


@pytest.mark.parametrize("theta", [-0.25, 0.25])
@pytest.mark.parametrize("name", wf.EIGHT_FILTERS)
def test_so_it_is_for_each_filter_on_8_bits(name, theta):
    cascade = wf.Cascade([name])
    assert close(wf.apply_lut(PHOTO, baked(cascade, [theta], PHOTO)), cascade(PHOTO, [theta])) >= 0.999


def test_at_the_nodes_the_lut_is_the_cascade():
    cascade, lattice = wf.Cascade(), identity(9).reshape(81, 9, 3).astype(float)
    frozen = cascade.statistics(SMALL, THETA)
    lut = wf.bake_lut(cascade, THETA, frozen, 9)
    np.testing.assert_allclose(lut.reshape(81, 9, 3), cascade(lattice, THETA, statistics=frozen), atol=1e-6)


def test_statistics_of_the_foreground_can_be_baked():
    cascade = wf.Cascade(["contrast"], statistics="mask")
    image, mask = SMALL / 255, np.zeros((24, 36))
    mask[:, :10] = 1
    lut = wf.bake_lut(cascade, [-0.5], cascade.statistics(image, [-0.5], mask), 17)
    after = cascade(image, [-0.5], mask)
    np.testing.assert_allclose(wf.apply_lut(image, lut)[:, :10], after[:, :10], atol=1e-6)


def test_what_is_measured_must_be_frozen():
    cascade = wf.Cascade(["shadow", "contrast"])
    for statistics in (None, [None, None]):
        with pytest.raises(wf.LutError, match=r"contrast would be measured.*cascade\.statistics"):
            wf.bake_lut(cascade, [0.1, 0.1], statistics, 5)
    with pytest.raises(wf.FilterError, match="takes 2"):
        wf.bake_lut(cascade, [0.1, 0.1], [0.5], 5)
    assert wf.bake_lut(wf.Cascade(["shadow"]), [0.1], None, 5).shape == (5, 5, 5, 3)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
def test_the_identity_changes_nothing(dtype):
    image = SMALL / 255 if np.issubdtype(dtype, np.floating) else SMALL
    image = image.astype(dtype)
    image[0, 0], image[0, 1] = 0, 1 if np.issubdtype(dtype, np.floating) else np.iinfo(dtype).max
    after = wf.apply_lut(image, identity(7))
    assert after.dtype == dtype
    assert after is not image
    np.testing.assert_allclose(after, image, atol=2e-7)


def test_values_beyond_the_range_are_clamped():
    assert (wf.apply_lut(SMALL, identity(2) + 2) == 255).all()
    assert (wf.apply_lut(SMALL / 255, identity(2) - 2) == 0).all()


def test_a_written_lut_is_read_again(tmp_path):
    lut, path = random_lut(), tmp_path / "grade.cube"
    path.write_text("an older file")
    wf.write_cube(path, lut, title="A grade")
    read = wf.read_cube(path)
    assert read.dtype == np.float32
    assert [entry.name for entry in tmp_path.iterdir()] == ["grade.cube"]
    assert path.read_text().startswith(
        'TITLE "A grade"\nLUT_3D_SIZE 5\nDOMAIN_MIN 0.0 0.0 0.0\nDOMAIN_MAX 1.0 1.0 1.0\n'
    )
    np.testing.assert_allclose(read, lut, atol=5.1e-7)


def test_colour_science_reads_it(tmp_path):
    from colour.io import read_LUT_IridasCube

    lut, path = random_lut(), tmp_path / "grade.cube"
    wf.write_cube(path, lut, title="A grade")
    read = read_LUT_IridasCube(str(path))
    assert read.name == "A grade"
    np.testing.assert_array_equal(read.domain, [[0, 0, 0], [1, 1, 1]])
    np.testing.assert_allclose(read.table, lut, atol=5.1e-7)
    np.testing.assert_allclose(wf.read_cube(path), read.table, atol=1e-7)


def through_ffmpeg(image, path):
    """An HWC float32 image through FFmpeg's lut3d as it is by default, in float.

    lut3d takes eight floats of a row at once, so it reads what stands beyond the last pixel. A frame has arbitrary
    bytes there, and a NaN among them ends the process. So the rows are a multiple of eight pixels long.
    """
    width = image.shape[1]
    image = np.pad(image, ((0, 0), (0, -width % 8), (0, 0)))
    height, whole, _ = image.shape
    graph = av.filter.Graph()
    source = graph.add_buffer(width=whole, height=height, format="gbrpf32le", time_base="1/25")
    lut3d, sink = graph.add("lut3d", f"file={path}"), graph.add("buffersink")
    source.link_to(lut3d)
    lut3d.link_to(sink)
    graph.configure()
    frame = av.VideoFrame.from_ndarray(image, format="gbrpf32le")
    assert {plane.line_size for plane in frame.planes} == {4 * whole}
    frame.pts = 0
    source.push(frame)
    return sink.pull().to_ndarray()[:, :width]


def test_ffmpeg_does_what_the_cascade_does(tmp_path):
    cascade, path = wf.Cascade(), tmp_path / "grade.cube"
    image = (skimage.data.chelsea()[::2, ::2] / 255).astype(np.float32)
    wf.write_cube(path, baked(cascade, THETA, image, size=33))
    assert close(through_ffmpeg(image, path), cascade(image, THETA)) >= 0.999


def test_ffmpeg_interpolates_as_apply_lut_does(tmp_path):
    image, path = (SMALL / 255).astype(np.float32), tmp_path / "grade.cube"
    wf.write_cube(path, random_lut())
    np.testing.assert_allclose(wf.apply_lut(image, random_lut()), through_ffmpeg(image, path), atol=5e-6)


HEADER = '# made by hand\n\nTITLE "two"\nLUT_3D_SIZE 2\n'
ROWS = [f"{r} {g} {b}" for b in (0, 1) for g in (0, 1) for r in (0, 1)]  # red fastest


def cube(tmp_path, text):
    path = tmp_path / "given.cube"
    path.write_text(text)
    return path


def test_comments_blank_lines_and_no_domain_are_read(tmp_path):
    rows = "\n".join([*ROWS[:3], "# in between", "", *ROWS[3:]])
    np.testing.assert_array_equal(wf.read_cube(cube(tmp_path, HEADER + rows)), identity(2))


@pytest.mark.parametrize(
    ("header", "encoding"),
    [
        (HEADER, "utf-8-sig"),
        (HEADER, "utf-16"),
        (HEADER.replace("by hand", "für Bücher"), "latin-1"),
        (HEADER.replace("two", "电影"), "gbk"),
        (HEADER.replace("two", "電影"), "shift-jis"),
        (HEADER.replace("two", "a\x85b\x0bc\x1cd\u2028e"), "utf-8"),
        (HEADER.replace("two", "part # 2"), "ascii"),
        (HEADER.replace("LUT_3D_SIZE 2", "LUT_3D_SIZE\t2 # nodes"), "ascii"),
        (HEADER.lower(), "ascii"),
        (HEADER + "LUT_3D_INPUT_RANGE 0.0 1.0\n", "ascii"),
        (HEADER + "LUT_3D_INPUT_RANGE 0 1# as Resolve has it\nDOMAIN_MIN 0 0 0 #\n", "ascii"),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("end", ["", "\n", "\x1a", "\n\x1a\n"])
def test_encodings_line_ends_and_comments_of_other_programs_are_read(tmp_path, header, encoding, newline, end):
    rows = [ROWS[0] + " # black", *ROWS[1:-1], ROWS[-1] + "#white"]
    text = (header + "\n".join(rows) + end).replace("\n", newline)
    path = tmp_path / "other.cube"
    path.write_bytes(text.encode(encoding))
    np.testing.assert_array_equal(wf.read_cube(path), identity(2))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEADER + "LUT_3D_INPUT_RANGE 0.0 2.0\n" + "\n".join(ROWS), "line 5.*domain from 0 0 0 to 1 1 1"),
        (HEADER + "LUT_3D_INPUT_RANGE 0.0\n" + "\n".join(ROWS), "line 5"),
        (HEADER + "LUT_OUT_VIDEO_RANGE\n" + "\n".join(ROWS), "line 5.*keywords that are read"),
        (HEADER + "\n".join(["0 0 # 0", *ROWS[1:]]), "line 5.*3 finite numbers"),
        ("\n".join(ROWS), "no LUT_3D_SIZE"),
        (HEADER + "\n".join(ROWS[:7]), "7 colours.*takes 8"),
        (HEADER + "\n".join([*ROWS, "0 0 0"]), "9 colours.*takes 8"),
        (HEADER + "\n".join([*ROWS[:7], "0 0"]), "line 12.*3 finite numbers.*'0 0'"),
        (HEADER + "\n".join([*ROWS[:7], "0 0 1,0"]), "line 12.*3 finite numbers"),
        (HEADER + "\n".join([*ROWS[:7], "0 0 1e99999"]), "line 12.*3 finite numbers"),
        (HEADER + "\n".join([*ROWS[:7], "nan 0 1"]), "line 12"),
        (HEADER + "\n".join([*ROWS, 'TITLE "late"']), "line 13.*no keyword may follow"),
        ("LUT_1D_SIZE 2\n0 0 0\n1 1 1", "line 1.*LUT_3D_SIZE.*'LUT_1D_SIZE 2'"),
        ("LUT_3D_SIZE 1\n0 0 0", "line 1.*from 2 to 256"),
        ("LUT_3D_SIZE 257", "from 2 to 256"),
        ("LUT_3D_SIZE 2.0", "from 2 to 256"),
        ("LUT_3D_SIZE -2", "from 2 to 256"),
        (HEADER + "DOMAIN_MAX 2 2 2\n" + "\n".join(ROWS), "line 5.*domain from 0 0 0 to 1 1 1"),
        (HEADER + "DOMAIN_MIN 0 0\n" + "\n".join(ROWS), "line 5"),
    ],
)
def test_a_file_that_is_not_read(tmp_path, text, message):
    with pytest.raises(wf.LutError, match=message):
        wf.read_cube(cube(tmp_path, text))


def test_a_file_that_is_no_text_or_not_there(tmp_path):
    path = tmp_path / "photo.cube"
    path.write_bytes(b"\xff\xd8\xff\xe0")
    with pytest.raises(wf.LutError, match="not text"):
        wf.read_cube(path)
    with pytest.raises(wf.LutError, match="No such file"):
        wf.read_cube(tmp_path / "none.cube")


@pytest.mark.parametrize("title", ['a "quoted" one', "two\nlines", "Größe", "x" * 201])
def test_a_title_that_is_not_written(tmp_path, title):
    with pytest.raises(wf.LutError, match="printable ASCII"):
        wf.write_cube(tmp_path / "grade.cube", random_lut(), title=title)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("lut", "message"),
    [
        (np.zeros((3, 3, 2, 3), np.float32), r"\(N, N, N, 3\); got \(3, 3, 2, 3\)"),
        (np.zeros((3, 3), np.float32), r"\(3, 3\)"),
        (np.zeros((1, 1, 1, 3), np.float32), "from 2 to 256"),
        (np.full((2, 2, 2, 3), np.nan, np.float32), "NaN"),
    ],
)
def test_a_lut_that_is_none(tmp_path, lut, message):
    with pytest.raises(wf.LutError, match=message):
        wf.write_cube(tmp_path / "grade.cube", lut)
    with pytest.raises(wf.LutError, match=message):
        wf.apply_lut(SMALL, lut)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("size", [1, 257, 33.5])
def test_a_size_that_is_not_baked(size):
    with pytest.raises(wf.LutError, match=f"from 2 to 256.*{size}"):
        wf.bake_lut(wf.Cascade(["shadow"]), [0.1], None, size)


def test_a_failed_write_leaves_nothing(tmp_path):
    folder = tmp_path / "grade.cube"
    folder.mkdir()
    with pytest.raises(wf.LutError, match="cannot be written"):
        wf.write_cube(folder, random_lut())
    assert [entry.name for entry in tmp_path.iterdir()] == ["grade.cube"]
    with pytest.raises(wf.LutError, match="No such file"):
        wf.write_cube(tmp_path / "nowhere" / "grade.cube", random_lut())


def test_what_is_there_keeps_its_mode_and_its_names(tmp_path):
    real = tmp_path / "real.cube"
    real.write_text("old")
    real.chmod(0o640)
    (tmp_path / "link.cube").symlink_to("real.cube")
    wf.write_cube(tmp_path / "link.cube", identity(2))
    assert (tmp_path / "link.cube").is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    (tmp_path / "second name.cube").hardlink_to(real)
    wf.write_cube(real, identity(3))
    assert len(wf.read_cube(tmp_path / "second name.cube")) == 3
    assert len(list(tmp_path.iterdir())) == 3


def test_a_pipe_is_written_to(tmp_path):
    os.mkfifo(tmp_path / "pipe.cube")
    texts = []
    reader = threading.Thread(target=lambda: texts.append((tmp_path / "pipe.cube").read_text()))
    reader.start()
    wf.write_cube(tmp_path / "pipe.cube", identity(2))
    reader.join()
    assert texts == [wf.format_cube(identity(2))]
    assert (tmp_path / "pipe.cube").is_fifo()
