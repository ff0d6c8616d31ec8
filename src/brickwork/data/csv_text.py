"""CSV files as people have them: delimiter, header and encoding are found out, every odd line is named.

The delimiter is the one of `,`, `;`, tab and `|` that gives all lines equally many cells. Files are read as a
stream, never whole.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import DataError, FormatError, ParameterError
from ..files import explained
from .cells import is_missing, is_number

DELIMITERS = ("\t", ";", "|", ",")
"""Those that rarely stand in a text first, since a text may hold the others in every line."""

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

    def records(self) -> Iterator[tuple[int, list[str]]]:
        """The number of the line on which each row begins, and its cells without spaces around them.

        Raises DataError for a row with another count of cells, FormatError for what is no CSV.
        """
        width = len(self.columns)
        first = True
        for line, cells in _records(self.path, self.encoding, self.delimiter):
            if first and self.has_header:
                first = False
                continue
            first = False
            if len(cells) != width:
                shown = self.delimiter.join(cells)[:60]
                raise DataError(
                    f"{self.path}, line {line}: expected {width} cells, as many as there are columns; "
                    f"received {len(cells)}: {shown!r}. Complete the line, or put cells that hold "
                    f"{self.delimiter!r} into "
                    f'quotes ("…").'
                )
            yield line, cells


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
        next(_records(path, encoding, delimiter), None)
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


def _records(path: Path, encoding: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not blank, with the line on which each begins."""
    with explained(path, "read"), open(path, encoding=encoding, newline="") as file:
        reader = csv.reader(file, delimiter=delimiter, strict=True, skipinitialspace=True)
        line = 1
        try:
            for row in reader:
                cells = [cell.strip() for cell in row]
                if any(cells):
                    yield line, cells
                line = reader.line_num + 1
        except UnicodeError:
            raise _not_text(path, encoding) from None
        except csv.Error as error:
            raise FormatError(
                f"{path}, line {line}: expected cells separated by {delimiter!r}, with quotes that are "
                f"closed; received something else ({error}). Double a quote inside a cell, and close every "
                "quote."
            ) from None


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
