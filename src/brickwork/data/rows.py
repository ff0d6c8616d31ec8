"""Rows that are read when they are asked for: splits and orders of data larger than memory.

Such an object has the shape, dtype and length of an array, and gives out rows as NumPy arrays; the whole is
never copied. What trains on arrays trains on these.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import DataError, ShapeError
from .mapped import MappedRows

Array = npt.NDArray[Any]

LARGEST_COPY = 1 << 30
"""Bytes of mapped data that `numpy.asarray` may bring into memory."""

COPIED_BELOW = 1 << 26
"""Bytes up to which an array is brought into memory, and copied where its rows are taken in another order."""


class LazyRows:
    """Base of data whose rows are read when they are asked for; a subclass writes `read`.

    Parameters
    ----------
    shape : (N, …), the shape that the rows would have as one array.
    dtype : of the rows.
    """

    def __init__(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> None:
        self.shape = tuple(shape)
        self.dtype = np.dtype(dtype)

    def read(self, rows: Array) -> Array:
        """The rows with these numbers, each in 0 … N − 1, in this order, as a new array."""
        raise NotImplementedError

    @property
    def ndim(self) -> int:
        """Count of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Count of numbers."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes that the rows would take as one array."""
        return self.size * self.dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> Array:
        if isinstance(key, tuple):
            if key and key[0] is Ellipsis:
                given = sum(part is not None for part in key) - 1
                key = (*[slice(None)] * (self.ndim - given), *key[1:])
            rows, *inside = key or (slice(None),)
            taken = self[rows]
            is_one = not isinstance(rows, slice) and np.ndim(rows) == 0
            return np.asarray(taken[tuple(inside)] if is_one else taken[(slice(None), *inside)])
        if isinstance(key, slice) or key is Ellipsis:
            key = slice(None) if key is Ellipsis else key
            return self.read(np.arange(*key.indices(len(self))))
        if np.ndim(key) == 0:
            return np.asarray(self.read(numbered(np.array([operator.index(key)]), len(self)))[0])
        return self.read(numbered(np.asarray(key), len(self)))

    def select(self, rows: Any) -> Rows:
        """A view of some rows, named by numbers, a slice or a mask; nothing is read."""
        return Rows(self, rows)

    def reshape(self, *shape: Any) -> LazyRows:
        """The same rows, each in another shape; the first axis stays."""
        wanted = tuple(shape[0]) if len(shape) == 1 and np.ndim(shape[0]) else shape
        inside = math.prod(self.shape[1:])
        if wanted and wanted[0] == -1:
            wanted = (len(self), *wanted[1:])
        if -1 in wanted[1:]:
            known = math.prod(size for size in wanted[1:] if size != -1)
            wanted = tuple(inside // max(known, 1) if size == -1 else size for size in wanted)
        if not wanted or wanted[0] != len(self) or math.prod(wanted[1:]) != inside:
            raise ShapeError(
                f"Rows of shape {self.shape} can be reshaped within a row only; received {tuple(shape)}. "
                f"Keep the first axis {len(self)} and {inside} numbers in each row."
            )
        return Rows(self, tail=wanted[1:])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        if self.nbytes > LARGEST_COPY:
            raise DataError(
                f"These rows, shape {self.shape}, are {self.nbytes / 2**30:.1f} GiB on the disk, and one "
                "array of them would have to fit into memory. Read them by parts: rows[start:stop]."
            )
        whole = self[:]
        return whole if dtype is None else whole.astype(dtype, copy=False)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(shape={self.shape}, dtype={self.dtype})"


class Rows(LazyRows):
    """Some rows of an array in an order of their own, read when they are asked for.

    Parameters
    ----------
    array : an array of any kind that has shape and dtype and gives rows by a slice or an index array: of
        NumPy, memory-mapped, of h5py, or other LazyRows.
    index : numbers of rows, a slice, a mask, or None for all rows.
    tail : the shape of one row, where it is to be another than the array has.

    Rows of a file are read in the order in which they lie there, each once, and nothing of the file stays in
    memory (see `mapped`), so that a training on a large file needs little.

    >>> rows = Rows(np.arange(12).reshape(6, 2), [5, 0, 3])
    >>> rows.shape, rows[1:].tolist()
    ((3, 2), [[0, 1], [6, 7]])
    """

    def __init__(self, array: Any, index: Any = None, *, tail: tuple[int, ...] | None = None) -> None:
        inner = tuple(array.shape[1:]) if tail is None else tail
        positions = None if index is None else _positions(index, len(array))
        mapped: MappedRows | None = None
        while isinstance(array, Rows):  # a view of a view looks at the array itself
            mapped = array._mapped
            if array.index is not None:
                positions = array.index if positions is None else array.index[positions]
            array = array.base
        self.base: Any = array
        self.index: Array | None = positions
        self._mapped: MappedRows | None = MappedRows.find(array) if mapped is None else mapped
        count = len(array) if positions is None else len(positions)
        super().__init__((count, *inner), array.dtype)

    @property
    def is_mapped(self) -> bool:
        """Whether the rows lie in a mapped file, and are read from there."""
        return self._mapped is not None

    def read(self, rows: Array) -> Array:
        """The rows with these numbers, as a new array."""
        places = rows if self.index is None else self.index[rows]
        if type(self.base) is np.ndarray and self._mapped is None:
            taken = self.base[places]
        else:
            taken = self._read_in_order(places)
        return taken.reshape((len(places), *self.shape[1:]))

    def _read_in_order(self, places: Array) -> Array:
        """Each row once, in the order of the file; then as asked for."""
        if len(places) == 0:
            return np.empty((0, *self.base.shape[1:]), self.dtype)
        wanted, back = (places, None) if _is_rising(places) else np.unique(places, return_inverse=True)
        if self._mapped is not None:
            taken = self._mapped.read(wanted)
        elif int(wanted[-1]) - int(wanted[0]) + 1 == len(wanted):
            taken = np.array(self.base[int(wanted[0]) : int(wanted[-1]) + 1], self.dtype)
        else:
            taken = np.array(self.base[wanted], self.dtype)
        return taken if back is None else taken[back]


def numbered(rows: Array, count: int) -> Array:
    """Row numbers in 0 … count − 1 from numbers, negative ones too, or from a mask; IndexError beyond."""
    if rows.dtype.kind == "b":
        if len(rows) != count:
            raise IndexError(f"a mask of {len(rows)} for {count} rows; give one truth value for each row")
        return np.flatnonzero(rows)
    if rows.size == 0:
        return np.empty(0, np.int64)
    if rows.dtype.kind not in "iu" or rows.ndim != 1:
        raise IndexError(f"rows are named by whole numbers, a slice or a mask; received {rows.dtype} numbers")
    outside = (rows < -count) | (rows >= count)
    if outside.any():
        raise IndexError(f"row {rows[outside][0]} of {count}; rows are numbered 0 … {count - 1}")
    return np.where(rows < 0, rows + count, rows).astype(np.int64, copy=False)


def take_rows(array: Any, rows: Any) -> Any:
    """Some rows of an array: copied where it is small, else a view of it."""
    if isinstance(array, LazyRows):
        return array.select(rows)
    return Rows(array, rows) if array.nbytes > COPIED_BELOW else np.array(array[rows])


def by_parts(array: Any) -> Any:
    """What lies in a large mapped file as Rows, which keep it out of memory; anything else as it is."""
    large = isinstance(array, np.ndarray) and array.ndim > 0 and array.nbytes > COPIED_BELOW
    rows = Rows(array) if large else None
    return array if rows is None or not rows.is_mapped else rows


def blocks(array: Any, numbers: int) -> Iterator[tuple[int, Any]]:
    """(first row, rows) of an array of any kind, about so many numbers at a time, and at least one row."""
    array = by_parts(array)
    step = max(1, numbers // max(1, math.prod(array.shape[1:])))
    for start in range(0, len(array), step):
        yield start, array[start : start + step]


def _positions(index: Any, count: int) -> Array:
    if isinstance(index, slice):
        return np.arange(*index.indices(count))
    return numbered(np.asarray(index), count)


def _is_rising(places: Array) -> bool:
    return len(places) == 1 or bool(np.all(places[1:] > places[:-1]))
