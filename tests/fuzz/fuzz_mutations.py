"""Changes valid files at random: bytes of any file, values of JSON, fields of text."""

from __future__ import annotations

import json
import random
import struct
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from copy import deepcopy
from typing import Any

NUMBERS = (
    b"0", b"-1", b"1", b"1e999", b"-1e999", b"NaN", b"Infinity", b"1e-400", b"18446744073709551616", b"9" * 400,
    b"9" * 5000, b"0x10", b"1_0", b"\xd9\xa3", b"0.1.2", b"1.0", b"-0", b"true", b"null", b"[]", b"{}", b'""',
)  # fmt: skip
TEXTS = (
    b'"', b"'", b",", b";", b"\t", b"\n", b"\r", b"\0", b"\\", b"{", b"}", b"[", b"]", b":", b"\xff", b"\xef\xbb\xbf",
    b"\xed\xa0\x80", b'"\\ud800"', b"../", b"/", b"://", b"file:///etc/passwd", b"%", b"%n", b"#", b"=", b" ", b"\x1a",
    b"\xff\xfe", b"/dev/null", b"A" * 300, b"[" * 900, b'{"a":' * 500,
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2, 3, 0.5, -0.5, 1.5, 1e308, -1e308, 5e-324, float("nan"), float("inf"), -float("inf"),
    10**400, -(10**400), 2**31, 2**63, 2**64, "", "0", "1", "a", "\0", "\ud800", "../../x.png", "/etc/passwd",
    "file:///etc/passwd", "x" * 300, "temperature", "hue", "shadow", [], {}, [[]], [0.5] * 3, [0.5] * 4, {"a": 1},
    ["shadow"], [["shadow"]], "frame", "mask", "\u202e", "-", "NaN", "shadow=nan", '{"shadow": 1e999}',
)  # fmt: skip
INTEGERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def mutate(seeds: Sequence[bytes], form: str, repair: Callable[[bytes], bytes] | None, random: random.Random) -> bytes:
    """One of the seeds, changed. `form` is "bytes", "text", "json", or "lines" of JSON."""
    data = random.choice(seeds)
    if form in ("json", "lines") and random.random() < 0.7:
        with suppress(ValueError, RecursionError):  # it is no JSON
            return _mutate_json(data, form, random)
    pieces = (*NUMBERS, *TEXTS) if form != "bytes" else ()
    for _ in range(min(1 + int(random.expovariate(0.7)), 12)):
        data = _mutate_bytes(data, pieces, seeds, random)
    return repair(data) if repair and random.random() < 0.85 else data


def truncations(data: bytes) -> list[bytes]:
    """The first 0/16 to 15/16 of a file."""
    return [data[: len(data) * part // 16] for part in range(16)]


def repair_png(data: bytes) -> bytes:
    """The checksums of a PNG's chunks, made right, or decoders would look at nothing else."""
    result, at = bytearray(data), 8
    while at + 12 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if at + 12 + size > len(data):
            break
        struct.pack_into(">I", result, at + 8 + size, zlib.crc32(result[at + 4 : at + 8 + size]))
        at += 12 + size
    return bytes(result)


def _mutate_bytes(data: bytes, pieces: Sequence[bytes], seeds: Sequence[bytes], random: random.Random) -> bytes:
    if not data:
        return random.randbytes(random.randrange(20))
    # Headers decide most: half of the changes lie in the first part of the file.
    at = random.randrange(len(data) if random.random() < 0.5 else min(len(data), 200))
    kind = random.randrange(9 if not pieces else 12)
    if kind == 0:
        return data[:at] + bytes([data[at] ^ 1 << random.randrange(8)]) + data[at + 1 :]
    if kind == 1:
        return data[:at] + bytes([random.choice((0, 1, 0x7F, 0x80, 0xFF, random.randrange(256)))]) + data[at + 1 :]
    if kind in (2, 3):
        size = random.choice((2, 4, 8))
        number = (random.choice(INTEGERS) + random.randint(-1, 1)) & (1 << 8 * size) - 1
        return data[:at] + number.to_bytes(size, random.choice(("big", "little"))) + data[at + size :]
    if kind == 4:
        return data[:at] + data[at + random.randrange(1, 64) :]
    if kind == 5:
        end = at + random.randrange(1, 64)
        return data[:end] + data[at:end] * random.choice((1, 1, 2, 20)) + data[end:]
    if kind == 6:
        return data[:at] + random.randbytes(random.randrange(1, 16)) + data[at:]
    if kind == 7:
        return data[:at] if random.random() < 0.4 else data[:at] + random.choice(seeds)[at:]
    if kind == 8:
        value = (int.from_bytes(data[at : at + 4], "little") + random.choice((-1, 1, 255, -256))) & 0xFFFFFFFF
        return data[:at] + value.to_bytes(4, "little") + data[at + 4 :]
    if kind == 9:  # a number of the text becomes another
        digits = [place for place, byte in enumerate(data) if 48 <= byte < 58]
        if digits:
            start = end = random.choice(digits)
            while end < len(data) and data[end] in b"0123456789.eE+-":
                end += 1
            return data[:start] + random.choice(NUMBERS) + data[end:]
    return data[:at] + random.choice(pieces) + data[at + random.choice((0, 0, 1, 4)) :]


def _mutate_json(data: bytes, form: str, random: random.Random) -> bytes:
    lines = data.splitlines() if form == "lines" else [data]
    at = random.randrange(len(lines))
    document = json.loads(lines[at])
    for _ in range(1 + int(random.expovariate(1))):
        document = _change(document, random)
    try:
        text = json.dumps(document, ensure_ascii=random.random() < 0.7)
    except (ValueError, RecursionError):
        return data
    lines[at] = text.encode("utf-8", "surrogatepass")
    return b"\n".join(lines)


def _change(value: Any, random: random.Random) -> Any:
    """The same JSON value with one part of it changed."""
    if isinstance(value, dict) and value and random.random() < 0.85:
        key = random.choice(list(value))
        kind = random.randrange(12)
        if kind == 0:
            del value[key]
        elif kind == 1:
            value[str(random.choice(VALUES))[:400]] = value.pop(key)
        elif kind == 2:
            value[str(random.choice(VALUES))[:400]] = deepcopy(random.choice(VALUES))
        else:
            value[key] = _change(value[key], random)
        return value
    if isinstance(value, list) and value and random.random() < 0.85:
        at = random.randrange(len(value))
        kind = random.randrange(8)
        if kind == 0:
            del value[at]
        elif kind == 1:
            value.insert(at, deepcopy(value[at]))
        else:
            value[at] = _change(value[at], random)
        return value
    if isinstance(value, float) and random.random() < 0.5:
        return value * random.choice((-1, 0.5, 0.999999, 1e9)) + random.choice((0.0, 0.1, 1.0))
    if random.random() < 0.03:
        nested: Any = value
        for _ in range(random.choice((10, 200, 600))):
            nested = [nested]
        return nested
    return deepcopy(random.choice(VALUES))
