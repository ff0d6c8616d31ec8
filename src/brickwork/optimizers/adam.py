"""Gradient descent with a rate of its own for each parameter, from running moments of the gradient."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..arguments import Flag, Real, argument, configured
from ..arrays import Array, namespace
from .base import NAME, Arrays, Optimizer
from .settings import blend, one_minus_power, root

BETA = Real(0.0, 1.0, high_open=True)
EPSILON = Real(0.0, low_open=True)


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
    weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
    gradient_accumulation_steps, name : see `Optimizer`; by name

    >>> import numpy as np
    >>> adam = Adam()
    >>> params = {"w": np.array([1.0, 1.0])}
    >>> params, slots = adam.update(params, {"w": np.array([2.0, -0.5])}, adam.slots(params), t=1, lr=0.1)
    >>> params["w"].round(4).tolist()
    [0.9, 1.1]
    """

    beta_1: float = argument(BETA, default=0.9)
    beta_2: float = argument(BETA, default=0.999)
    epsilon: float = argument(EPSILON, default=1e-7)
    amsgrad: bool = argument(Flag(), default=False)
    name: str | None = argument(NAME, default="adam", kw_only=True)

    @property
    def slot_names(self) -> tuple[str, ...]:
        """Both running moments, and with `amsgrad` the largest second one."""
        return ("momentum", "velocity") + (("velocity_hat",) if self.amsgrad else ())

    def step(self, w: Array, g: Array, slots: Mapping[str, Array], t: Any, lr: Any) -> tuple[Array, Arrays]:
        """One parameter after step t, and its moments."""
        xp = namespace(w)
        alpha = lr * root(one_minus_power(self.beta_2, t)) / one_minus_power(self.beta_1, t)

        m = blend(slots["momentum"], g, 1 - self.beta_1)
        v = blend(slots["velocity"], g * g, 1 - self.beta_2)
        new = {"momentum": m, "velocity": v}
        if self.amsgrad:
            new["velocity_hat"] = v = xp.maximum(v, slots["velocity_hat"])

        divisor = xp.sqrt(v)
        divisor += self.epsilon
        change = m * -alpha
        change /= divisor
        change += w
        return change, new


