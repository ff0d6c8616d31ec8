"""Bricks that bring activations to a common mean and spread."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ..arguments import Flag, Real, Whole, argument, configured
from ..arrays import Array, Shape, namespace
from ..initializers import Ones, Zeros
from .base import Brick, Context, ParameterSpec, Saved, StateSpec
from .checks import known_size, require_axis


@configured(frozen=True, eq=True)
class BatchNormalization(Brick):
    """Each feature with the mean 0 and the variance 1 over the batch, then a learned gain and shift.

    Forward    z = (x - mean) / sqrt(var + epsilon)     y = gamma * z + beta
    Backward   dgamma = Σ dy * z     dbeta = Σ dy
               dx = gamma / sqrt(var + epsilon) * (dy - dbeta / m - z * dgamma / m)      training
               dx = gamma / sqrt(var + epsilon) * dy                                     inference
    Shapes     x, y, z, dx, dy: (N, ..., F)   gamma, dgamma, beta, dbeta, mean, var: (F,)

    F is the size of `axis`; mean, var and the sums Σ run over the m numbers of each feature in the batch. In
    training mean and var are the batch's, var divided by m; in inference they are running_mean and
    running_var.

    Parameters
    ----------
    axis : the features' axis, not the batch axis; default -1.
    momentum : in [0, 1]; default 0.99: running = momentum * running + (1 - momentum) * the batch's, as Keras
        (PyTorch's momentum is 1 minus this, and its running variance is divided by m - 1).
    epsilon : above 0; default 0.001.
    center : whether there is a beta; default True.
    scale : whether there is a gamma; default True.
    mean_start : what running_mean starts from; default 0.
    var_start : what running_var starts from; at least 0; default 1.

    State
    -----
    running_mean : starts at `mean_start`.
    running_var : starts at `var_start`.

    >>> import numpy as np
    >>> from brickwork.bricks import Context
    >>> params = {"gamma": np.array([2.0]), "beta": np.array([5.0])}
    >>> brick = BatchNormalization(epsilon=1e-9)
    >>> brick(np.array([[1.0], [3.0]]), params=params, ctx=Context(training=True)).round(3)
    array([[3.],
           [7.]])

    Ioffe and Szegedy, "Batch Normalization: Accelerating Deep Network Training by Reducing Internal
    Covariate Shift", 2015.
    """

    axis: int = argument(Whole(), default=-1)
    momentum: float = argument(Real(0.0, 1.0), default=0.99, kw_only=True)
    epsilon: float = argument(Real(0.0, low_open=True), default=1e-3, kw_only=True)
    center: bool = argument(Flag(), default=True, kw_only=True)
    scale: bool = argument(Flag(), default=True, kw_only=True)
    mean_start: float = argument(Real(), default=0.0, kw_only=True)
    var_start: float = argument(Real(0.0), default=1.0, kw_only=True)

    mixes_samples = True

    def output_shape(self, x: Shape) -> Shape:
        self._features(x)
        return x

    def parameters(self, x: Shape) -> dict[str, ParameterSpec]:
        shape = (self._features(x),)
        gamma = {"gamma": ParameterSpec(shape, Ones())} if self.scale else {}
        beta = {"beta": ParameterSpec(shape, Zeros())} if self.center else {}
        return {**gamma, **beta}

    def state(self, x: Shape) -> dict[str, StateSpec]:
        shape = (self._features(x),)
        return {
            "running_mean": StateSpec(shape, self.mean_start),
            "running_var": StateSpec(shape, self.var_start),
        }

    def forward(self, params: Mapping[str, Array], x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        if ctx.training:
            mean = self._sum(x) * (1.0 / self._count(x))
            centred = x - self._along(mean, x)
            var = self._sum(centred * centred) * (1.0 / self._count(x))
            statistics = (mean, var)
        else:
            mean, var = ctx.state["running_mean"], ctx.state["running_var"]
            centred = x - self._along(mean, x)
            statistics = (None, None)
        inverse = 1.0 / namespace(x).sqrt(var + self.epsilon)
        # The few numbers of the features are multiplied first, so that x is walked through once less.
        factor = params["gamma"] * inverse if self.scale else inverse
        y = centred * self._along(factor, x)
        y = y + self._along(params["beta"], x) if self.center else y
        return y, (centred, inverse, *statistics)

    def next_state(self, state: Mapping[str, Array], saved: Saved) -> Mapping[str, Array]:
        _, _, mean, var = saved
        if mean is None:
            return state
        keep, take = self.momentum, 1.0 - self.momentum
        return {
            "running_mean": keep * state["running_mean"] + take * mean,
            "running_var": keep * state["running_var"] + take * var,
        }

    def backward(
        self, params: Mapping[str, Array], saved: Saved, dy: Array
    ) -> tuple[tuple[Array], dict[str, Array]]:
        centred, inverse, mean, _ = saved
        dbeta, dgamma = self._sum(dy), self._sum(dy * centred) * inverse
        factor = params["gamma"] * inverse if self.scale else inverse
        if mean is None:
            dx = dy * self._along(factor, dy)
        else:
            share = 1.0 / self._count(dy)
            pull = self._along(dbeta * share, dy) + centred * self._along(inverse * dgamma * share, dy)
            dx = (dy - pull) * self._along(factor, dy)
        found = {"gamma": dgamma} if self.scale else {}
        return (dx,), {**found, "beta": dbeta} if self.center else found

    def _features(self, x: Shape) -> int:
        repair = "Give each sample its own row, as x of shape (N, F)."
        return known_size(self, x, require_axis(self, self.axis, x, repair=repair))

    def _sum(self, x: Array) -> Array:
        """Sum over all axes but the features'; over the samples first, which is faster and rounds less."""
        xp = namespace(x)
        total = xp.sum(x, axis=0)
        kept = self.axis % x.ndim - 1
        others = tuple(axis for axis in range(total.ndim) if axis != kept)
        return xp.sum(total, axis=others) if others else total

    def _count(self, x: Array) -> int:
        """M, the numbers of each feature in the batch."""
        return math.prod(size for axis, size in enumerate(x.shape) if axis != self.axis % x.ndim)

    def _along(self, statistic: Array, x: Array) -> Array:
        """(F,) so shaped that it broadcasts over x."""
        after = x.ndim - 1 - self.axis % x.ndim
        return namespace(x).reshape(statistic, (-1, *(1,) * after)) if after else statistic
