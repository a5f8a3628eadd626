"""Small valid texts of every kind that is read, and crafted ones."""

from __future__ import annotations

import io
import json
from dataclasses import asdict
from typing import Any

import numpy as np

import whitebox_filters as wf

NAMES = list(wf.DEFAULT_FILTERS)
EDIT: dict[str, Any] = {
    "format": 1,
    "harmonizer_version": "0.1.0",
    "registry_version": 1,
    "input": {"image_sha256": "0" * 64, "mask_sha256": "f" * 64},
    "statistics_region": "frame",
    "filters": [
        {"name": "temperature", "theta": 0.16, "statistic": [0.41, 0.38, 0.33]},
        {"name": "contrast", "theta": -0.3, "statistic": 0.4},
        {"name": "shadow", "theta": 0.08},
        {"name": "hue", "theta": 1.0},
    ],
}
CONFIG: dict[str, Any] = {
    "format": 1, "registry_version": 1, "filters": NAMES, "encoder": "tiny", "regressor": "cascade", "input_size": 8,
    "theta_range": [-1, 1], "statistics": "mask", "channels": 3,
}  # fmt: skip
NESTED = [b"[" * 100_000, b'{"a":' * 100_000, b"[" * 985 + b"]" * 985, b'{"filters":' + b"[" * 960 + b"]" * 960 + b"}"]
ODD = [
    b"",
    b"\0",
    b"\xff",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"null",
    b"[]",
    b"{}",
    b"0",
    b'""',
    b"NaN",
    b"1" * 5000,
    b"\n" * 9,
]


def edits() -> list[bytes]:
    measured = EDIT | {"filters": [{"name": name, "theta": 0.1} for name in NAMES], "statistics_region": "mask"}
    every = EDIT | {"filters": [{"name": name, "theta": -0.5} for name in wf.names()]}
    return [_dump(EDIT), _dump(measured), _dump(every)]


def bad_edits() -> list[bytes]:
    """Edits whose values are none, or name places."""
    values = [10**400, -(10**400), "NaN", "../../etc/passwd", "\ud800", _nested(700), None, [], {}]
    steps = [{"name": "shadow", "theta": value} for value in values]
    steps += [{"name": value, "theta": 0.1} for value in values]
    steps += [{"name": "contrast", "theta": 0.1, "statistic": value} for value in values]
    documents = [_dump(EDIT | {"filters": [step]}) for step in steps]
    documents += [_dump(EDIT | {key: value}) for key in EDIT for value in values]
    texts = [_dump(EDIT).replace(b"0.16", number) for number in (b"NaN", b"1e999", b"-Infinity", b"1" * 4000)]
    return [*documents, *texts, *NESTED, *ODD]


def cubes() -> list[bytes]:
    table = np.random.default_rng(3).random((2, 2, 2, 3), np.float32)
    text = wf.format_cube(table, "a title").encode()
    resolve = text.replace(b"DOMAIN_MIN 0.0 0.0 0.0\nDOMAIN_MAX 1.0 1.0 1.0", b"LUT_3D_INPUT_RANGE 0.0 1.0")
    return [
        text,
        resolve,
        b"# a comment\r\n" + text.replace(b"\n", b" # more\r\n") + b"\x1a",
        text.decode().encode("utf-16"),
    ]


def bad_cubes() -> list[bytes]:
    head = b"LUT_3D_SIZE %s\n"
    sizes = (b"0", b"1", b"257", b"-2", b"2.0", b"9" * 5000, b"\xb2", b"", b"2 2", b"256")
    values = (b"nan", b"inf", b"1e999", b"1_0", b"0x1p3", b"1e39", b"\xb2", b"1" * 5000)
    return [
        *(head % size + b"0 0 0\n" * 8 for size in sizes),
        *(head % b"2" + b"0 0 " + value + b"\n" + b"0 0 0\n" * 7 for value in values),
        head % b"2" + b"0 0 0\n" * 9,
        b"LUT_1D_SIZE 2\n0 0 0\n1 1 1\n",
        b"DOMAIN_MAX 2 2 2\nLUT_3D_SIZE 2\n" + b"0 0 0\n" * 8,
        b"\xff\xfe" + b"\0" * 999,
        b"#" * 1_000_000,
        *ODD,
    ]


