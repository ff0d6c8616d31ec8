"""Rows of an array in a mapped file, read so that the file never piles up in memory.

A page that is touched through a map counts as memory of the process, and systems map up to 2 MiB around it:
rows far apart soon bring in all of a file. So rows are read from the file itself, which maps nothing. Where
that cannot be, they are read through the map, and its pages are given back in between.
"""

from __future__ import annotations

import math
import mmap
import os
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import DataError

Array = npt.NDArray[Any]

_RELEASE_AFTER = 1 << 25
"""Bytes of a map that are touched before its pages are given back."""

_AROUND = 1 << 21
"""Bytes that the system maps at most around a number that is touched."""


class MappedRows:
    """The rows of an array whose numbers lie in a mapped file.

    Parameters
    ----------
    array : the array, or a view of one, that `numpy.memmap` made; see `find`.
    file : the memmap at its root.
    """

    def __init__(self, array: Array, file: np.memmap[Any, Any]) -> None:
        self.array = array
        self._map: mmap.mmap = file._mmap  # type: ignore[attr-defined]
        self._touched = 0
        self._row_bytes = math.prod(array.shape[1:]) * array.dtype.itemsize
        self._begin, self._number = -1, -1
        if array.size and array[:1].flags.c_contiguous and array.strides[0] >= self._row_bytes:
            self._open(file.filename)

    @staticmethod
    def find(array: Any) -> MappedRows | None:
        """The rows of an array in a mapped file; None for other arrays.

        None also for a map whose changes are private: they are lost when pages are given back, and are not in
        the file.
        """
        step = array
        while isinstance(step, np.ndarray):
            if isinstance(step, np.memmap):
                is_map = isinstance(getattr(step, "_mmap", None), mmap.mmap)
                kept = is_map and step.mode != "c" and hasattr(mmap, "MADV_DONTNEED")
                return MappedRows(array, step) if kept else None
            step = step.base
        return None

    def read(self, wanted: Array) -> Array:
        """The rows with these numbers, which rise, as a new array. DataError where the file has shrunk."""
        taken: Array = np.empty((len(wanted), *self.array.shape[1:]), self.array.dtype)
        lie_together = int(wanted[-1]) - int(wanted[0]) + 1 == len(wanted)
        if self._number >= 0:
            self._from_file(wanted, lie_together, taken)
        else:
            self._through_map(wanted, lie_together, taken)
        return taken

    def _from_file(self, wanted: Array, lie_together: bool, taken: Array) -> None:
        stride, size = self.array.strides[0], self._row_bytes
        if lie_together and stride == size:
            starts, size = wanted[:1], taken.nbytes
        else:
            starts = wanted
        content = memoryview(taken.reshape(-1).view(np.uint8))  # type: ignore[arg-type]
        for index, place in enumerate((starts * stride + self._begin).tolist()):
            _fill(self._number, content[index * size : (index + 1) * size], place)

    def _through_map(self, wanted: Array, lie_together: bool, taken: Array) -> None:
        shape, strides = self.array.shape, self.array.strides
        if lie_together:
            touched = _touched((len(wanted), *shape[1:]), strides) / len(wanted)
        else:
            touched = _touched(shape[1:], strides[1:])
        step = max(1, int(_RELEASE_AFTER / touched))
        for start in range(0, len(wanted), step):
            some = wanted[start : start + step]
            key = slice(int(some[0]), int(some[-1]) + 1) if lie_together else some
            taken[start : start + step] = self.array[key]
            self._touched += math.ceil(len(some) * touched)
            if self._touched >= _RELEASE_AFTER:
                self._touched = 0
                self._map.madvise(mmap.MADV_DONTNEED)

    def _open(self, path: Any) -> None:
        """Open the file where it is the one that is mapped; another may lie in its place by now."""
        address = self.array.__array_interface__["data"][0]
        found = _mapping(address)
        if path is None or found is None or not hasattr(os, "preadv"):
            return
        place, device, inode = found
        try:
            number = os.open(path, os.O_RDONLY)
        except OSError:
            return
        weakref.finalize(self, os.close, number)
        status = os.fstat(number)
        if (os.major(status.st_dev), os.minor(status.st_dev), status.st_ino) == (*device, inode):
            self._number, self._begin = number, place


def _mapping(address: int) -> tuple[int, tuple[int, int], int] | None:
    """(place in the file, its device, its inode) of what is mapped at an address, where the system tells."""
    try:
        lines = Path("/proc/self/maps").read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        span, _, offset, device, inode, *_ = line.split()
        first, last = (int(end, 16) for end in span.split("-"))
        if first <= address < last:
            major, minor = (int(part, 16) for part in device.split(":"))
            return int(offset, 16) + address - first, (major, minor), int(inode)
    return None


def _fill(number: int, content: memoryview, place: int) -> None:
    """Fill a buffer from a place in a file; the system may give less than was asked for."""
    while len(content):
        count = os.preadv(number, [content], place)
        if count == 0:
            raise DataError(
                f"A mapped file must stay as long as it was; it ends before byte {place + len(content):,} "
                f"now. Write it again, and leave it alone while it is read."
            )
        content, place = content[count:], place + count


def _touched(shape: tuple[int, ...], strides: tuple[int, ...]) -> int:
    """Bytes that the system maps at most when numbers of this shape and these strides are read."""
    places = (
        min(size, size * abs(stride) // _AROUND + 1) for size, stride in zip(shape, strides, strict=True)
    )
    return math.prod(places) * _AROUND
