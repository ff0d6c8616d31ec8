"""What the cells of a table say: numbers, texts, or nothing."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Cells = list[str] | Array
"""A part of a column: texts as they were written, or float64 numbers with NaN for what is missing."""

MISSING = frozenset(("", "na", "n/a", "nan", "null", "?"))
"""Texts, in any case, that stand for a missing cell."""

_WRITTEN = frozenset(form for word in MISSING for form in (word, word.upper(), word.capitalize())) | {"NaN"}


_SUSPECT = re.compile("[_nN]")
"""Letters of what Python reads as a number and is none here, or is missing: 1_000, nan, inf."""


def is_missing(cell: str) -> bool:
    """Whether a cell says nothing."""
    return cell in _WRITTEN or (len(cell) <= 4 and cell.lower() in MISSING)


def is_number(cell: str, decimal: str = ".") -> bool:
    """Whether a cell is a number; infinity is one, NaN is a missing cell."""
    number = to_number(cell, decimal)
    return number is not None and not math.isnan(number)


def to_number(cell: str, decimal: str = ".") -> float | None:
    """The number in a cell, NaN for a missing one, None for a text."""
    if is_missing(cell):
        return math.nan
    if decimal == ",":
        if "." in cell:
            return None
        cell = cell.replace(",", ".")
    if "_" in cell or not cell.isascii():
        return None  # Python would read 1_000, and digits of other scripts
    try:
        number = float(cell)
    except ValueError:
        return None
    return None if math.isnan(number) else number


def to_numbers(cells: Cells, decimal: str = ".") -> tuple[Array, int | None]:
    """float64 numbers, NaN for missing cells, up to the first cell that is a text; its place, or None."""
    if isinstance(cells, np.ndarray):
        return cells, None
    if decimal == ".":
        together = "".join(cells)
        if together.isascii() and _SUSPECT.search(together) is None:
            try:
                return np.array([float(cell) if cell else math.nan for cell in cells]), None
            except ValueError:
                pass
    found = np.empty(len(cells))
    for place, cell in enumerate(cells):
        number = to_number(cell, decimal)
        if number is None:
            return found[:place], place
        found[place] = number
    return found, None


def to_texts(cells: Cells) -> Sequence[str]:
    """Texts, with "" for missing cells; whole numbers without a fraction."""
    if not isinstance(cells, np.ndarray):
        gone = {cell for cell in set(cells) if is_missing(cell)}  # a column of texts holds each many times
        return [("" if cell in gone else cell) for cell in cells] if gone else cells
    return [number_text(number) for number in cells.tolist()]


def number_text(number: float) -> str:
    """A number as one writes it: 3 for 3.0; "" for NaN."""
    if math.isnan(number):
        return ""
    return str(int(number)) if number.is_integer() and abs(number) < 1e16 else str(number)
