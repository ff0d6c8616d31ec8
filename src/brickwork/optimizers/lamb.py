"""Adam with a step for each parameter that is as long as its weights allow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..arguments import Real, argument, configured
from ..arrays import Array, namespace
from .base import NAME, Arrays, Optimizer
from .settings import RATE, blend, one_minus_power

_BETA = Real(0.0, 1.0, high_open=True)


@configured()
class Lamb(Optimizer):
    """Adam whose step for each parameter is as long as lr times the parameter itself, for large batches.

    m <- beta_1 m + (1 - beta_1) g, v <- beta_2 v + (1 - beta_2) g^2,
    u = m / (1 - beta_1^t) / (sqrt(v / (1 - beta_2^t)) + epsilon), w <- w - lr u |w| / |u|; where |w| or |u|
    is 0, w <- w - lr u.

    Parameters
    ----------
    learning_rate : number of at least 0, or a schedule; default 0.001
    beta_1 : in [0, 1), default 0.9
    beta_2 : in [0, 1), default 0.999
    epsilon : number above 0, default 1e-7
    weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
    gradient_accumulation_steps, name : see `Optimizer`; by name

    The native engine computes the gradients and leaves the step to this text, since norms of whole parameters
    are known only when all of them is.

    >>> import numpy as np
    >>> lamb = Lamb(learning_rate=0.1)
    >>> params = {"w": np.array([3.0, 4.0])}
    >>> params, slots = lamb.update(params, {"w": np.array([1.0, 1.0])}, lamb.slots(params), t=1, lr=0.1)
    >>> params["w"].round(4).tolist()
    [2.6464, 3.6464]

    You and others, "Large Batch Optimization for Deep Learning: Training BERT in 76 minutes", 2020.
    """

    learning_rate: Any = argument(RATE, default=0.001)
    beta_1: float = argument(_BETA, default=0.9)
    beta_2: float = argument(_BETA, default=0.999)
    epsilon: float = argument(Real(0.0, low_open=True), default=1e-7)
    name: str | None = argument(NAME, default="lamb", kw_only=True)

    @property
    def slot_names(self) -> tuple[str, ...]:
        """Moments of the gradient."""
        return ("momentum", "velocity")

    def step(self, w: Array, g: Array, slots: Mapping[str, Array], t: Any, lr: Any) -> tuple[Array, Arrays]:
        """One parameter after step t, and its moments."""
        xp = namespace(w)
        m = blend(slots["momentum"], g, 1.0 - self.beta_1)
        v = blend(slots["velocity"], g * g, 1.0 - self.beta_2)
        u = m / one_minus_power(self.beta_1, t)
        u = u / (xp.sqrt(v / one_minus_power(self.beta_2, t)) + self.epsilon)
        long, step = xp.sqrt(xp.sum(w * w)), xp.sqrt(xp.sum(u * u))
        moves = (long > 0.0) & (step > 0.0)
        one = xp.ones_like(long)
        ratio = xp.where(moves, long, one) / xp.where(moves, step, one)
        return w - u * (ratio * lr), {"momentum": m, "velocity": v}
