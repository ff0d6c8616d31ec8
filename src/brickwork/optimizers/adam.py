"""Gradient descent with a rate of its own for each parameter, from running moments of the gradient."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ..arguments import Flag, Real, argument, configured
from ..arrays import Array, namespace
from .base import DECAY, LIMIT, NAME, RATE, Arrays, Optimizer, one_minus_power


@configured()
class Adam(Optimizer):
    """Adaptive moments (Kingma, Ba 2015), in Keras 3's form.

    m <- m + (1 - beta_1)(g - m), v <- v + (1 - beta_2)(g^2 - v),
    w <- w - lr sqrt(1 - beta_2^t) / (1 - beta_1^t) m / (sqrt(v) + epsilon).
    Epsilon stands before the correction of v; PyTorch's 1e-8 stands after it. With `amsgrad`, the largest v
    so far takes the place of v (Reddi and others 2018).

    Parameters
    ----------
    learning_rate : number of at least 0, or a schedule; default 0.001
    beta_1 : in [0, 1), default 0.9
    beta_2 : in [0, 1), default 0.999
    epsilon : number above 0, default 1e-7
    amsgrad : bool, default False
    weight_decay : None (default) or number of at least 0, see `Optimizer`
    clipnorm, clipvalue, global_clipnorm : None (default) or number above 0, at most one; see `Optimizer`
    name : str, default "adam"

    >>> import numpy as np
    >>> adam = Adam()
    >>> params = {"w": np.array([1.0, 1.0])}
    >>> params, slots = adam.update(params, {"w": np.array([2.0, -0.5])}, adam.slots(params), t=1, lr=0.1)
    >>> params["w"].round(4).tolist()
    [0.9, 1.1]
    """

    learning_rate: Any = argument(RATE, default=0.001)
    beta_1: float = argument(Real(0.0, 1.0, high_open=True), default=0.9)
    beta_2: float = argument(Real(0.0, 1.0, high_open=True), default=0.999)
    epsilon: float = argument(Real(0.0, low_open=True), default=1e-7)
    amsgrad: bool = argument(Flag(), default=False)
    weight_decay: float | None = argument(DECAY, default=None)
    clipnorm: float | None = argument(LIMIT, default=None)
    clipvalue: float | None = argument(LIMIT, default=None)
    global_clipnorm: float | None = argument(LIMIT, default=None)
    name: str | None = argument(NAME, default="adam")

    @property
    def slot_names(self) -> tuple[str, ...]:
        """Both running moments, and with `amsgrad` the largest second one."""
        return ("momentum", "velocity") + (("velocity_hat",) if self.amsgrad else ())

    def step(self, w: Array, g: Array, slots: Mapping[str, Array], t: Any, lr: Any) -> tuple[Array, Arrays]:
        """One parameter after step t, and its moments."""
        xp = namespace(w)
        second = one_minus_power(self.beta_2, t)
        root = math.sqrt(second) if isinstance(second, float) else xp.sqrt(second)
        alpha = lr * root / one_minus_power(self.beta_1, t)

        m = g - slots["momentum"]
        m *= 1 - self.beta_1
        m += slots["momentum"]
        v = g * g
        v -= slots["velocity"]
        v *= 1 - self.beta_2
        v += slots["velocity"]
        new = {"momentum": m, "velocity": v}
        if self.amsgrad:
            new["velocity_hat"] = v = xp.maximum(v, slots["velocity_hat"])

        divisor = xp.sqrt(v)
        divisor += self.epsilon
        change = m * -alpha
        change /= divisor
        change += w
        return change, new
