"""A cascade with frozen statistics as a 3-D LUT, and LUTs as Adobe .cube files.

A LUT is a float32 array (N, N, N, 3): `lut[r, g, b]` is what the colour (r, g, b) / (N - 1) becomes.
"""

from __future__ import annotations

import codecs
import os
import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from whitebox_filters import images
from whitebox_filters.cascade import Cascade
from whitebox_filters.errors import LutError

Lut = npt.NDArray[np.float32]

DOMAIN = {"DOMAIN_MIN": [0.0] * 3, "DOMAIN_MAX": [1.0] * 3, "LUT_3D_INPUT_RANGE": [0.0, 1.0]}
"""Keywords that give the domain of a table, and the only values with which they are read."""
CTRL_Z = b"\x1a"  # the end of a text file in CP/M, MS-DOS, and some programs since
SIZES = range(2, 257)  # of a 3-D LUT by the .cube specification
PIXELS = 1 << 16  # looked up at a time, so that the work stays in the processor's cache


def bake_lut(cascade: Cascade, theta: Any, statistics: Sequence[Any] | None, size: int = 65) -> Lut:
    """Run a lattice of size^3 colours through `cascade(..., theta, statistics=statistics)`.

    A LUT sees colours only, so every mean that a filter needs must be frozen: `statistics` comes from
    `cascade.statistics(image, theta)`; None suits a cascade that measures nothing. Between nodes a LUT is straight:
    it is off most where a power curve leaves black and where a filter clips. Hence 65 steps where 33 are usual
    (benchmarks/results/lut_accuracy.md); the file has 7 MB instead of 1.
    Returns (size, size, size, 3) float32 in [0, 1]. Raises LutError, ThetaError, FilterError.
    """
    _check_size(size)
    values = [None] * len(cascade) if statistics is None else statistics
    missing = [f.name for f, value in zip(cascade.filters, values, strict=False) if f.statistic and value is None]
    if missing:
        raise LutError(
            f"{', '.join(missing)} would be measured on the lattice; freeze what the picture has: "
            "statistics=cascade.statistics(image, theta)"
        )
    steps = np.linspace(0, 1, size)
    lattice = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1)
    baked = cascade(lattice.reshape(size * size, size, 3), theta, statistics=statistics)
    return np.asarray(baked.reshape(lattice.shape), dtype=np.float32)


def apply_lut(image: npt.NDArray[Any], lut: Lut) -> npt.NDArray[Any]:
    """Look up every pixel of a NumPy image (HWC, as a cascade takes it), tetrahedrally, as FFmpeg's lut3d does.

    The cell around a colour is split into six tetrahedra along its grey diagonal, so that greys depend on greys alone
    where the lattice keeps them. Returns a new array of the shape and dtype of `image`, clamped to [0, 1].
    Raises ImageError, LutError.
    """
    images.check_image(image)
    _check_lut(lut)
    colours = np.moveaxis(images.to_planes(image), 0, -1).reshape(-1, 3)
    result = np.empty_like(colours)
    for start in range(0, len(colours), PIXELS):
        result[start : start + PIXELS] = _interpolate(colours[start : start + PIXELS], lut)
    clamped = np.clip(result.reshape(image.shape), 0, 1)
    return images.from_planes(np.moveaxis(clamped, -1, 0), image.dtype)


def format_cube(lut: Lut, title: str = "whitebox_filters") -> str:
    """The text of an Adobe .cube file: domain [0, 1], red fastest, six decimals.

    The title is printable ASCII without quotes. Raises LutError.
    """
    _check_lut(lut)
    if not (title.isascii() and title.isprintable() and '"' not in title and len(title) <= 200):
        raise LutError(f'a title is at most 200 printable ASCII characters without "; got {title!r}')
    size = len(lut)
    header = f'TITLE "{title}"\nLUT_3D_SIZE {size}\nDOMAIN_MIN 0.0 0.0 0.0\nDOMAIN_MAX 1.0 1.0 1.0\n'
    rows = lut.transpose(2, 1, 0, 3).reshape(-1, 3).tolist()
    return header + "".join([f"{red:.6f} {green:.6f} {blue:.6f}\n" for red, green, blue in rows])


def write_cube(path: str | Path, lut: Lut, title: str = "whitebox_filters") -> None:
    """Write what `format_cube` returns to a file, whole or not at all. Raises LutError.

    What is there keeps its mode, and a symbolic link stays one. Pipes, devices and files with several names (hard
    links) are written to.
    """
    text = format_cube(lut, title)
    place = Path(os.path.realpath(path))
    beside = place.with_name(f".{uuid.uuid4().hex}.part")
    try:
        if place.exists() and (not place.is_file() or place.stat().st_nlink > 1):
            place.write_text(text, encoding="ascii", newline="\n")
            return
        beside.write_text(text, encoding="ascii", newline="\n")
        if place.exists():
            shutil.copymode(place, beside)
        beside.replace(place)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise LutError(f"{path} cannot be written: {error.strerror}") from error


