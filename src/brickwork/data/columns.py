"""What becomes of each column of a table: numbers, categories, the target; plain numbers and texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import DataError, did_you_mean, known_names
from .cells import Cells, number_text, to_number, to_numbers, to_texts
from .tables import Block, Table
from .tasks import REGRESSION

Array = npt.NDArray[Any]

_MISSING = "(missing)"
_OTHER = "(other)"


@dataclass(frozen=True)
class NumericColumn:
    """A column of numbers: x = (cell − mean) / scale, with the median where the cell is missing.

    The median, the mean and the deviation are those of the training rows.
    """

    name: str
    median: float
    mean: float
    scale: float
    decimal: str = "."

    @property
    def feature_names(self) -> tuple[str, ...]:
        """One number, of the column's name."""
        return (self.name,)

    def encode(self, cells: Cells, block: Block, table: Table, out: Array, unknown: str) -> None:
        """Write the numbers of some rows to `out`, (rows, 1)."""
        numbers, stop = to_numbers(cells, self.decimal)
        if stop is not None:
            raise DataError(
                f"{table.name}, {block.place(stop)}, column {self.name!r}: expected a number, as in "
                f"training; received {cells[stop]!r}. Correct the cell, or leave it empty: then it counts as "
                "missing."
            )
        with np.errstate(over="ignore", invalid="ignore"):
            out[:, 0] = (np.where(np.isnan(numbers), self.median, numbers) - self.mean) / self.scale
        if not np.isfinite(out[:, 0]).all():
            row = int(np.argmin(np.isfinite(out[:, 0])))
            raise DataError(
                f"{table.name}, {block.place(row)}, column {self.name!r}: expected a finite number of the "
                f"size seen in training; received {numbers[row]:g}. Correct the cell, or leave it empty."
            )

    def describe(self) -> str:
        """How the column is encoded, in a line."""
        scaled = f"(x - {self.mean:.6g}) / {self.scale:.6g}"
        return f"{self.name}: number, {scaled}; missing cells become {self.median:.6g}"


@dataclass(frozen=True)
class CategoricalColumn:
    """A column of texts: one number for each category, 1 for the one that stands in the cell and 0 for the
    others.

    missing : whether missing cells are a category of their own; else they count as `most_frequent`.
    other : whether categories that are not among these share one number.
    """

    name: str
    categories: tuple[str, ...]
    most_frequent: str
    missing: bool = False
    other: bool = False

    @property
    def feature_names(self) -> tuple[str, ...]:
        """A name for each category, as color=red."""
        extra = ([_MISSING] if self.missing else []) + ([_OTHER] if self.other else [])
        return tuple(f"{self.name}={word}" for word in (*self.categories, *extra))

    def encode(self, cells: Cells, block: Block, table: Table, out: Array, unknown: str) -> None:
        """Write the numbers of some rows to `out`, (rows, categories), which is zero."""
        places = {text: place for place, text in enumerate(self.categories)}
        gone = len(places)
        places[""] = gone if self.missing else places.get(self.most_frequent, -1)
        other = gone + self.missing if self.other else None
        for row, text in enumerate(to_texts(cells)):
            place = places.get(text, other)
            if place is None:
                if unknown == "ignore":
                    continue
                raise DataError(
                    f"{table.name}, {block.place(row)}, column {self.name!r}: {text!r} is not one of the "
                    f"{len(self.categories)} categories seen in training, "
                    f"{known_names(self.categories)}.{did_you_mean(text, self.categories)} Correct the cell, "
                    "leave it empty, or ask for unknown categories to be ignored."
                )
            if place >= 0:
                out[row, place] = 1.0

    def describe(self) -> str:
        """How the column is encoded, in a line."""
        gone = "a category of their own" if self.missing else f"{self.most_frequent!r}"
        others = "; rarer ones share one" if self.other else ""
        return (
            f"{self.name}: {len(self.categories)} categories, {known_names(self.categories, 6)}{others}; "
            f"missing cells become {gone}"
        )


@dataclass(frozen=True)
class TargetColumn:
    """The column that is learned: its task, and the classes in the order of their numbers (() for
    regression)."""

    name: str
    task: str
    class_names: tuple[str, ...] = ()
    decimal: str = "."

    def encode(self, cells: Cells, block: Block, table: Table) -> Array:
        """Class numbers as int64, or numbers as float32."""
        if self.task == REGRESSION:
            numbers, stop = to_numbers(cells, self.decimal)
            bad = stop if stop is not None else _first(~(np.abs(numbers) <= np.finfo(np.float32).max))
            if bad is not None:
                raise DataError(
                    f"{table.name}, {block.place(bad)}: the target {self.name!r} must be a finite number; it "
                    f"is {to_texts(cells[bad : bad + 1])[0] or 'missing'!r}. Correct or drop the row."
                )
            return numbers.astype(np.float32)
        known = {text: label for label, text in enumerate(self.class_names)}
        labels = np.empty(block.count, np.int64)
        for row, text in enumerate(class_texts(cells, self.decimal)):
            if text not in known:
                if not text:
                    raise missing_target(table, block, row, self.name)
                raise DataError(
                    f"{table.name}, {block.place(row)}: target {text!r} is not one of the {len(known)} "
                    f"classes seen in training, {known_names(known)}.{did_you_mean(text, known)} Correct or "
                    "drop the row."
                )
            labels[row] = known[text]
        return labels


def class_texts(cells: Cells, decimal: str = ".") -> Sequence[str]:
    """Names of classes, "" for missing ones. A number is written shortest: 7 for 7.0 and 007."""
    if isinstance(cells, np.ndarray):
        return to_texts(cells)
    numbers = [to_number(cell, decimal) for cell in cells]
    return [
        cell if number is None else number_text(number) for cell, number in zip(cells, numbers, strict=True)
    ]


def missing_target(table: Table, block: Block, row: int, name: str) -> DataError:
    """The error for a row that does not say what it teaches."""
    return DataError(
        f"{table.name}, {block.place(row)}: expected the target {name!r}; the cell is missing. Fill it in, "
        "or drop the row."
    )


def _first(wrong: Array) -> int | None:
    return int(np.argmax(wrong)) if wrong.any() else None


Column = NumericColumn | CategoricalColumn
