"""`index.csv`, the table of a folder of photographs, as people and spreadsheets write it."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from harmonizer.errors import ImageFileError

Row = Mapping[str, str]

_DELIMITERS = ",;\t"
"""Excel separates by semicolons where the comma is the decimal point, and its "Unicode text" by tabs."""


def read_index(path: Path, columns: Sequence[str]) -> list[Row]:
    """The rows of a CSV file by column name, empty cells as "". The names are in lower case, without blanks around.

    The text is UTF-8 or UTF-16, with or without a byte-order mark; cells are separated by commas, semicolons or tabs.
    Raises ImageFileError for a file that cannot be read, that lacks one of `columns`, or that has a row with more
    cells than columns.
    """
    lines = io.StringIO(_read_text(path), newline="")
    start = lines.tell()
    if not lines.readline().lower().startswith("sep="):  # Excel's own first line
        lines.seek(start)
    start = lines.tell()
    header = lines.readline()
    lines.seek(start)
    delimiter = max(_DELIMITERS, key=header.count)
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=True)
    try:
        table = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader]
    except csv.Error as error:
        raise ImageFileError(
            f"{path}, line {reader.line_num}: {error}; mend the line, or write the file again"
        ) from error
    names = [name.lower() for name in table[0][1]] if table else []
    if missing := [column for column in columns if column not in names]:
        raise ImageFileError(
            f"{path} has the columns {', '.join(names) or 'none'}; it lacks {', '.join(missing)}. "
            f"Its first line names its columns, among them {', '.join(columns)}"
        )
    rows = [(line, cells) for line, cells in table[1:] if any(cells)]
    for line, cells in rows:
        if len(cells) > len(names):
            raise ImageFileError(
                f"{path}, line {line} has {len(cells)} cells for {len(names)} columns; put a cell that holds "
                f'{delimiter!r} in quotes: "..."'
            )
    return [dict(zip(names, cells + [""] * (len(names) - len(cells)), strict=True)) for _, cells in rows]


def _read_text(path: Path) -> str:
    try:
        content = path.read_bytes()
        wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        return content.decode("utf-16" if wide else "utf-8-sig")
    except OSError as error:
        raise ImageFileError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ImageFileError(f'{path} is not in UTF-8; save it as UTF-8 (in Excel "CSV UTF-8")') from error