def timelines() -> list[bytes]:
    header = {
        "format": "harmonizer timeline", "version": 1, "registry_version": 1, "filters": NAMES, "statistics": "frame",
        "smoothing": "One Euro",
    }  # fmt: skip
    lines = [
        {"frame": n, "time": n / 30, "cut": n == 2, "theta_raw": [0.1] * 6, "theta": [0.1 * n] * 6} for n in range(4)
    ]
    return [b"\n".join(map(_dump, [header, *lines]))]


def bad_timelines() -> list[bytes]:
    header, *lines = timelines()[0].splitlines()
    values = [
        10**400,
        "NaN",
        _nested(700),
        None,
        [10**400] * 6,
        ["0.1"] * 6,
        [True] * 6,
        [[0.1] * 6],
        [float("nan")] * 6,
    ]
    frames = [
        _dump(json.loads(lines[0]) | {key: value}) for value in values for key in ("theta", "frame", "cut", "time")
    ]
    headers = [_dump(json.loads(header) | {key: value}) for value in values for key in json.loads(header)]
    return [
        *(header + b"\n" + frame for frame in frames),
        *(each + b"\n" + lines[0] for each in headers),
        *(header + b"\n" + nested for nested in NESTED),
        header,
        header + b"\n" + lines[0] * 2,
        *NESTED,
        *ODD,
    ]


def csv_manifests() -> list[bytes]:
    return [
        b'image,mask,output,theta\npictures/a.png,pictures/a_mask.png,x.png,"shadow=0.3 tint=-0.1"\n',
        b"image;mask;edit\npictures/a.png;pictures/a_mask.png;pictures/edit.json\n",
        b'image\tmask\ttheta\r\npictures/a.png\tpictures/a_mask.png\t"{""shadow"": 0.1}"\r\n',
    ]


def jsonl_manifests() -> list[bytes]:
    rows = [
        {"image": "pictures/a.png", "mask": "pictures/a_mask.png", "output": "y.jpg", "theta": {"shadow": 0.3}},
        {"image": "pictures/a.png", "mask": "pictures/a_mask.png", "edit": "pictures/edit.json"},
        {"image": "pictures/a.png", "background": "pictures/a.png", "output": "sub/z.tif", "theta": "shadow=0.1"},
    ]
    return [b"\n".join(map(_dump, rows))]


PLACES = (
    "../x.png", "/etc/x.png", "a/../../x.png", "..\\x.png", "\0.png", "x\0.png", "\ud800.png", "file:///tmp/x.png",
    "x" * 5000 + ".png", "/dev/null", "/dev/zero", "/dev/full.png", ".png", "..", ".", "-", "~/x.png", "pictures/a.png",
    "con.png", "x.png/", "//x.png", "a\nb.png", "memory://x.png", "zip://a.png::pictures/a.png", "\u202egnp.exe.png",
)  # fmt: skip


def bad_rows() -> list[dict[str, Any]]:
    """Rows of a manifest that name places, or values that are none."""
    row = {"image": "pictures/a.png", "mask": "pictures/a_mask.png", "output": "x.png"}
    rows: list[dict[str, Any]] = [row | {key: place} for place in PLACES for key in ("image", "mask", "output", "edit")]
    thetas = (
        [1, 2], [["a"]], [["shadow", 1]], {"shadow": 10**400}, {"shadow": "x"}, "shadow=nan", "shadow=1e999", "=", "{",
        "{" * 900, '{"shadow": 1e999}', {"\ud800": 0.1}, {"nothing": 0.1}, _nested(600), '{"a":' * 900, "shadow", 5,
    )  # fmt: skip
    return [*rows, *(row | {"theta": theta} for theta in thetas)]


def bad_jsonl_manifests() -> list[bytes]:
    return [*(_dump(row) for row in bad_rows()), *NESTED, *ODD]


