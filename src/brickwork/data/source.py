"""Where batches come from: arrays of any dtype and stride, in memory or memory-mapped.

Conversion happens when rows are gathered, so that uint8 images are never copied whole to float32.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..arrays import Array

Batch = dict[str, Array]
"""Graph input -> rows, in the dtype that the graph asks for."""


@dataclass(frozen=True)
class ArraySource:
    """Rows of several arrays that belong together.

    `arrays` maps graph inputs to arrays of equal length, or to None for a column of ones (weights);
    `dtypes` maps graph inputs to the dtype they are handed out in.
    """

    arrays: Mapping[str, Any]
    dtypes: Mapping[str, str]
    rows: int = field(default=-1)

    def __post_init__(self) -> None:
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

    def batches(self, batch_size: int) -> Iterator[Batch]:
        """All rows, batch by batch, in their order."""
        for start in range(0, len(self), batch_size):
            yield self.gather(slice(start, start + batch_size))

    def slice(self, start: int, stop: int) -> ArraySource:
        """The rows from `start` to `stop` as a source of their own; arrays are not copied."""
        arrays = {name: None if array is None else array[start:stop] for name, array in self.arrays.items()}
        return ArraySource(arrays, self.dtypes, max(0, min(stop, self.rows) - start))