def read_cube(path: str | Path) -> Lut:
    """Read a .cube file of Adobe's specification or DaVinci Resolve that holds a 3-D LUT over the domain [0, 1].

    Keywords, in any case, may stand before the table: TITLE, LUT_3D_SIZE, and the default DOMAIN_MIN, DOMAIN_MAX and
    LUT_3D_INPUT_RANGE. A comment (#) may stand on a line of its own or behind values. Only keywords and numbers count,
    so titles and comments may be in any encoding; a byte-order mark and a Ctrl-Z at the end are skipped.
    Raises LutError, with the line, for anything else.
    """
    try:
        lines = _decode(Path(path).read_bytes())
    except OSError as error:
        raise LutError(f"{path} cannot be read: {error.strerror}") from error
    size = 0
    rows: list[list[float]] = []
    for number, line in enumerate(lines, start=1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        try:
            if words[0][0].isalpha():
                size = _read_keyword(words, in_header=not rows) or size
            else:
                rows.append(_read_numbers(words, 3))
        except ValueError as error:
            if not line.isascii():
                raise LutError(f"{path} is not text, so no .cube file") from None
            raise LutError(f"{path}, line {number}: {error}; got {line[:80]!r}") from None
    if not size:
        raise LutError(f"{path} has no LUT_3D_SIZE; only .cube files with a 3-D LUT are read")
    if len(rows) != size**3:
        raise LutError(f"{path} has {len(rows)} colours; LUT_3D_SIZE {size} takes {size**3}")
    table = np.array(rows, dtype=np.float32).reshape(size, size, size, 3)
    return np.ascontiguousarray(table.transpose(2, 1, 0, 3))


def _decode(content: bytes) -> list[str]:
    """The lines of a file whose keywords and numbers are ASCII and whose other text may be in any encoding."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        content = content.decode("utf-16", errors="replace").encode()
    content = content.removeprefix(codecs.BOM_UTF8).rstrip(b"\0 \t\r\n").removesuffix(CTRL_Z)
    # Bytes are split at line feeds and carriage returns alone; text would be at controls that other encodings use.
    return [line.decode("latin-1") for line in content.splitlines()]


def _interpolate(colours: images.FloatArray, lut: Lut) -> images.FloatArray:
    """Colours (P, 3) in [0, 1]: from the cell's lower corner, one step along each axis, the farthest-gone first."""
    size = len(lut)
    table = lut.reshape(-1, 3)
    strides = np.array([size * size, size, 1])
    position = colours * (size - 1)
    corner = np.minimum(position.astype(np.intp), size - 2)
    fraction = position - corner
    order = np.argsort(-fraction, axis=1)
    falling = np.take_along_axis(fraction, order, axis=1)
    node = corner @ strides
    result: images.FloatArray = table[node] * (1 - falling[:, :1])
    for step in range(3):
        node = node + strides[order[:, step]]
        weight = falling[:, step] - (falling[:, step + 1] if step < 2 else 0)
        result += table[node] * weight[:, None]
    return result


def _read_keyword(words: list[str], *, in_header: bool) -> int | None:
    """The size, if that is what the line says. Raises ValueError."""
    if not in_header:
        raise ValueError("no keyword may follow the table's first line")
    keyword = words[0].upper()
    if keyword == "TITLE":
        return None
    values = _without_comment(words[1:])
    if keyword == "LUT_3D_SIZE":
        if len(values) != 1 or not values[0].isdecimal() or int(values[0]) not in SIZES:
            raise ValueError(f"LUT_3D_SIZE is one integer from {SIZES[0]} to {SIZES[-1]}")
        return int(values[0])
    if keyword not in DOMAIN:
        raise ValueError(f"keywords that are read: TITLE, LUT_3D_SIZE, {', '.join(DOMAIN)}")
    if _read_numbers(values, len(DOMAIN[keyword])) != DOMAIN[keyword]:
        raise ValueError("only LUTs over the domain from 0 0 0 to 1 1 1 are read")
    return None


def _read_numbers(words: list[str], count: int) -> list[float]:
    """The numbers of a line, up to a comment. Raises ValueError."""
    try:
        values = [float(word) for word in _without_comment(words)]
    except ValueError:
        values = []
    if len(values) != count or not np.isfinite(values).all():
        raise ValueError(f"a line holds {count} finite numbers, or a keyword")
    return values


def _without_comment(words: list[str]) -> list[str]:
    return " ".join(words).partition("#")[0].split()


def _check_size(size: int) -> None:
    if size not in SIZES:
        raise LutError(f"a LUT has from {SIZES[0]} to {SIZES[-1]} steps along each axis; got {size!r}")


def _check_lut(lut: Lut) -> None:
    if lut.ndim != 4 or lut.shape != (len(lut),) * 3 + (3,):
        raise LutError(f"a LUT has shape (N, N, N, 3); got {lut.shape}")
    _check_size(len(lut))
    if not np.isfinite(lut).all():
        raise LutError("the LUT holds NaN or infinity")