def bad_csv_manifests() -> list[bytes]:
    rows = [
        ("image,mask,output\npictures/a.png,pictures/a_mask.png," + place).encode("utf-8", "surrogatepass")
        for place in PLACES
    ]
    long = b"x" * 200_000
    return [
        *rows, b"image,mask\n" + long, long, b"image," + long + b"\n1,2", b'image,mask\n"' + long,
        b"image\xff,mask\n1,2",
        b"image,image\n1,2", b"\xff\xfeimage,mask\n", b'image,mask\n"a', b"image\0,mask\n1,2", b"image,mask\na\0b,c",
        b",,,\n,,,",
        b"image,mask\n" + b"," * 10_000, *ODD,
    ]  # fmt: skip


def parquet_manifests() -> list[bytes]:
    import pyarrow as pa
    from pyarrow import parquet

    tables = [
        pa.table({"image": ["pictures/a.png"] * 2, "mask": ["pictures/a_mask.png"] * 2, "output": ["p.png", "q.png"]}),
        pa.table(
            {
                "image": ["pictures/a.png"],
                "mask": ["pictures/a_mask.png"],
                "theta": pa.array([[("shadow", 0.1)]], pa.map_(pa.string(), pa.float64())),
            }
        ),
    ]
    files = []
    for table in tables:
        sink = io.BytesIO()
        parquet.write_table(table, sink)
        files.append(sink.getvalue())
    return files


def bad_parquet_manifests() -> list[bytes]:
    import datetime

    import pyarrow as pa
    from pyarrow import parquet

    columns: list[Any] = [
        pa.array([b"\xff\xfe"], pa.binary()), pa.array([5]), pa.array([None], pa.null()), pa.array([[1, 2]]),
        pa.array([2**62], pa.timestamp("ns")), pa.array([2**48], pa.timestamp("s")), pa.array([datetime.time(1)]),
        pa.array([2**31 - 1], pa.date32()),
    ]  # fmt: skip
    files = []
    for column in columns:
        for name in ("image", "theta"):
            sink = io.BytesIO()
            parquet.write_table(pa.table({"image": ["pictures/a.png"], "mask": ["b"]} | {name: column}), sink)
            files.append(sink.getvalue())
    sink = io.BytesIO()
    buffers = [None, pa.py_buffer(np.array([0, 2], np.int32)), pa.py_buffer(b"\xff\xfe")]
    parquet.write_table(pa.table({"image": pa.Array.from_buffers(pa.string(), 1, buffers)}), sink)
    files.append(sink.getvalue())
    return [*files, b"PAR1" + b"\xff" * 40 + b"PAR1", *ODD]


def configs() -> list[bytes]:
    return [_dump(CONFIG)]


def bad_configs() -> list[bytes]:
    values = [
        10**400,
        -1,
        1.5,
        "1",
        None,
        [],
        {},
        _nested(600),
        "\ud800",
        [["shadow"]],
        True,
        float("nan"),
        float("inf"),
    ]
    return [*(_dump(CONFIG | {key: value}) for key in CONFIG for value in values), *NESTED, *ODD]


def recipes() -> list[bytes]:
    import harmonizer.learning.run  # noqa: F401 # torch takes seconds to import, which count for no input
    from harmonizer.learning.recipes import RECIPES, to_json

    return [to_json(recipe).encode() for recipe in RECIPES.values()]


def bad_recipes() -> list[bytes]:
    from harmonizer.learning.recipes import Recipe

    fields = json.loads(json.dumps(asdict(Recipe())))
    values = [10**400, -1, 1.5, "1", None, [], {}, [[]], [[1, 2, 3]], float("nan"), float("inf"), {"a": 1}, True]
    return [*(_dump(fields | {key: value}) for key in fields for value in values), *NESTED, *ODD]


def priors() -> list[bytes]:
    return [_dump({"shadow": {"mean": 0.1, "std": 0.3}, "contrast": {"mean": -0.2, "std": 0.1}})]


def bad_priors() -> list[bytes]:
    values = [10**400, "1", None, [], {}, _nested(600), float("nan"), float("inf")]
    return [
        *(_dump({"shadow": {"mean": value, "std": 0.1}}) for value in values),
        *(_dump({"shadow": value}) for value in values),
        *NESTED,
        *ODD,
    ]


def _nested(depth: int) -> list[Any]:
    nested: list[Any] = []
    for _ in range(depth):
        nested = [nested]
    return nested


def _dump(value: Any) -> bytes:
    return json.dumps(value).encode()
