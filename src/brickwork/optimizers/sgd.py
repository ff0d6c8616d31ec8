"""Gradient descent on mini-batches, with momentum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ..arguments import Flag, argument, configured
from ..arrays import Array
from .base import NAME, Arrays, Optimizer
from .settings import MOMENTUM, RATE, Scheduled, like


@configured()
class SGD(Optimizer):
    """Stochastic gradient descent.

    w <- w - lr g; with momentum m <- momentum m - lr g, w <- w + m; with Nesterov's look-ahead
    w <- w + momentum m - lr g, m being the new one (Sutskever and others 2013; as in Keras 3, PyTorch keeps
    -m / lr instead).

    Parameters
    ----------
    learning_rate : number of at least 0, or a schedule; default 0.01
    momentum : in [0, 1], or a schedule such as `schedules.GrowingMomentum`; default 0.0
    nesterov : bool, default False
    weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
    gradient_accumulation_steps, name : see `Optimizer`; by name

    >>> import numpy as np
    >>> sgd = SGD(learning_rate=0.1)
    >>> params, slots = sgd.update({"w": np.array(1.0)}, {"w": np.array(2.0)}, {}, t=1, lr=sgd.rate(0))
    >>> float(params["w"])
    0.8
    """

    scheduled: ClassVar[Mapping[str, Scheduled]] = {"learning_rate": RATE, "momentum": MOMENTUM}

    learning_rate: Any = argument(RATE, default=0.01)
    momentum: Any = argument(MOMENTUM, default=0.0)
    nesterov: bool = argument(Flag(), default=False)
    name: str | None = argument(NAME, default="sgd", kw_only=True)

    @property
    def slot_names(self) -> tuple[str, ...]:
        """The momentum, unless it is always 0."""
        return ("momentum",) if self.momentum else ()

    def step(self, w: Array, g: Array, slots: Mapping[str, Array], t: Any, lr: Any) -> tuple[Array, Arrays]:
        """One parameter after step t, and its momentum."""
        change = g * -lr
        if "momentum" not in slots:
            change += w
            return change, {}
        momentum = like(self.momentum, w)
        m = slots["momentum"] * momentum
        m += change
        if not self.nesterov:
            return w + m, {"momentum": m}
        change += m * momentum
        change += w
        return change, {"momentum": m}
