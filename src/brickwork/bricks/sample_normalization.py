"""Bricks that normalize every sample by its own statistics, so that a batch of one is like any other."""

from __future__ import annotations

from collections.abc import Mapping

from ..arguments import Either, Flag, Many, Real, Whole, argument, configured
from ..arrays import Array, Shape, namespace
from ..errors import ParameterError, ShapeError
from ..initializers import Ones, Zeros
from .base import Brick, Context, ParameterSpec, Saved, letters
from .checks import known_size, require_axis

Axes = tuple[int, ...]


@configured(frozen=True, eq=True)
class _AlongAxes(Brick):
    """What the bricks share whose statistics run along `axis`."""

    axis: tuple[int, ...] = argument(Many(Whole()), default=(-1,))

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.axis:
            raise ParameterError(
                f"{type(self).__name__}: `axis` must name one axis or more; got axis=(). Write axis=(-1,)."
            )

    def output_shape(self, x: Shape) -> Shape:
        self.axes(x)
        return x

    def axes(self, x: Shape) -> Axes:
        """The axes along which the statistics run, counted from 0, in order."""
        repair = "A sample's own axes come after the batch axis."
        return tuple(sorted({require_axis(self, axis, x, repair=repair) for axis in self.axis}))

    def _sizes(self, x: Shape) -> tuple[int, ...]:
        return tuple(known_size(self, x, axis) for axis in self.axes(x))

    def _along(self, parameter: Array, x: Array) -> Array:
        """A parameter so shaped that it broadcasts over x."""
        axes = self.axes(x.shape)
        return namespace(x).reshape(
            parameter, tuple(size if axis in axes else 1 for axis, size in enumerate(x.shape))
        )

    def _sum(self, x: Array) -> Array:
        """Sum over all axes but those of the parameters."""
        axes = self.axes(x.shape)
        return namespace(x).sum(x, axis=tuple(axis for axis in range(x.ndim) if axis not in axes))


