"""Gradient descent by signs: steps of one length for all parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..arguments import Real, argument, configured
from ..arrays import Array, namespace
from .base import NAME, Arrays, Optimizer
from .settings import blend


@configured()
class Lion(Optimizer):
    """The sign of a momentum (Chen and others, "Symbolic Discovery of Optimization Algorithms", 2023).

    w <- w - lr sign(beta_1 m + (1 - beta_1) g), then m <- beta_2 m + (1 - beta_2) g. It wants a rate three
    to ten times smaller than Adam's, and a weight decay as many times larger.

    Parameters
    ----------
    learning_rate : number of at least 0, or a schedule; default 0.001
    beta_1 : in (0, 1], default 0.9
    beta_2 : in [0, 1], default 0.99
    weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
    gradient_accumulation_steps, name : see `Optimizer`; by name

    >>> import numpy as np
    >>> lion = Lion()
    >>> params = {"w": np.array([1.0, 1.0])}
    >>> params, slots = lion.update(params, {"w": np.array([2.0, -0.5])}, lion.slots(params), t=1, lr=0.1)
    >>> params["w"].tolist()
    [0.9, 1.1]
    """

    beta_1: float = argument(Real(0.0, 1.0, low_open=True), default=0.9)
    beta_2: float = argument(Real(0.0, 1.0), default=0.99)
    name: str | None = argument(NAME, default="lion", kw_only=True)

    @property
    def slot_names(self) -> tuple[str, ...]:
        """The running mean of the gradient."""
        return ("momentum",)

    def step(self, w: Array, g: Array, slots: Mapping[str, Array], t: Any, lr: Any) -> tuple[Array, Arrays]:
        """One parameter after step t, and its momentum."""
        m = slots["momentum"]
        change = namespace(w).sign(m * self.beta_1 + g * (1 - self.beta_1))
        change *= -lr
        change += w
        return change, {"momentum": blend(m, g, 1 - self.beta_2)}
