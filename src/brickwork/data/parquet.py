"""Parquet files, read by columns and batches of rows with pyarrow, which is an extra."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DataError, FormatError
from ..files import explained
from .cells import Cells
from .tables import BLOCK_ROWS, Block, Table, cell_text


class ParquetTable(Table):
    """A Parquet file. Columns of lists and records are not columns of this table; `skipped` names them.

    Raises DataError where pyarrow is not installed, FormatError where the file is no whole Parquet file.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.name = str(path)
        with explained(path, "read"), open(path, "rb"):
            pass
        self._file = self._open()
        schema = self._file.schema_arrow
        kinds = {name: _kind(schema.field(place).type) for place, name in enumerate(schema.names)}
        if len(kinds) != len(schema.names):
            raise DataError(
                f"{path}: expected a name of its own for each column; a name is there twice. Rename it."
            )
        self.skipped = tuple(name for name, kind in kinds.items() if kind == "nested")
        self._kinds = kinds
        self.columns = tuple(name for name in kinds if name not in self.skipped)

    def _open(self) -> Any:
        try:
            import pyarrow.parquet as parquet
        except ImportError:
            raise DataError(
                f"{self.path}: reading Parquet needs pyarrow, which is not installed. Install it: "
                f"pip install 'brickwork[parquet]', or save the table as .csv."
            ) from None
        try:
            return parquet.ParquetFile(self.path)
        except Exception as error:
            raise self._damaged(error) from None

    def _damaged(self, error: Exception) -> FormatError:
        return FormatError(
            f"{self.path}: expected a whole Parquet file; received one that is foreign, truncated or damaged "
            f"({type(error).__name__}: {str(error)[:100]}). Write it again."
        )

    def blocks(self, columns: Sequence[str] | None = None) -> Iterator[Block]:
        """The cells of these columns, or of all."""
        wanted = list(columns or self.columns)
        first = 0
        batches = self._file.iter_batches(batch_size=BLOCK_ROWS, columns=wanted)
        while True:
            try:
                batch = next(batches, None)
                if batch is None:
                    return
                cells = {name: _cells(batch.column(name), self._kinds[name]) for name in wanted}
            except Exception as error:
                raise self._damaged(error) from None
            yield Block(cells, first, batch.num_rows)
            first += batch.num_rows


def _kind(type_: Any) -> str:
    import pyarrow.types as types

    if types.is_nested(type_):
        return "nested"
    if (
        types.is_integer(type_)
        or types.is_floating(type_)
        or types.is_boolean(type_)
        or types.is_decimal(type_)
    ):
        return "numbers"
    return "texts"


def _cells(column: Any, kind: str) -> Cells:
    if kind == "texts":
        return [cell_text(value) for value in column.to_pylist()]
    if str(column.type) == "bool":
        column = column.cast("int8")
    return np.array(column.cast("float64").to_numpy(zero_copy_only=False), np.float64)