@configured(frozen=True, eq=True)
class LayerNormalization(_AlongAxes):
    """Each sample with the mean 0 and the variance 1 along `axis`, then a learned gain and shift.

    Forward    z = (x - mean) / sqrt(var + epsilon)     y = gamma * z + beta
    Backward   dgamma = Σ dy * z     dbeta = Σ dy     dz = gamma * dy
               dx = (dz - mean(dz) - z * mean(dz * z)) / sqrt(var + epsilon)
    Shapes     x, y, z, dx, dy: (N, ..., F)   gamma, dgamma, beta, dbeta: the sizes of `axis`

    mean and var run along `axis`, for each sample and place by itself; var is divided by the count. Nothing
    differs between training and inference.

    Parameters
    ----------
    axis : the axes along which the statistics run, not the batch axis; default (-1,).
    epsilon : above 0; default 0.001.
    center : whether there is a beta; default True.
    scale : whether there is a gamma; default True.

    >>> import numpy as np
    >>> brick = LayerNormalization(epsilon=1e-9, center=False, scale=False)
    >>> brick(np.array([[1.0, 3.0], [10.0, 30.0]])).round(3)
    array([[-1.,  1.],
           [-1.,  1.]])

    Ba, Kiros and Hinton, "Layer Normalization", 2016.
    """

    epsilon: float = argument(Real(0.0, low_open=True), default=1e-3, kw_only=True)
    center: bool = argument(Flag(), default=True, kw_only=True)
    scale: bool = argument(Flag(), default=True, kw_only=True)

    def parameters(self, x: Shape) -> dict[str, ParameterSpec]:
        gamma = {"gamma": ParameterSpec(self._sizes(x), Ones())} if self.scale else {}
        beta = {"beta": ParameterSpec(self._sizes(x), Zeros())} if self.center else {}
        return {**gamma, **beta}

    def forward(self, params: Mapping[str, Array], x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        z, inverse = _standardized(x, self.axes(x.shape), self.epsilon)
        y = z * self._along(params["gamma"], x) if self.scale else z
        return (y + self._along(params["beta"], x) if self.center else y), (z, inverse)

    def backward(
        self, params: Mapping[str, Array], saved: Saved, dy: Array
    ) -> tuple[tuple[Array], dict[str, Array]]:
        z, inverse = saved
        dz = dy * self._along(params["gamma"], dy) if self.scale else dy
        found = {"gamma": self._sum(dy * z)} if self.scale else {}
        found = {**found, "beta": self._sum(dy)} if self.center else found
        return (_handed_on(dz, z, inverse, self.axes(dy.shape)),), found


@configured(frozen=True, eq=True)
class GroupNormalization(Brick):
    """Each sample's channels, in groups, with the mean 0 and the variance 1; then a learned gain and shift.

    Forward    z = (x - mean) / sqrt(var + epsilon)     y = gamma * z + beta
    Backward   dgamma = Σ dy * z     dbeta = Σ dy     dz = gamma * dy
               dx = (dz - mean(dz) - z * mean(dz * z)) / sqrt(var + epsilon)
    Shapes     x, y, z, dx, dy: (N, ..., C)   gamma, dgamma, beta, dbeta: (C,)

    mean and var run over the numbers of one group of one sample: all places, and C / groups channels side by
    side. With one group and no places this is layer normalization, with C groups instance normalization.

    Parameters
    ----------
    groups : how many; a divisor of C, or -1 for C groups; default 32.
    axis : the channels' axis, not the batch axis; default -1.
    epsilon : above 0; default 0.001.
    center : whether there is a beta; default True.
    scale : whether there is a gamma; default True.

    >>> import numpy as np
    >>> brick = GroupNormalization(2, epsilon=1e-9, center=False, scale=False)
    >>> brick(np.array([[1.0, 3.0, 10.0, 30.0]])).round(3)
    array([[-1.,  1., -1.,  1.]])

    Wu and He, "Group Normalization", 2018.
    """

    groups: int = argument(Either((Whole(1), Whole(-1, -1))), default=32)
    axis: int = argument(Whole(), default=-1)
    epsilon: float = argument(Real(0.0, low_open=True), default=1e-3, kw_only=True)
    center: bool = argument(Flag(), default=True, kw_only=True)
    scale: bool = argument(Flag(), default=True, kw_only=True)

    def output_shape(self, x: Shape) -> Shape:
        self.count(x)
        return x

    def parameters(self, x: Shape) -> dict[str, ParameterSpec]:
        shape = (known_size(self, x, self._axis(x)),)
        gamma = {"gamma": ParameterSpec(shape, Ones())} if self.scale else {}
        beta = {"beta": ParameterSpec(shape, Zeros())} if self.center else {}
        return {**gamma, **beta}

    def count(self, x: Shape) -> int:
        """How many groups there are for this x."""
        channels = known_size(self, x, self._axis(x))
        groups = channels if self.groups == -1 else self.groups
        if channels % groups:
            raise ShapeError(
                f"GroupNormalization with {groups} groups takes x whose axis {self.axis} they divide; it "
                f"received {letters(x)}, there {channels}. Take a divisor of {channels} for `groups`."
            )
        return groups

    def forward(self, params: Mapping[str, Array], x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        grouped = self._grouped(x)
        z, inverse = _standardized(grouped, self._others(grouped), self.epsilon)
        y = z * self._along(params["gamma"], x) if self.scale else z
        y = y + self._along(params["beta"], x) if self.center else y
        return namespace(x).reshape(y, x.shape), (z, inverse)

    def backward(
        self, params: Mapping[str, Array], saved: Saved, dy: Array
    ) -> tuple[tuple[Array], dict[str, Array]]:
        z, inverse = saved
        grouped = self._grouped(dy)
        dz = grouped * self._along(params["gamma"], dy) if self.scale else grouped
        found = {"gamma": self._sum(grouped * z, dy)} if self.scale else {}
        found = {**found, "beta": self._sum(grouped, dy)} if self.center else found
        dx = _handed_on(dz, z, inverse, self._others(grouped))
        return (namespace(dy).reshape(dx, dy.shape),), found

    def _axis(self, x: Shape) -> int:
        return require_axis(self, self.axis, x, repair="Name the axis of the channels.")

    def _grouped(self, x: Array) -> Array:
        """The channels' axis in two: groups, and channels of a group."""
        axis, groups = self._axis(x.shape), self.count(x.shape)
        shape = (*x.shape[:axis], groups, x.shape[axis] // groups, *x.shape[axis + 1 :])
        return namespace(x).reshape(x, shape)

    def _others(self, grouped: Array) -> Axes:
        axis = self._axis(grouped.shape[1:])
        return tuple(each for each in range(1, grouped.ndim) if each != axis)

    def _along(self, parameter: Array, x: Array) -> Array:
        axis, groups = self._axis(x.shape), self.count(x.shape)
        after = (1,) * (x.ndim - 1 - axis)
        return namespace(x).reshape(parameter, (groups, parameter.shape[0] // groups, *after))

    def _sum(self, grouped: Array, x: Array) -> Array:
        axis = self._axis(x.shape)
        others = tuple(each for each in range(grouped.ndim) if each not in (axis, axis + 1))
        return namespace(x).reshape(namespace(x).sum(grouped, axis=others), (x.shape[axis],))


@configured(frozen=True, eq=True)
class RMSNormalization(_AlongAxes):
    """Each sample with the mean square 1 along `axis`, then a learned gain: no mean is taken off.

    Forward    z = x / sqrt(mean(x²) + epsilon)     y = gamma * z
    Backward   dgamma = Σ dy * z     dz = gamma * dy
               dx = (dz - z * mean(dz * z)) / sqrt(mean(x²) + epsilon)
    Shapes     x, y, z, dx, dy: (N, ..., F)   gamma, dgamma: the sizes of `axis`

    Parameters
    ----------
    axis : the axes along which the mean runs, not the batch axis; default (-1,).
    epsilon : above 0; default 1e-6.

    >>> import numpy as np
    >>> RMSNormalization(epsilon=1e-9)(np.array([[7.0, 1.0]]), params={"gamma": np.ones(2)}).round(3)
    array([[1.4, 0.2]])

    Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019.
    """

    epsilon: float = argument(Real(0.0, low_open=True), default=1e-6, kw_only=True)

    def parameters(self, x: Shape) -> dict[str, ParameterSpec]:
        return {"gamma": ParameterSpec(self._sizes(x), Ones())}

    def forward(self, params: Mapping[str, Array], x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        xp = namespace(x)
        square = xp.mean(x * x, axis=self.axes(x.shape), keepdims=True)
        inverse = 1.0 / xp.sqrt(square + self.epsilon)
        z = x * inverse
        return z * self._along(params["gamma"], x), (z, inverse)

    def backward(
        self, params: Mapping[str, Array], saved: Saved, dy: Array
    ) -> tuple[tuple[Array], dict[str, Array]]:
        z, inverse = saved
        dz = dy * self._along(params["gamma"], dy)
        pull = z * namespace(dy).mean(dz * z, axis=self.axes(dy.shape), keepdims=True)
        return ((dz - pull) * inverse,), {"gamma": self._sum(dy * z)}


SMALLEST_NORM = 1e-12
"""Vectors that are shorter are divided by this, as Keras does it."""


@configured(frozen=True, eq=True)
class UnitNormalization(_AlongAxes):
    """Each sample with the 2-norm 1 along `axis`.

    Forward    y  = x / d     d = max(sqrt(Σ x²), 1e-12)
    Backward   dx = (dy - y * Σ(dy * y)) / d     or dy / d where d is 1e-12
    Shapes     x, y, dx, dy: (N, ..., F), equal

    Parameters
    ----------
    axis : the axes along which the sum runs, not the batch axis; default (-1,).

    >>> import numpy as np
    >>> UnitNormalization()(np.array([[3.0, 4.0], [0.0, 0.0]]))
    array([[0.6, 0.8],
           [0. , 0. ]])

    Salton, Wong and Yang, "A Vector Space Model for Automatic Indexing", 1975.
    """

    def forward(self, params: Mapping[str, Array], x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        xp = namespace(x)
        square = xp.sum(x * x, axis=self.axes(x.shape), keepdims=True)
        least = SMALLEST_NORM * SMALLEST_NORM
        inverse = 1.0 / xp.sqrt(xp.maximum(square, least))
        bent = xp.astype(square > least, x.dtype)
        y = x * inverse
        return y, (y, inverse, bent)

    def backward(
        self, params: Mapping[str, Array], saved: Saved, dy: Array
    ) -> tuple[tuple[Array], dict[str, Array]]:
        y, inverse, bent = saved
        along = namespace(dy).sum(dy * y, axis=self.axes(dy.shape), keepdims=True)
        return ((dy - y * (along * bent)) * inverse,), {}


def _standardized(x: Array, axes: Axes, epsilon: float) -> tuple[Array, Array]:
    """Z and 1 / sqrt(var + epsilon)."""
    xp = namespace(x)
    centred = x - xp.mean(x, axis=axes, keepdims=True)
    inverse = 1.0 / xp.sqrt(xp.mean(centred * centred, axis=axes, keepdims=True) + epsilon)
    return centred * inverse, inverse


def _handed_on(dz: Array, z: Array, inverse: Array, axes: Axes) -> Array:
    """Dx from dz: what would change mean or variance is taken off."""
    xp = namespace(dz)
    pull = z * xp.mean(dz * z, axis=axes, keepdims=True)
    return (dz - xp.mean(dz, axis=axes, keepdims=True) - pull) * inverse
