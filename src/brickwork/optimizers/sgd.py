"""Gradient descent on mini-batches, with momentum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..arguments import Flag, Real, argument, configured
from ..arrays import Array
from .base import DECAY, LIMIT, NAME, RATE, Arrays, Optimizer


@configured()
class SGD(Optimizer):
    """Stochastic gradient descent.

    w <- w - lr g; with momentum m <- momentum m - lr g, w <- w + m; with Nesterov's look-ahead
    w <- w + momentum m - lr g, m being the new one (Sutskever and others 2013; as in Keras 3, PyTorch keeps
    -m / lr instead).

    Parameters
    ----------
    learning_rate : number of at least 0, or a schedule; default 0.01
    momentum : in [0, 1], default 0.0
    nesterov : bool, default False
    weight_decay : None (default) or number of at least 0, see `Optimizer`
    clipnorm, clipvalue, global_clipnorm : None (default) or number above 0, at most one; see `Optimizer`
    name : str, default "sgd"

    >>> import numpy as np
    >>> sgd = SGD(learning_rate=0.1)
    >>> params, slots = sgd.update({"w": np.array(1.0)}, {"w": np.array(2.0)}, {}, t=1, lr=sgd.rate(0))
    >>> float(params["w"])
    0.8
    """

    learning_rate: Any = argument(RATE, default=0.01)
    momentum: float = argument(Real(0.0, 1.0), default=0.0)
    nesterov: bool = argument(Flag(), default=False)
    weight_decay: float | None = argument(DECAY, default=None)
    clipnorm: float | None = argument(LIMIT, default=None)
    clipvalue: float | None = argument(LIMIT, default=None)
    global_clipnorm: float | None = argument(LIMIT, default=None)
    name: str | None = argument(NAME, default="sgd")

    @property
    def slot_names(self) -> tuple[str, ...]:
        """The momentum, unless it is 0."""
        return ("momentum",) if self.momentum else ()

    def step(self, w: Array, g: Array, slots: Mapping[str, Array], t: Any, lr: Any) -> tuple[Array, Arrays]:
        """One parameter after step t, and its momentum."""
        change = g * -lr
        if not self.momentum:
            change += w
            return change, {}
        m = slots["momentum"] * self.momentum
        m += change
        if not self.nesterov:
            return w + m, {"momentum": m}
        change += m * self.momentum
        change += w
        return change, {"momentum": m}
