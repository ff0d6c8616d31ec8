"""CSV files as people have them: delimiter, header and encoding are found out, every odd line is named.

The delimiter is the one of `,`, `;`, tab and `|` that gives all lines equally many cells. Files are read as a
stream, never whole.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import DataError, FormatError, ParameterError
from ..files import explained
from .cells import is_missing, is_number

Array = npt.NDArray[Any]

DELIMITERS = ("\t", ";", "|", ",")
"""Those that rarely stand in a text first, since a text may hold the others in every line."""

_BREAK = re.compile(r"\r\n|\r|\n")
_SAMPLE = 1 << 16
_SAMPLE_ROWS = 100


@dataclass(frozen=True)
class CsvFile:
    """A CSV file whose form is known.

    path, encoding, delimiter : where and how it is written.
    columns : the names in its header; column_1, column_2, … for names that are missing.
    has_header : whether its first line is the header.
    unnamed : those columns whose name in the header is empty.
    """

    path: Path
    encoding: str
    delimiter: str
    columns: tuple[str, ...]
    has_header: bool
    unnamed: tuple[str, ...] = ()

    def chunks(self, size: int) -> Iterator[tuple[Array, list[list[str]]]]:
        """Up to `size` rows at a time: the lines on which they begin, and their cells as they are written.

        Raises DataError for a row with another count of cells, FormatError for what is no CSV.
        """
        width = len(self.columns)
        header = self.has_header
        for lines, rows in _chunks(self.path, self.encoding, self.delimiter, size):
            if header:
                lines, rows, header = lines[1:], rows[1:], False
            if set(map(len, rows)) - {width}:
                line, cells = next(
                    (line, row) for line, row in zip(lines, rows, strict=True) if len(row) != width
                )
                raise DataError(
                    f"{self.path}, line {line}: expected {width} cells, as many as there are columns; "
                    f"received {len(cells)}: {self.delimiter.join(cells)[:60]!r}. Complete the line, or put "
                    f'cells that hold {self.delimiter!r} into quotes ("…").'
                )
            if rows:
                yield lines, rows


def open_csv(path: str | Path, *, header: bool | None = None, delimiter: str | None = None) -> CsvFile:
    """Find out how a CSV file is written.

    Parameters
    ----------
    path : UTF-8, with a byte-order mark or without, or UTF-16 with one; lines may end as on any system.
    header : whether the first line holds the names of the columns; None (default) finds out: it does unless
        one of its cells is a number and no column of numbers begins with a text.
    delimiter : one character; None (default) finds it.

    Raises FileError where there is no such file, DataError where it is empty, has two columns of one name, or
    a row of another length; FormatError where it is no text.

    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "a.csv"
    >>> _ = file.write_text("age;name\\n31;Ann\\n")
    >>> open_csv(file).columns
    ('age', 'name')
    """
    path = Path(path)
    encoding = _encoding(path)
    if delimiter is not None and (
        not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in '"\r\n'
    ):
        raise ParameterError(f"`delimiter` must be one character; got {delimiter!r}. Write ';' or '\\t'.")
    rows = []
    for given in (delimiter,) if delimiter else DELIMITERS:
        sample = _sample(path, encoding, given)
        if len({len(row) for row in sample}) == 1 and len(sample[0]) > 1:
            delimiter, rows = given, sample
            break
    else:
        delimiter = delimiter or _likeliest(path, encoding)
        rows = _sample(path, encoding, delimiter)
    if not rows:
        # tells of what is wrong with the very first line, or that there is none
        next(_chunks(path, encoding, delimiter, 1), None)
        raise DataError(f"{path}: expected a header and rows; the file is empty. Is it the right one?")
    has_header = _has_header(rows) if header is None else bool(header)
    names = tuple(
        name if has_header and name else f"column_{number}" for number, name in enumerate(rows[0], start=1)
    )
    for name in names:
        if names.count(name) > 1:
            raise DataError(
                f"{path}, line 1: expected a name of its own for each column; received {name!r} "
                f"{names.count(name)} times. Rename the columns."
            )
    unnamed = tuple(name for name, given in zip(names, rows[0], strict=True) if has_header and not given)
    return CsvFile(path, encoding, delimiter, names, has_header, unnamed)


def _encoding(path: Path) -> str:
    with explained(path, "read"), open(path, "rb") as file:
        start = file.read(4)
    return "utf-16" if start[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"


def _chunks(path: Path, encoding: str, delimiter: str, size: int) -> Iterator[tuple[Array, list[list[str]]]]:
    """Rows that are not blank, with the lines on which they begin."""
    with explained(path, "read"), open(path, encoding=encoding, newline="") as file:
        reader = csv.reader(file, delimiter=delimiter, strict=True, skipinitialspace=True)
        line = 1
        while True:
            try:
                rows = list(itertools.islice(reader, size))
            except UnicodeError:
                raise _not_text(path, encoding) from None
            except csv.Error as error:
                raise _not_csv(path, encoding, delimiter, error) from None
            if not rows:
                return
            lines = np.arange(line, line + len(rows))
            if reader.line_num + 1 != line + len(rows):  # some cells hold several lines
                breaks = [sum(len(_BREAK.findall(cell)) for cell in row) for row in rows]
                lines += np.cumsum([0, *breaks[:-1]])
            line = reader.line_num + 1
            if not all(map(any, rows)):
                kept = [number for number, row in enumerate(rows) if any(row)]
                lines, rows = lines[kept], [rows[number] for number in kept]
            yield lines, rows


def _not_csv(path: Path, encoding: str, delimiter: str, error: csv.Error) -> FormatError:
    """The error that names the line on which the row begins that cannot be read."""
    line = 1
    with open(path, encoding=encoding, newline="") as file, suppress(csv.Error, UnicodeError):
        reader = csv.reader(file, delimiter=delimiter, strict=True, skipinitialspace=True)
        for _ in reader:
            line = reader.line_num + 1
    return FormatError(
        f"{path}, line {line}: expected cells separated by {delimiter!r}, with quotes that are closed; "
        f"received something else ({error}). Double a quote inside a cell, and close every quote."
    )


def _sample(path: Path, encoding: str, delimiter: str) -> list[list[str]]:
    """The first rows, up to what is wrong; no more than the beginning of the file is read."""
    with explained(path, "read"), open(path, "rb") as file:
        content = file.read(_SAMPLE)
    text = content.decode(encoding, errors="replace")
    if len(content) == _SAMPLE:  # the last line may be cut
        text = text[: text.rfind("\n") + 1] or text
    rows = []
    try:
        for row in csv.reader(
            io.StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=True
        ):
            cells = [cell.strip() for cell in row]
            if any(cells):
                rows.append(cells)
            if len(rows) == _SAMPLE_ROWS:
                break
    except csv.Error:
        pass
    return rows


def _likeliest(path: Path, encoding: str) -> str:
    """Where no delimiter gives equal rows: the one by which most rows are as long as the first, and longer
    than 1."""

    def score(delimiter: str) -> int:
        rows = _sample(path, encoding, delimiter)
        return sum(len(row) == len(rows[0]) > 1 for row in rows)

    best = max(DELIMITERS, key=score)
    return best if score(best) else ","


def _has_header(rows: list[list[str]]) -> bool:
    first, rest = rows[0], rows[1:]
    if not any(is_number(cell) for cell in first):
        return True
    for column, name in enumerate(first):
        below = [row[column] for row in rest if len(row) > column and not is_missing(row[column])]
        if below and not is_number(name) and not is_missing(name) and all(map(is_number, below)):
            return True
    return False


def _not_text(path: Path, encoding: str) -> FormatError:
    """The error that names the first line that is not in the encoding."""
    told = "UTF-16" if encoding == "utf-16" else "UTF-8"
    where = ""
    if told == "UTF-8":
        with open(path, "rb") as file:
            for number, line in enumerate(file, start=1):
                try:
                    line.decode("utf-8")
                except UnicodeDecodeError as error:
                    where = f", line {number}"
                    told = f"UTF-8 text; received the byte 0x{line[error.start]:02x}"
                    break
    else:
        told = "UTF-16 text; received something else"
    return FormatError(f"{path}{where}: expected {told}. Save the file as UTF-8.")
