"""Sums over axes."""

from __future__ import annotations

from collections.abc import Mapping

from ..arguments import Either, Flag, Many, Maybe, Whole, argument, configured
from ..arrays import Array, Shape, namespace
from ..errors import ParameterError, ShapeError
from .base import Brick, Context, Saved, letters
from .checks import axes_text


@configured(frozen=True, eq=True)
class Sum(Brick):
    """Sum over some axes.

    Forward    y  = Σ x over `axis`
    Backward   dx = dy, the same for every number that went into a sum
    Shapes     x, dx: (N, ...)   y, dy: x without those axes, or with size 1 there if `keepdims`

    Parameters
    ----------
    axis : a number or a tuple of numbers; None (default) means all but the batch axis. The batch axis is
        summed over only when it is named as 0.
    keepdims : whether y keeps those axes with size 1; default False.

    >>> import numpy as np
    >>> Sum()(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([3., 7.])

    Griewank and Walther, "Evaluating Derivatives", 2008.
    """

    axis: int | tuple[int, ...] | None = argument(Maybe(Either((Whole(), Many(Whole())))), default=None)
    keepdims: bool = argument(Flag(), default=False, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.axis == ():
            raise ParameterError(
                "Sum: `axis` must name at least one axis; got axis=(). "
                "Write axis=None for all but the batch axis."
            )

    @property
    def mixes_samples(self) -> bool:
        """True where the batch axis is summed over."""
        return self.axis == 0 or (isinstance(self.axis, tuple) and 0 in self.axis)

    def output_shape(self, x: Shape) -> Shape:
        self._check(x)
        axes = self._axes(len(x))
        if self.keepdims:
            return tuple(1 if axis in axes else size for axis, size in enumerate(x))
        return tuple(size for axis, size in enumerate(x) if axis not in axes)

    def forward(self, params: Mapping[str, Array], x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        return namespace(x).sum(x, axis=self._axes(x.ndim), keepdims=self.keepdims), (x,)

    def backward(
        self, params: Mapping[str, Array], saved: Saved, dy: Array
    ) -> tuple[tuple[Array], dict[str, Array]]:
        (x,) = saved
        xp = namespace(dy)
        axes = self._axes(x.ndim)
        kept = tuple(1 if axis in axes else size for axis, size in enumerate(x.shape))
        return (xp.broadcast_to(xp.reshape(dy, kept), x.shape),), {}

    def _axes(self, rank: int) -> tuple[int, ...]:
        """The axes counted from 0."""
        if self.axis is None:
            return tuple(range(1, rank))
        named = self.axis if isinstance(self.axis, tuple) else (self.axis,)
        return tuple(axis % rank for axis in named)

    def _check(self, shape: Shape) -> None:
        rank = len(shape)
        if rank == 0:
            raise ShapeError("Sum takes x with at least 1 axis; it received (). Leave the sum out.")
        named = () if self.axis is None else self.axis if isinstance(self.axis, tuple) else (self.axis,)
        for axis in named:
            if not -rank <= axis < rank or (axis < 0 and axis % rank == 0):
                raise ShapeError(
                    f"Sum takes axes in [{1 - rank}, {rank - 1}] for x of {axes_text(rank)}; it received "
                    f"axis={axis} with {letters(shape)}. Write 0 to sum over the batch axis."
                )
        if len(set(self._axes(rank))) < len(named):
            raise ShapeError(
                f"Sum takes each axis once; it received axis={self.axis} with {letters(shape)}. "
                f"Name each of the {axes_text(rank)} at most once."
            )
