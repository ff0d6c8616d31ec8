"""Features brought to mean 0 and variance 1 by statistics that were found in data and can be found anew."""

from __future__ import annotations

from collections.abc import Mapping

from ..arguments import Flag, Many, Whole, argument, configured
from ..arrays import Array, Shape, namespace
from .base import Brick, Context, Saved, StateSpec
from .checks import known_size, require_axis
from .preprocessing import SMALLEST_DEVIATION


@configured(frozen=True, eq=True)
class Standardization(Brick):
    """Normalization whose numbers are statistics of the network, not fields of the brick.

    Forward    y  = (x - mean) / d     or with invert x * d + mean     d = max(sqrt(variance), 1e-7)
    Backward   dx = dy / d             or with invert dy * d
    Shapes     x, y, dx, dy: (N, ...), equal   mean, variance: the sizes of `axis`

    Nothing is learned and no batch changes the statistics; the layer Normalization sets them from data. They
    broadcast along all axes that are not in `axis`.

    Parameters
    ----------
    axis : axes along which numbers have a mean of their own, not the batch axis; () for one mean for all;
        default (-1,).
    invert : whether to lead back from normalized numbers; default False.

    State
    -----
    mean : starts at 0.
    variance : starts at 1.

    >>> import numpy as np
    >>> from brickwork.bricks import Context
    >>> found = {"mean": np.array([3.0]), "variance": np.array([4.0])}
    >>> Standardization()(np.array([[1.0], [5.0]]), ctx=Context(state=found))
    array([[-1.],
           [ 1.]])

    LeCun, Bottou, Orr and Müller, "Efficient BackProp", 1998 (on scaled inputs).
    """

    axis: tuple[int, ...] = argument(Many(Whole()), default=(-1,))
    invert: bool = argument(Flag(), default=False, kw_only=True)

    def output_shape(self, x: Shape) -> Shape:
        self.kept(x)
        return x

    def state(self, x: Shape) -> dict[str, StateSpec]:
        shape = tuple(known_size(self, x, axis) for axis in self.kept(x))
        return {"mean": StateSpec(shape, 0.0), "variance": StateSpec(shape, 1.0)}

    def forward(self, params: Mapping[str, Array], x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        xp = namespace(x)
        kept = self.kept(x.shape)
        shape = tuple(size if axis in kept else 1 for axis, size in enumerate(x.shape))
        mean = xp.reshape(ctx.state["mean"], shape)
        d = xp.maximum(xp.sqrt(xp.reshape(ctx.state["variance"], shape)), SMALLEST_DEVIATION)
        return (x * d + mean if self.invert else (x - mean) / d), (d,)

    def backward(
        self, params: Mapping[str, Array], saved: Saved, dy: Array
    ) -> tuple[tuple[Array], dict[str, Array]]:
        (d,) = saved
        return (dy * d if self.invert else dy / d,), {}

    def kept(self, x: Shape) -> tuple[int, ...]:
        """The axes that have numbers of their own, counted from 0, in order."""
        repair = "For one mean of all numbers take axis=(), in the layer axis=None."
        return tuple(sorted({require_axis(self, axis, x, repair=repair) for axis in self.axis}))
