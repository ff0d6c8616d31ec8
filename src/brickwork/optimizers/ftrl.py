"""Follow the regularized leader: weights made anew from the sum of all gradients, many of them exactly 0."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ..arguments import Real, argument, configured
from ..arrays import Array, namespace
from .base import NAME, Arrays, Optimizer
from .settings import Scheduled

_RATE = Scheduled(Real(0.0, low_open=True))


@configured()
class Ftrl(Optimizer):
    """Follow the regularized leader, proximal (McMahan and others, "Ad Click Prediction", 2013).

    As in Keras 3, with p = -learning_rate_power, h = g + 2 l2_shrinkage w:
    n' = n + g^2, z <- z + h - (n'^p - n^p) / lr w, q = n'^p / lr + 2 (l2 + beta / (2 lr)),
    w <- (clip(z, -l1, l1) - z) / q, 0 where q is 0; n <- n'.

    Parameters
    ----------
    learning_rate : number above 0, or a schedule; default 0.001
    learning_rate_power : number of at most 0, default -0.5
    initial_accumulator_value : number of at least 0, where n begins; default 0.1
    l1_regularization_strength : number of at least 0, default 0.0
    l2_regularization_strength : number of at least 0, default 0.0
    l2_shrinkage_regularization_strength : number of at least 0, default 0.0
    beta : number of at least 0, default 0.0
    weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
    gradient_accumulation_steps, name : see `Optimizer`; by name

    >>> import numpy as np
    >>> ftrl = Ftrl(l1_regularization_strength=1.0)
    >>> params = {"w": np.array([0.0, 0.0])}
    >>> params, slots = ftrl.update(params, {"w": np.array([2.0, -0.5])}, ftrl.slots(params), t=1, lr=0.1)
    >>> params["w"].round(4).tolist()
    [-0.0494, 0.0]
    """

    scheduled: ClassVar[Mapping[str, Scheduled]] = {"learning_rate": _RATE}

    learning_rate: Any = argument(_RATE, default=0.001)
    learning_rate_power: float = argument(Real(high=0.0), default=-0.5)
    initial_accumulator_value: float = argument(Real(0.0), default=0.1)
    l1_regularization_strength: float = argument(Real(0.0), default=0.0)
    l2_regularization_strength: float = argument(Real(0.0), default=0.0)
    l2_shrinkage_regularization_strength: float = argument(Real(0.0), default=0.0)
    beta: float = argument(Real(0.0), default=0.0)
    name: str | None = argument(NAME, default="ftrl", kw_only=True)

    @property
    def slot_names(self) -> tuple[str, ...]:
        """n, the sum of the squared gradients, and z."""
        return ("accumulator", "linear")

    def first_slot(self, slot: str, w: Array) -> Array:
        """n begins at its initial value, z at 0."""
        return namespace(w).full_like(w, self.initial_accumulator_value if slot == "accumulator" else 0.0)

    def step(self, w: Array, g: Array, slots: Mapping[str, Array], t: Any, lr: Any) -> tuple[Array, Arrays]:
        """One parameter after step t, and its sums."""
        xp = namespace(w)
        n, power = slots["accumulator"], -self.learning_rate_power
        new = g * g + n
        rate = xp.sqrt(new) if power == 0.5 else new**power
        before = xp.sqrt(n) if power == 0.5 else n**power
        z = slots["linear"] + g - w * ((rate - before) / lr)
        if self.l2_shrinkage_regularization_strength:
            z = z + w * (2 * self.l2_shrinkage_regularization_strength)
        q = rate / lr + (2 * self.l2_regularization_strength + self.beta / lr)
        l1 = self.l1_regularization_strength
        divisor = xp.where(q > 0.0, q, xp.ones_like(q))
        w = xp.where(q > 0.0, (xp.clip(z, -l1, l1) - z) / divisor, xp.zeros_like(z))
        return w, {"accumulator": new, "linear": z}
