"""Tables of pictures as people and spreadsheets write them: CSV, row by row."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import IO

from harmonizer.errors import ImageFileError

Row = Mapping[str, str]

_DELIMITERS = ",;\t"
"""Excel separates by semicolons where the comma is the decimal point, and its "Unicode text" by tabs."""


def read_csv(file: IO[bytes], name: str, columns: Sequence[str]) -> Iterator[Row]:
    """The rows of a CSV file by column name, a few at a time, empty cells as "". Names are in lower case.

    The text is UTF-8 or UTF-16, with or without a byte-order mark; cells are separated by commas, semicolons or tabs;
    blanks around cells and names are left out. Raises ImageFileError, by `name` and line, for a file that lacks one of
    `columns`, or that has a row with more cells than columns.
    """
    wide = file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    file.seek(0)
    lines = io.TextIOWrapper(file, "utf-16" if wide else "utf-8-sig", newline="")
    try:
        header, before = lines.readline(), 0
        if header.lower().startswith("sep="):  # Excel's own first line
            header, before = lines.readline(), 1
        delimiter = max(_DELIMITERS, key=header.count)
        reader = csv.reader(chain([header], lines), delimiter=delimiter, skipinitialspace=True, strict=True)
        try:
            names = [cell.strip().lower() for cell in next(reader, [])]
            _check_columns(name, names, columns)
            for row in reader:
                cells = [cell.strip() for cell in row]
                if len(cells) > len(names) and any(cells):
                    raise ImageFileError(
                        f"{name}, line {before + reader.line_num} has {len(cells)} cells for {len(names)} columns; put "
                        f'a cell that holds {delimiter!r} in quotes: "..."'
                    )
                if any(cells):
                    yield dict(zip(names, cells + [""] * (len(names) - len(cells)), strict=True))
        except csv.Error as error:
            line = before + reader.line_num
            raise ImageFileError(f"{name}, line {line}: {error}; mend the line, or write the file again") from error
    except UnicodeError as error:
        raise ImageFileError(f'{name} is not in UTF-8; save it as UTF-8 (in Excel "CSV UTF-8")') from error
    finally:
        lines.detach()  # the caller closes the file


def _check_columns(name: str, names: Sequence[str], columns: Sequence[str]) -> None:
    if missing := [column for column in columns if column not in names]:
        raise ImageFileError(
            f"{name} has the columns {', '.join(names) or 'none'}; it lacks {', '.join(missing)}. "
            f"Its first line names its columns, among them {', '.join(columns)}"
        )
