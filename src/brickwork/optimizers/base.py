"""What all optimizers share: the learning rate, clipping, weight decay, and the shape of an update.

Parameters, gradients and slots are flat dicts of arrays; an update makes new ones and changes nothing it was
given. Augmented assignments act on arrays made just before them only: in place in NumPy, rebound in JAX.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ..arguments import Check, Configured, Maybe, Real, Text
from ..arrays import Array, namespace
from ..errors import ParameterError, ParameterTypeError, did_you_mean, known_names
from .schedules import LearningRateSchedule
from .schedules import deserialize as schedule_from_config
from .schedules import serialize as schedule_to_config

Arrays = dict[str, Array]
"""Parameter key -> array."""
Slots = dict[str, Arrays]
"""Slot name -> parameter key -> array."""


@dataclass(frozen=True)
class LearningRate(Check):
    """A number, or a function of the step; a schedule's configuration becomes the schedule.

    0 is allowed: a rate that is warmed up starts there, and what a callback may set the constructor takes.
    """

    number: Real = Real(0.0)

    def __call__(self, owner: str, name: str, value: Any) -> Any:
        """The rate or schedule, or an error."""
        if isinstance(value, Mapping):
            return schedule_from_config(value)
        if callable(value) and not isinstance(value, type):
            return value
        try:
            return self.number(owner, name, value)
        except ParameterTypeError:
            raise self.refuse_type(owner, name, value) from None
        except ParameterError:
            raise self.refuse(owner, name, value) from None

    def describe(self) -> str:
        """The allowed values."""
        return f"{self.number.describe()}, or a schedule (a function of the step)"

    def bad(self) -> list[Any]:
        """A few values that must be refused."""
        return self.number.bad()


RATE = LearningRate()
LIMIT = Maybe(Real(0.0, low_open=True))
DECAY = Maybe(Real(0.0))
NAME = Maybe(Text())


class Optimizer(Configured):
    """Base of all optimizers.

    A subclass is a `configured` dataclass with the fields `learning_rate`, `weight_decay`, `clipnorm`,
    `clipvalue`, `global_clipnorm`, `name` and its own; it writes `step` and, where it remembers something
    from step to step, names its `slot_names`. Its hyper-parameters may be changed between two updates.

    Weight decay is decoupled from the gradient: w is replaced by w - lr * weight_decay * w before the step
    (Loshchilov, Hutter 2019). Of the three clips, at most one is given: `clipnorm` bounds the 2-norm of each
    parameter's gradient, `global_clipnorm` that of all gradients together, `clipvalue` each entry.
    """

    former_names: ClassVar[Mapping[str, str]] = {"lr": "learning_rate"}

    learning_rate: Any
    weight_decay: float | None
    clipnorm: float | None
    clipvalue: float | None
    global_clipnorm: float | None
    name: str | None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.name is None:
            self.name = type(self).__name__.lower()
        clips = {name: getattr(self, name) for name in ("clipnorm", "clipvalue", "global_clipnorm")}
        given = [f"{name}={value}" for name, value in clips.items() if value is not None]
        if len(given) > 1:
            raise ParameterError(
                f"{type(self).__name__}: at most one of `clipnorm`, `clipvalue` and `global_clipnorm` may be "
                f"given; got {' and '.join(given)}. Keep one of them."
            )

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "learning_rate":
            owner = type(self).__name__
            value = RATE(owner, name, value)
            before = self.__dict__.get("learning_rate")
            if isinstance(before, LearningRateSchedule) and not callable(value):
                raise ParameterTypeError(
                    f"{owner}: `learning_rate` must stay a schedule, since it is {before!r}; got "
                    f"learning_rate={value!r}. Make the optimizer with a number to set it during training."
                )
        super().__setattr__(name, value)

    @property
    def slot_names(self) -> tuple[str, ...]:
        """What is remembered of each parameter from step to step."""
        return ()

    def step(self, w: Array, g: Array, slots: Mapping[str, Array], t: Any, lr: Any) -> tuple[Array, Arrays]:
        """One parameter after step t, and its slots; g is clipped and w has decayed already."""
        raise NotImplementedError(f"{type(self).__name__} states no step(w, g, slots, t, lr)")

    def slots(self, params: Mapping[str, Array]) -> Slots:
        """Slot name -> parameter key -> zeros of the parameter's shape, before the first step."""
        return {
            slot: {key: namespace(w).zeros_like(w) for key, w in params.items()} for slot in self.slot_names
        }

    def update(
        self,
        params: Mapping[str, Array],
        grads: Mapping[str, Array],
        slots: Mapping[str, Mapping[str, Array]],
        t: Any,
        lr: Any,
    ) -> tuple[Arrays, Slots]:
        """(parameters, slots) after one step; nothing that was given is changed.

        t is 1 at the first step. Parameters without a gradient, or with None for it, stay as they are.
        """
        grads = self.clip({key: g for key, g in grads.items() if g is not None})
        self._require_keys(params, grads, slots)
        new_params: Arrays = dict(params)
        new_slots: Slots = {slot: dict(arrays) for slot, arrays in slots.items()}
        for key, g in grads.items():
            w = params[key]
            rate = like(lr, w)
            if self.weight_decay:
                w = w - w * (rate * self.weight_decay)
            kept = {slot: slots[slot][key] for slot in self.slot_names}
            stepped, remembered = self.step(w, g, kept, like(t, w), rate)
            # NumPy makes scalars of arrays without axes.
            new_params[key] = stepped if w.ndim else namespace(w).asarray(stepped)
            for slot, array in remembered.items():
                new_slots[slot][key] = array if w.ndim else namespace(w).asarray(array)
        return new_params, new_slots

    def clip(self, grads: Mapping[str, Array]) -> Mapping[str, Array]:
        """The gradients within the bound that the constructor named."""
        if self.clipvalue is not None:
            bound = self.clipvalue
            return {key: namespace(g).clip(g, -bound, bound) for key, g in grads.items()}
        if self.clipnorm is not None:
            return {key: g * _shrink(_squares(g), self.clipnorm) for key, g in grads.items()}
        if self.global_clipnorm is not None and grads:
            # Sorted, because jit hands dicts over sorted: the same sum on every engine.
            total = sum(_squares(grads[key]) for key in sorted(grads))
            scale = _shrink(total, self.global_clipnorm)
            return {key: g * scale for key, g in grads.items()}
        return grads

    def _require_keys(
        self,
        params: Mapping[str, Array],
        grads: Mapping[str, Array],
        slots: Mapping[str, Mapping[str, Array]],
    ) -> None:
        owner = type(self).__name__
        for key in grads:
            if key not in params:
                raise ParameterError(
                    f"{owner}: every gradient must belong to a parameter, one of {known_names(params)}; "
                    f"got a gradient of {key!r}.{did_you_mean(key, params)}"
                )
            for slot in self.slot_names:
                if key not in slots.get(slot, {}):
                    raise ParameterError(
                        f"{owner}: `slots` must hold {slot!r} of every parameter; it holds none of {key!r}. "
                        f"Start from {owner}.slots(params)."
                    )

    def rate(self, step: int) -> float:
        """The learning rate after `step` updates (0 before the first)."""
        return float(self.rates(step, 1)[0])

    def rates(self, first_step: int, count: int) -> npt.NDArray[np.float64]:
        """The learning rates of `count` steps, the first of them after `first_step` updates."""
        rule: Callable[[int], Any] | float = self.learning_rate
        if not callable(rule):
            return np.full(count, rule, np.float64)
        values = np.array([float(rule(step)) for step in range(first_step, first_step + count)], np.float64)
        wrong = ~(np.isfinite(values) & (values >= 0))
        if wrong.any():
            at = int(np.argmax(wrong))
            raise ParameterError(
                f"{type(self).__name__}: a schedule must give finite numbers of at least 0; {rule!r} gave "
                f"{values[at]} at step {first_step + at}. Mend the schedule."
            )
        return values

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, by name; a schedule as its configuration."""
        config = super().get_config()
        rule = config["learning_rate"]
        if isinstance(rule, LearningRateSchedule):
            config["learning_rate"] = schedule_to_config(rule)
        elif callable(rule):
            raise ParameterTypeError(
                f"{type(self).__name__}: only schedules that are classes can be saved; got the function "
                f"{rule!r}. Make it a subclass of brickwork.optimizers.schedules.LearningRateSchedule."
            )
        return config


def like(value: Any, w: Array) -> Any:
    """A number that does not widen w: a Python number, or a traced one in w's type."""
    if isinstance(value, (int, float, np.number, np.ndarray)):
        return float(value)
    return namespace(w).asarray(value, dtype=w.dtype)


def one_minus_power(beta: float, t: Any) -> Any:
    """1 - beta**t, also right in float32, where beta**t is near 1."""
    if beta == 0.0:
        return 1.0
    if isinstance(t, float):
        return -math.expm1(t * math.log(beta))
    return -namespace(t).expm1(t * math.log(beta))


def _squares(g: Array) -> Array:
    return namespace(g).sum(g * g)


def _shrink(squares: Array, bound: float) -> Array:
    xp = namespace(squares)
    norm = xp.sqrt(squares)
    # norm - norm is NaN where the norm is infinite, so that a diverging run is noticed, as in Keras.
    return bound / xp.maximum(norm, xp.asarray(bound, dtype=norm.dtype)) + (norm - norm)
