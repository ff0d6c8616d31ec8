"""Where parameters and running statistics lie on the native side, and how they get there and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from typing import Any

import numpy as np

from ...arrays import Array
from ...structs import struct
from .values import PARAMETER, STATISTIC, TRANSPOSED, Matrix, Place, Weights, blocks

_ALIGN = 16
"""Each parameter starts on a cache line."""


@struct()
class Layout:
    """Places of all parameters and statistics in the store of a model.

    Kernels of matrix products are packed in blocks of columns; all else is stored as it is. A kernel's packed
    transpose stands in a space of its own.
    """

    widths: tuple[int, ...]
    kernels: dict[str, Weights] = field(default_factory=dict)
    plain: dict[str, Place] = field(default_factory=dict)
    statistics: dict[str, Place] = field(default_factory=dict)
    parameters: int = 0
    transposed: int = 0
    statistic_count: int = 0

    def add_kernel(
        self, key: str, rows: int, columns: int, *, taps: int = 1, groups: int = 1, mirrored: bool = False
    ) -> None:
        """A (taps * rows, columns) kernel, packed, with room for the transposes of its taps."""
        if key in self.kernels:
            return
        packed = Matrix(
            PARAMETER,
            self.parameters,
            taps * rows,
            columns,
            blocks(taps * rows, columns, self.widths, groups),
        )
        self.parameters += _aligned(packed.size)
        # The transpose of a group's columns reads that group alone, so each has blocks of its own.
        turned_rows = taps * columns // groups
        turned = Matrix(
            TRANSPOSED,
            self.transposed,
            turned_rows,
            rows * groups,
            blocks(turned_rows, rows * groups, self.widths, groups),
        )
        self.transposed += _aligned(turned.size)
        self.kernels[key] = Weights(key, packed, turned, taps, groups, mirrored=mirrored)

    def add_winograd(self, key: str, channels: int, filters: int) -> None:
        """Room for the transform of a 3x3 kernel and for its transposes."""
        weights = self.kernels[key]
        if weights.winograd is None:
            self.kernels[key] = replace(
                weights,
                winograd=self._transposed(16 * channels, filters),
                winograd_turned=self._transposed(16 * filters, channels),
            )

    def _transposed(self, rows: int, columns: int) -> Matrix:
        made = Matrix(TRANSPOSED, self.transposed, rows, columns, blocks(rows, columns, self.widths))
        self.transposed += _aligned(made.size)
        return made

    def add_plain(self, key: str, size: int) -> None:
        """A parameter stored as it is."""
        if key not in self.plain and key not in self.kernels:
            self.plain[key] = Place(PARAMETER, self.parameters, size)
            self.parameters += _aligned(size)

    def add_statistic(self, key: str, size: int) -> Place:
        """Room for a running statistic, or for what a batch makes of it."""
        if key not in self.statistics:
            self.statistics[key] = Place(STATISTIC, self.statistic_count, size)
            self.statistic_count += _aligned(size)
        return self.statistics[key]

    def place(self, key: str) -> Place:
        """Where a parameter lies, with the padding of packed ones."""
        if key in self.plain:
            return self.plain[key]
        matrix = self.kernels[key].matrix
        return Place(PARAMETER, matrix.offset, matrix.size)

    # -- numbers in and out -------------------------------------------------------------------------

    def write(self, native: Any, space: Array, arrays: Mapping[str, Array]) -> None:
        """Plain arrays into the space (parameters, gradients or a slot)."""
        for key, array in arrays.items():
            if key in self.kernels:
                native.pack(
                    np.ascontiguousarray(array, np.float32), space, self.kernels[key].matrix.description
                )
            elif key in self.plain:
                place = self.plain[key]
                space[place.offset : place.offset + place.size] = np.ravel(array)

    def read(self, native: Any, space: Array, arrays: Mapping[str, Array]) -> None:
        """Numbers of the space into plain arrays."""
        for key, array in arrays.items():
            if key in self.kernels:
                description = self.kernels[key].matrix.description
                if array.flags.c_contiguous and array.dtype == np.float32:
                    native.unpack(space, array, description)
                else:
                    plain = np.empty(array.shape, np.float32)
                    native.unpack(space, plain, description)
                    array[...] = plain
            elif key in self.plain:
                place = self.plain[key]
                array[...] = space[place.offset : place.offset + place.size].reshape(array.shape)


def _aligned(count: int) -> int:
    return -(-count // _ALIGN) * _ALIGN