@configured()
class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov, Hutter 2019): Adam, but that weights decay by default.

    w <- w - lr weight_decay w, then the step of `Adam`.

    Parameters
    ----------
    learning_rate : number of at least 0, or a schedule; default 0.001
    weight_decay : number of at least 0, default 0.004; see `exclude_from_weight_decay`
    beta_1, beta_2, epsilon, amsgrad : see `Adam`
    clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
    gradient_accumulation_steps, name : see `Optimizer`; by name

    >>> AdamW().weight_decay
    0.004
    """

    weight_decay: float = argument(Real(0.0), default=0.004, kw_only=False)
    name: str | None = argument(NAME, default="adamw", kw_only=True)


@configured()
class Adamax(Optimizer):
    """Adam with the maximum norm in the place of the second moment (Kingma, Ba 2015, section 7.1).

    m <- m + (1 - beta_1)(g - m), u <- max(beta_2 u, |g|), w <- w - lr / (1 - beta_1^t) m / (u + epsilon).
    (Formula as in Keras 3; PyTorch adds epsilon to |g| instead.)

    Parameters
    ----------
    learning_rate : number of at least 0, or a schedule; default 0.001
    beta_1 : in [0, 1), default 0.9
    beta_2 : in [0, 1), default 0.999
    epsilon : number above 0, default 1e-7
    weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
    gradient_accumulation_steps, name : see `Optimizer`; by name

    >>> import numpy as np
    >>> adamax = Adamax()
    >>> params = {"w": np.array([1.0, 1.0])}
    >>> params, slots = adamax.update(params, {"w": np.array([2.0, -0.5])}, adamax.slots(params), t=1, lr=0.1)
    >>> params["w"].round(4).tolist()
    [0.9, 1.1]
    """

    beta_1: float = argument(BETA, default=0.9)
    beta_2: float = argument(BETA, default=0.999)
    epsilon: float = argument(EPSILON, default=1e-7)
    name: str | None = argument(NAME, default="adamax", kw_only=True)

    @property
    def slot_names(self) -> tuple[str, ...]:
        """The first moment, and the decaying maximum of |g|."""
        return ("momentum", "norm")

    def step(self, w: Array, g: Array, slots: Mapping[str, Array], t: Any, lr: Any) -> tuple[Array, Arrays]:
        """One parameter after step t, its first moment and its norm."""
        xp = namespace(w)
        m = blend(slots["momentum"], g, 1 - self.beta_1)
        u = xp.maximum(slots["norm"] * self.beta_2, xp.abs(g))
        change = m * (-lr / one_minus_power(self.beta_1, t))
        change /= u + self.epsilon
        change += w
        return change, {"momentum": m, "norm": u}


@configured()
class Nadam(Optimizer):
    """Adam with Nesterov's look-ahead (Dozat 2016), in Keras 3's form.

    u_t = beta_1 (1 - 0.96^t / 2), U_t = u_1 ... u_t; m and v as in `Adam`;
    m^ = u_(t+1) m / (1 - U_(t+1)) + (1 - u_t) g / (1 - U_t), v^ = v / (1 - beta_2^t),
    w <- w - lr m^ / (sqrt(v^) + epsilon). (PyTorch's is the same but for its epsilon of 1e-8 and
    0.96^(0.004 t).)

    Parameters
    ----------
    learning_rate : number of at least 0, or a schedule; default 0.001
    beta_1 : in [0, 1), default 0.9
    beta_2 : in [0, 1), default 0.999
    epsilon : number above 0, default 1e-7
    weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
    gradient_accumulation_steps, name : see `Optimizer`; by name

    >>> import numpy as np
    >>> nadam = Nadam()
    >>> params = {"w": np.array([1.0, 1.0])}
    >>> params, slots = nadam.update(params, {"w": np.array([2.0, -0.5])}, nadam.slots(params), t=1, lr=0.1)
    >>> params["w"].round(4).tolist()
    [0.8937, 1.1063]
    """

    beta_1: float = argument(BETA, default=0.9)
    beta_2: float = argument(BETA, default=0.999)
    epsilon: float = argument(EPSILON, default=1e-7)
    name: str | None = argument(NAME, default="nadam", kw_only=True)

    @property
    def slot_names(self) -> tuple[str, ...]:
        """Both running moments."""
        return ("momentum", "velocity")

    def step(self, w: Array, g: Array, slots: Mapping[str, Array], t: Any, lr: Any) -> tuple[Array, Arrays]:
        """One parameter after step t, and its moments."""
        xp = namespace(w)
        m = blend(slots["momentum"], g, 1 - self.beta_1)
        v = blend(slots["velocity"], g * g, 1 - self.beta_2)
        of_m, of_g = self.shares(t)
        change = m * (-lr * of_m)
        change -= g * (lr * of_g)
        divisor = xp.sqrt(v)
        divisor /= root(one_minus_power(self.beta_2, t))
        divisor += self.epsilon
        change /= divisor
        change += w
        return change, {"momentum": m, "velocity": v}

    def shares(self, t: Any) -> tuple[Any, Any]:
        """The factors of m and of g in m^ at step t: a number, many, or a traced one."""
        now, after = self.beta_1 * _warming(t), self.beta_1 * _warming(t + 1.0)
        product = (1.0 - one_minus_power(self.beta_1, t)) * _warmed(t)
        return after / (1.0 - product * after), (1.0 - now) / (1.0 - product)


_SETTLED = 1000
"""Steps after which 0.96^t is nothing beside 1 in any float type."""


def _warming(t: Any) -> Any:
    """1 - 0.96^t / 2."""
    return 1.0 - 0.5 * (1.0 - one_minus_power(0.96, t))


def _warmed(t: Any) -> Any:
    """The product of 1 - 0.96^i / 2 for i = 1 ... t."""
    factors = 1.0 - 0.5 * 0.96 ** np.arange(_SETTLED + 1.0)
    factors[0] = 1.0
    products = np.cumprod(factors)
    if isinstance(t, float):
        return float(products[min(int(t), _SETTLED)])
    xp = namespace(t)
    places = xp.astype(xp.minimum(t, xp.asarray(_SETTLED, dtype=t.dtype)), xp.int32)
    return xp.take(xp.asarray(products, dtype=t.dtype), places)
