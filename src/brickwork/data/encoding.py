"""From the cells of a table to the numbers that a network takes, in a form that is saved with the model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..arguments import Choice
from ..errors import DataError, FormatError, known_names
from .columns import CategoricalColumn, Column, NumericColumn, TargetColumn
from .tables import Block, Table, as_table
from .tasks import CLASSIFICATION, REGRESSION

Array = npt.NDArray[Any]

_VERSION = 1
_UNKNOWN = Choice(("error", "ignore"))


@dataclass(frozen=True)
class TableEncoder:
    """Turns rows of a table into the rows of numbers that a network was trained on.

    Parameters
    ----------
    columns : what becomes of each column that is used, in the order of the features.
    target : the column that is learned, or None.
    left_out : the columns that are not used, each with the reason.

    It is made by reading a table, and is saved with the model as plain JSON (`get_config`).

    >>> column = CategoricalColumn("color", ("blue", "red"), most_frequent="red")
    >>> encoder = TableEncoder((NumericColumn("age", median=40.0, mean=30.0, scale=10.0), column))
    >>> encoder.encode([{"age": 20, "color": "blue"}, {"age": None, "color": "red"}]).tolist()
    [[-1.0, 1.0, 0.0], [1.0, 0.0, 1.0]]
    """

    columns: tuple[Column, ...]
    target: TargetColumn | None = None
    left_out: tuple[tuple[str, str], ...] = ()

    @property
    def feature_names(self) -> tuple[str, ...]:
        """A name for each number of a row.

        >>> TableEncoder((CategoricalColumn("color", ("blue", "red"), "red", missing=True),)).feature_names
        ('color=blue', 'color=red', 'color=(missing)')
        """
        return tuple(name for column in self.columns for name in column.feature_names)

    @property
    def column_names(self) -> tuple[str, ...]:
        """The columns that a table must have."""
        return tuple(column.name for column in self.columns)

    def encode(self, data: Any, *, unknown: str = "error") -> Array:
        """Rows of numbers, float32 (N, F).

        Parameters
        ----------
        data : a .csv or .parquet path, a pandas frame, a list of dicts, one dict, or rows in the order of
            `column_names`. Other columns, the target too, are passed over.
        unknown : "error" (default) refuses a category that was not seen in training, naming the row; "ignore"
            gives it no number, so that the column says nothing.

        Raises DataError for missing columns, unknown categories, and texts where numbers are expected.
        """
        _UNKNOWN("encode", "unknown", unknown)
        table = self.table(data)
        blocks = [x for _, x in self.blocks(table, unknown=unknown)]
        if not blocks:
            raise DataError(f"{table.name}: expected rows; there are none. Is it the right file?")
        return np.concatenate(blocks) if len(blocks) > 1 else blocks[0]

    def encode_target(self, data: Any) -> Array:
        """The targets: class numbers as int64 (N,), or numbers as float32 (N,).

        Raises DataError where the column is not there, and for classes that were not seen in training.
        """
        table = self.table(data, target=True)
        assert self.target is not None  # noqa: S101  (self.table has looked)
        name = self.target.name
        parts = [self.target.encode(block.cells[name], block, table) for block in table.blocks([name])]
        if not parts:
            raise DataError(f"{table.name}: expected rows; there are none. Is it the right file?")
        return np.concatenate(parts)

    def table(self, data: Any, *, target: bool = False) -> Table:
        """The data as a table that has the columns of this encoder, and the target if it is asked for."""
        table = as_table(data, self.column_names)
        for name in self.column_names:
            repair = f" Add it, its cells may be empty; or train without it: --column {name}=ignored."
            table.require(name, "a column, as in training,", repair)
        if target:
            if self.target is None:
                raise DataError("This encoder was made without a target, so that there is none to encode.")
            table.require(self.target.name, "the target, a column")
        return table

    def blocks(self, table: Table, *, unknown: str = "error") -> Iterator[tuple[Block, Array]]:
        """Blocks of the table with their rows of numbers."""
        for block in table.blocks(self.column_names):
            x = np.zeros((block.count, len(self.feature_names)), np.float32)
            place = 0
            for column in self.columns:
                width = len(column.feature_names)
                column.encode(block.cells[column.name], block, table, x[:, place : place + width], unknown)
                place += width
            yield block, x

    def describe(self) -> list[str]:
        """A line for each column, for the summary of a model.

        >>> for line in TableEncoder((NumericColumn("age", 40.0, 30.0, 10.0),), TargetColumn("kind",
        ...     "classification", ("cat", "dog")), (("id", "it numbers the rows"),)).describe():
        ...     print(line)
        age: number, (x - 30) / 10; missing cells become 40
        id: left out, since it numbers the rows
        kind: target, 2 classes, 'cat', 'dog'
        """
        lines = [column.describe() for column in self.columns]
        lines += [f"{name}: left out, since {reason}" for name, reason in self.left_out]
        if self.target is not None:
            names = self.target.class_names
            learned = f"{len(names)} classes, {known_names(names, 6)}" if names else "a number"
            lines.append(f"{self.target.name}: target, {learned}")
        return lines

    def get_config(self) -> dict[str, Any]:
        """Everything as plain JSON."""
        return {
            "version": _VERSION,
            "columns": [
                {"kind": "numeric" if isinstance(column, NumericColumn) else "categorical", **_plain(column)}
                for column in self.columns
            ],
            "target": None if self.target is None else _plain(self.target),
            "left_out": [list(pair) for pair in self.left_out],
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> TableEncoder:
        """The encoder that `get_config` told. Raises FormatError for what is no such configuration."""
        try:
            if config["version"] != _VERSION:
                raise FormatError(
                    f"The preprocessing of a table is known up to version {_VERSION}; received version "
                    f"{config['version']!r}. Install a newer Brickwork."
                )
            columns = tuple(_column(dict(one)) for one in config["columns"])
            target = config["target"]
            made = None if target is None else TargetColumn(**_tuples(target, "class_names"))
            if made is not None and made.task not in (CLASSIFICATION, REGRESSION):
                raise ValueError(made.task)
            left_out = tuple((str(name), str(reason)) for name, reason in config["left_out"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            if isinstance(error, FormatError):
                raise
            raise FormatError(
                "Expected the preprocessing of a table, as TableEncoder.get_config tells it; received "
                f"something else ({type(error).__name__}: {error}). Save the model again."
            ) from None
        return cls(columns, made, left_out)


def _plain(column: Any) -> dict[str, Any]:
    return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(column).items()}


def _tuples(config: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {**config, key: tuple(str(word) for word in config[key])}


def _column(config: dict[str, Any]) -> Column:
    kind = config.pop("kind")
    if kind == "categorical":
        return CategoricalColumn(**_tuples(config, "categories"))
    if kind != "numeric":
        raise ValueError(kind)
    column = NumericColumn(**config)
    if not np.isfinite([column.median, column.mean, column.scale]).all() or column.scale <= 0:
        raise ValueError(column)
    return column
