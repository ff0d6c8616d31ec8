"""Gradient descent with rates of its own for each parameter, from sums of its squared gradients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ..arguments import Flag, Real, argument, configured
from ..arrays import Array, namespace
from .base import NAME, Arrays, Optimizer
from .settings import MOMENTUM, RATE, Scheduled, blend, like

_EPSILON = Real(0.0, low_open=True)
_RHO = Real(0.0, 1.0)


@configured()
class Adagrad(Optimizer):
    """Rates that fall with the sum of the squared gradients so far (Duchi, Hazan, Singer 2011).

    a <- a + g^2, w <- w - lr g / sqrt(a + epsilon). (Keras 3's form: epsilon stands under the root and a
    begins at 0.1; the paper's and PyTorch's a begins at 0, with epsilon beside the root.)

    Parameters
    ----------
    learning_rate : number of at least 0, or a schedule; default 0.001
    initial_accumulator_value : number of at least 0, where a begins; default 0.1
    epsilon : number above 0, default 1e-7
    weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
    gradient_accumulation_steps, name : see `Optimizer`; by name

    >>> import numpy as np
    >>> adagrad = Adagrad(initial_accumulator_value=0.0)
    >>> params = {"w": np.array([1.0, 1.0])}
    >>> slots = adagrad.slots(params)
    >>> for t in (1, 2):
    ...     params, slots = adagrad.update(params, {"w": np.array([2.0, -0.5])}, slots, t, lr=0.1)
    >>> params["w"].round(4).tolist()
    [0.8293, 1.1707]
    """

    initial_accumulator_value: float = argument(Real(0.0), default=0.1)
    epsilon: float = argument(_EPSILON, default=1e-7)
    name: str | None = argument(NAME, default="adagrad", kw_only=True)

    @property
    def slot_names(self) -> tuple[str, ...]:
        """The sum of the squared gradients."""
        return ("accumulator",)

    def first_slot(self, slot: str, w: Array) -> Array:
        """The initial value."""
        return namespace(w).full_like(w, self.initial_accumulator_value)

    def step(self, w: Array, g: Array, slots: Mapping[str, Array], t: Any, lr: Any) -> tuple[Array, Arrays]:
        """One parameter after step t, and its sum."""
        a = g * g
        a += slots["accumulator"]
        change = g * -lr
        change /= namespace(w).sqrt(a + self.epsilon)
        change += w
        return change, {"accumulator": a}


@configured()
class Adadelta(Optimizer):
    """Steps in the parameter's own unit, from running means of squared steps and gradients (Zeiler 2012).

    a <- rho a + (1 - rho) g^2, d = -sqrt(s + epsilon) / sqrt(a + epsilon) g,
    s <- rho s + (1 - rho) d^2, w <- w + lr d. (Keras 3's default rate is 0.001, the paper's form has 1.)

    Parameters
    ----------
    learning_rate : number of at least 0, or a schedule; default 0.001
    rho : in [0, 1], default 0.95
    epsilon : number above 0, default 1e-7
    weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
    gradient_accumulation_steps, name : see `Optimizer`; by name

    >>> import numpy as np
    >>> adadelta = Adadelta(epsilon=1e-2)
    >>> params = {"w": np.array([1.0, 1.0])}
    >>> slots = adadelta.slots(params)
    >>> params, slots = adadelta.update(params, {"w": np.array([2.0, -0.5])}, slots, t=1, lr=1.0)
    >>> params["w"].round(4).tolist()
    [0.5636, 1.3333]
    """

    rho: float = argument(_RHO, default=0.95)
    epsilon: float = argument(_EPSILON, default=1e-7)
    name: str | None = argument(NAME, default="adadelta", kw_only=True)

    @property
    def slot_names(self) -> tuple[str, ...]:
        """The running means of g^2 and of d^2."""
        return ("accumulated_grad", "accumulated_delta_var")

    def step(self, w: Array, g: Array, slots: Mapping[str, Array], t: Any, lr: Any) -> tuple[Array, Arrays]:
        """One parameter after step t, and its means."""
        xp = namespace(w)
        a = blend(slots["accumulated_grad"], g * g, 1 - self.rho)
        d = xp.sqrt(slots["accumulated_delta_var"] + self.epsilon)
        d /= xp.sqrt(a + self.epsilon)
        d *= g
        s = blend(slots["accumulated_delta_var"], d * d, 1 - self.rho)
        return w - d * lr, {"accumulated_grad": a, "accumulated_delta_var": s}


@configured()
class RMSprop(Optimizer):
    """Gradients divided by the root of their running mean square (Tieleman, Hinton 2012).

    v <- rho v + (1 - rho) g^2, d = lr g / sqrt(v + epsilon); w <- w - d, with momentum m <- momentum m + d,
    w <- w - m. With `centered`, a <- rho a + (1 - rho) g and v - a^2 stands for v under the root
    (Graves 2013). (Keras 3's form: epsilon stands under the root, in PyTorch beside it. v - a^2 that comes
    out negative by rounding counts as 0.)

    Parameters
    ----------
    learning_rate : number of at least 0, or a schedule; default 0.001
    rho : in [0, 1], default 0.9
    momentum : in [0, 1], or a schedule; default 0.0
    epsilon : number above 0, default 1e-7
    centered : bool, default False
    weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
    gradient_accumulation_steps, name : see `Optimizer`; by name

    >>> import numpy as np
    >>> rmsprop = RMSprop(rho=0.75)
    >>> params = {"w": np.array([1.0, 1.0])}
    >>> slots = rmsprop.slots(params)
    >>> params, slots = rmsprop.update(params, {"w": np.array([2.0, -0.5])}, slots, t=1, lr=0.1)
    >>> params["w"].round(4).tolist()
    [0.8, 1.2]
    """

    scheduled: ClassVar[Mapping[str, Scheduled]] = {"learning_rate": RATE, "momentum": MOMENTUM}

    rho: float = argument(_RHO, default=0.9)
    momentum: Any = argument(MOMENTUM, default=0.0)
    epsilon: float = argument(_EPSILON, default=1e-7)
    centered: bool = argument(Flag(), default=False)
    name: str | None = argument(NAME, default="rmsprop", kw_only=True)

    @property
    def slot_names(self) -> tuple[str, ...]:
        """The mean square; the momentum, unless it is always 0; with `centered` the mean gradient."""
        momentum = ("momentum",) if self.momentum else ()
        return ("velocity", *momentum, *(("average_gradient",) if self.centered else ()))

    def step(self, w: Array, g: Array, slots: Mapping[str, Array], t: Any, lr: Any) -> tuple[Array, Arrays]:
        """One parameter after step t, and its means."""
        xp = namespace(w)
        v = blend(slots["velocity"], g * g, 1 - self.rho)
        new = {"velocity": v}
        if self.centered:
            mean = new["average_gradient"] = blend(slots["average_gradient"], g, 1 - self.rho)
            v = xp.maximum(v - mean * mean, xp.zeros_like(v))
        change = g * lr
        change /= xp.sqrt(v + self.epsilon)
        if "momentum" in slots:
            change += slots["momentum"] * like(self.momentum, w)
            new["momentum"] = change
        return w - change, new
