"""Where batches come from: arrays of any dtype and stride, in memory, memory-mapped, or read row by row.

Conversion happens when rows are gathered, so that uint8 images are never copied whole to float32.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

import numpy as np

from ..arrays import Array
from ..structs import struct
from .rows import LazyRows, by_parts

Batch = dict[str, Array]
"""Graph input -> rows, in the dtype that the graph asks for."""


@struct(frozen=True)
class ArraySource:
    """Rows of several arrays that belong together.

    `arrays` maps graph inputs to arrays or LazyRows of equal length, or to None for a column of ones
    (weights); large mapped files become LazyRows. `dtypes` maps graph inputs to the dtype they are handed out
    in.
    """

    arrays: Mapping[str, Any]
    dtypes: Mapping[str, str]
    rows: int = field(default=-1)

    def __post_init__(self) -> None:
        object.__setattr__(self, "arrays", {name: by_parts(array) for name, array in self.arrays.items()})
        if self.rows < 0:
            lengths = [len(array) for array in self.arrays.values() if array is not None]
            object.__setattr__(self, "rows", lengths[0] if lengths else 0)

    def __len__(self) -> int:
        return self.rows

    def gather(self, rows: Array | slice) -> Batch:
        """The named rows of every array, converted."""
        count = len(range(*rows.indices(self.rows))) if isinstance(rows, slice) else len(rows)
        batch = {}
        for name, array in self.arrays.items():
            if array is None:
                batch[name] = np.ones(count, self.dtypes[name])
            else:
                batch[name] = np.ascontiguousarray(np.asarray(array[rows]), self.dtypes[name])
        return batch

    def slice(self, start: int, stop: int) -> ArraySource:
        """The rows from `start` to `stop` as a source of their own; arrays are not copied."""
        return ArraySource(
            {name: _part(array, slice(start, stop)) for name, array in self.arrays.items()},
            self.dtypes,
            max(0, min(stop, self.rows) - start),
        )


def _part(array: Any, rows: slice) -> Any:
    if array is None:
        return None
    return array.select(rows) if isinstance(array, LazyRows) else array[rows]
