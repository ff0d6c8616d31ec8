"""Tables from wherever they come: CSV and Parquet files, data frames, lists of dicts, rows of numbers.

Each gives its cells in blocks of rows, column by column, so that a table larger than memory can be gone
through.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DataError, did_you_mean, known_names
from .cells import Cells, number_text
from .csv_text import CsvFile, open_csv

BLOCK_ROWS = 4096

_SPACE = re.compile(r"\s")


@dataclass(frozen=True)
class Block:
    """Some rows that follow each other.

    cells : column -> its cells.
    first : number of the first row, from 0.
    count : how many rows.
    lines : the line of each row, an array, where the table is a text file, else None.
    """

    cells: Mapping[str, Cells]
    first: int
    count: int
    lines: Any = None

    def place(self, row: int) -> str:
        """Where a row of the block stands, to be told to the user."""
        return f"row {self.first + row}" if self.lines is None else f"line {self.lines[row]}"


class Table:
    """A table: its name in messages, its columns, and its cells.

    decimals : the marks that may begin the fraction of a number.
    unnamed : the columns that were given a name since they had none.
    """

    name = "the table"
    columns: tuple[str, ...] = ()
    decimals: tuple[str, ...] = (".",)
    unnamed: tuple[str, ...] = ()

    def blocks(self, columns: Sequence[str] | None = None) -> Iterator[Block]:
        """The cells of these columns, or of all."""
        raise NotImplementedError

    def require(self, name: str, what: str = "a column", repair: str = "") -> None:
        """DataError unless there is a column of this name; `repair` is for where no name is near."""
        if name not in self.columns:
            raise DataError(
                f"{self.name}: expected {what} named {name!r}; its columns are {known_names(self.columns)}."
                f"{did_you_mean(name, self.columns) or repair}"
            )


class CsvTable(Table):
    """A CSV file."""

    def __init__(self, file: CsvFile) -> None:
        self.file = file
        self.name = str(file.path)
        self.columns = file.columns
        self.unnamed = file.unnamed
        # in a file with commas between cells, "1,234" is a quoted text
        self.decimals = (".",) if file.delimiter == "," else (".", ",")

    def blocks(self, columns: Sequence[str] | None = None) -> Iterator[Block]:
        """The cells of these columns, or of all, as texts."""
        wanted = {name: self.columns.index(name) for name in (columns or self.columns)}
        first = 0
        for lines, rows in self.file.chunks(BLOCK_ROWS):
            given = list(zip(*rows, strict=True))
            cells = {name: _stripped(given[place]) for name, place in wanted.items()}
            yield Block(cells, first, len(rows), lines)
            first += len(rows)


def _stripped(cells: Sequence[str]) -> list[str]:
    """Cells without spaces around them; looked for in all of them at once, since most have none."""
    if _SPACE.search("".join(cells)) is None:
        return list(cells)
    return [cell.strip() for cell in cells]


class MemoryTable(Table):
    """Columns in memory: texts, or float64 numbers with NaN for what is missing."""

    def __init__(self, columns: Mapping[str, Cells], name: str = "the table") -> None:
        self.name = name
        self.columns = tuple(columns)
        self.cells = columns

    def blocks(self, columns: Sequence[str] | None = None) -> Iterator[Block]:
        """The cells of these columns, or of all."""
        wanted = {name: self.cells[name] for name in (columns or self.columns)}
        count = len(next(iter(wanted.values()))) if wanted else 0
        for first in range(0, count, BLOCK_ROWS):
            part = {name: cells[first : first + BLOCK_ROWS] for name, cells in wanted.items()}
            yield Block(part, first, min(BLOCK_ROWS, count - first))


def as_table(data: Any, columns: Sequence[str] | None = None, **options: Any) -> Table:
    """A table from a path (.csv, .tsv, .txt, .parquet), a pandas frame, a list of dicts, or rows.

    Parameters
    ----------
    data : rows are lists, or a two-dimensional array, with a cell for each of `columns`.
    columns : names for rows that have none.
    options : header and delimiter of a CSV file.

    Raises DataError for anything else.
    """
    if isinstance(data, Table):
        return data
    if isinstance(data, (str, os.PathLike)):
        path = Path(data)
        if path.suffix.lower() == ".parquet":
            from .parquet import ParquetTable

            return ParquetTable(path)
        return CsvTable(open_csv(path, **options))
    if hasattr(data, "columns") and hasattr(data, "iloc"):
        return _from_frame(data)
    if isinstance(data, Mapping):
        return _from_dicts([data])
    if isinstance(data, Sequence) and len(data) and all(isinstance(row, Mapping) for row in data):
        return _from_dicts(data)
    if isinstance(data, (np.ndarray, Sequence)) and not isinstance(data, (bytes, str)):
        return _from_rows(data, columns)
    raise DataError(
        f"A table is a path of .csv or .parquet, a pandas frame, a list of dicts, or rows; received "
        f"{type(data).__name__}. Convert it to one of these."
    )


def _from_dicts(rows: Sequence[Mapping[Any, Any]]) -> MemoryTable:
    """Every dict has the same keys; a missing cell is None, NaN or an empty text, not a missing key."""
    names = [str(key) for key in rows[0]]
    for number, row in enumerate(rows):
        keys = [str(key) for key in row]
        for odd in {*keys} ^ {*names}:
            has = "no" if odd in names else "another"
            raise DataError(
                f"Every row of a list of dicts needs the same keys; row {number} has {has} {odd!r}. Write "
                f"None for a missing cell.{did_you_mean(odd, set(keys) | set(names) - {odd})}"
            )
    given = [{str(key): value for key, value in row.items()} for row in rows]
    return MemoryTable({name: [cell_text(row[name]) for row in given] for name in names}, "the rows")


def _from_rows(rows: Any, columns: Sequence[str] | None) -> MemoryTable:
    if isinstance(rows, np.ndarray) and rows.ndim == 2 and rows.dtype.kind in "fiub":
        width = rows.shape[1]
        made: list[Cells] = [rows[:, place].astype(np.float64) for place in range(width)]
    else:
        listed = [
            list(row) if not isinstance(row, (str, bytes)) and hasattr(row, "__iter__") else row
            for row in rows
        ]
        width = len(columns) if columns is not None else len(listed[0]) if isinstance(listed[0], list) else 0
        for number, row in enumerate(listed):
            if not isinstance(row, list) or len(row) != width:
                size = f"{len(row)} cells" if isinstance(row, list) else repr(row)[:40]
                raise DataError(f"Row {number} needs {width} cells; received {size}. Complete the row.")
        made = [[cell_text(row[place]) for row in listed] for place in range(width)]
    names = [f"column_{number}" for number in range(1, width + 1)] if columns is None else list(columns)
    if len(names) != width:
        raise DataError(
            f"Rows need a cell for each of {len(names)} columns, {known_names(names)}; received {width} "
            "cells in a row. Give them in this order, or as dicts."
        )
    return MemoryTable(dict(zip(names, made, strict=True)), "the rows")


def _from_frame(frame: Any) -> MemoryTable:
    """A frame of pandas, or of what behaves like it."""
    names = [str(name) for name in frame.columns]
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(
            f"A frame needs a name of its own for each column; {twice!r} is there twice. Rename it."
        )
    cells: dict[str, Cells] = {}
    for place, name in enumerate(names):
        series = frame.iloc[:, place]
        if getattr(series.dtype, "kind", "O") in "fiub":
            cells[name] = np.asarray(series.to_numpy(dtype=np.float64, na_value=np.nan))
        else:
            missing = series.isna().to_numpy()
            cells[name] = [
                "" if gone else cell_text(cell)
                for cell, gone in zip(series.tolist(), missing.tolist(), strict=True)
            ]
    return MemoryTable(cells, "the frame")


def cell_text(cell: Any) -> str:
    """A cell as the text that would stand in a CSV file."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell.strip()
    if isinstance(cell, (bool, np.bool_)):
        return str(int(cell))
    if isinstance(cell, (float, np.floating)):
        return number_text(float(cell))
    return str(cell)
