"""The update rules of the native side: which one an optimizer is, and its numbers, step by step.

What follows the step (rates, momenta, corrections of moments) is computed here, in float64 for all steps of
an epoch at once; native/kernels/update.cpp states the rules on float32 numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ... import optimizers
from ...arrays import Array
from ...optimizers import Optimizer
from ...optimizers.base import SUM
from ...optimizers.settings import one_minus_power, root
from ...regularizers import L1, L1L2, L2
from ...structs import struct
from ..base import Program

if TYPE_CHECKING:
    from ...optimizers import SGD, Adadelta, Adagrad, Adam, Adamax, Ftrl, Lion, Nadam, RMSprop

CONSTANTS, BOUNDS = 8, 6
ROW = ("rate", "decay", "keep", "take", "overwrite", "gather")
"""What stands before constants and bounds in a row of numbers; see UpdateRule in native/kernels.hpp."""

Numbers = Mapping[str, Any]
"""What a rule asks for: t, lr, and the settings that may follow schedules, one number for each step."""


@struct(frozen=True)
class Told:
    """The numbers of an optimizer: a number each, or an array of one for each step.

    `moment` (a, b, c): where m bounds the slot `bounded` and g the gradients, m is at most a m + b g + c
    after a step. `change` (a, b, c): no parameter changes by more than a m + b g + c then. Without them each
    update is made on a copy.
    """

    name: str
    constants: tuple[Any, ...] = ()
    bounded: int = -1
    moment: tuple[Any, Any, Any] = (0.0, 0.0, 0.0)
    change: tuple[Any, Any, Any] = (0.0, 0.0, math.inf)


_RULES: dict[str, Callable[[Any, Numbers], Told]] = {}
"""By the names of Brickwork's own optimizers."""


def _states(*kinds: str) -> Callable[[Callable[[Any, Numbers], Told]], Any]:
    def register(tell: Callable[[Any, Numbers], Told]) -> Any:
        _RULES.update({kind: tell for kind in kinds})
        return tell

    return register


@_states("SGD")
def _sgd(o: SGD, at: Numbers) -> Told:
    lr = at["lr"]
    if not o.slot_names:
        return Told("SGD", change=(0.0, lr, 0.0))
    momentum = at["momentum"]
    moment = (momentum, lr, 0.0)
    if o.nesterov:
        return Told("NESTEROV", (momentum,), 0, moment, (momentum, lr, 0.0))
    return Told("MOMENTUM", (momentum,), 0, moment, (1.0, 0.0, 0.0))


@_states("Adam", "AdamW")
def _adam(o: Adam, at: Numbers) -> Told:
    alpha = at["lr"] * root(one_minus_power(o.beta_2, at["t"])) / one_minus_power(o.beta_1, at["t"])
    return Told(
        "AMSGRAD" if o.amsgrad else "ADAM",
        (1.0 - o.beta_1, 1.0 - o.beta_2, o.epsilon, alpha),
        0,
        (o.beta_1, 1.0 - o.beta_1, 0.0),
        (alpha / o.epsilon, 0.0, 0.0),
    )


@_states("Adamax")
def _adamax(o: Adamax, at: Numbers) -> Told:
    alpha = at["lr"] / one_minus_power(o.beta_1, at["t"])
    moment = (o.beta_1, 1.0 - o.beta_1, 0.0)
    return Told(
        "ADAMAX", (1.0 - o.beta_1, o.beta_2, o.epsilon, alpha), 0, moment, (alpha / o.epsilon, 0.0, 0.0)
    )


@_states("Nadam")
def _nadam(o: Nadam, at: Numbers) -> Told:
    of_m, of_g = (at["lr"] * share for share in o.shares(at["t"]))
    scale = 1.0 / root(one_minus_power(o.beta_2, at["t"]))
    return Told(
        "NADAM",
        (1.0 - o.beta_1, 1.0 - o.beta_2, o.epsilon, of_m, of_g, scale),
        0,
        (o.beta_1, 1.0 - o.beta_1, 0.0),
        (of_m / o.epsilon, of_g / o.epsilon, 0.0),
    )


@_states("Adagrad")
def _adagrad(o: Adagrad, at: Numbers) -> Told:
    return Told("ADAGRAD", (o.epsilon,), change=(0.0, 0.0, at["lr"]))  # a holds g^2 already


@_states("Adadelta")
def _adadelta(o: Adadelta, at: Numbers) -> Told:
    # |d| <= sqrt(s + epsilon) / sqrt(1 - rho), since a >= (1 - rho) g^2; and sqrt(x) <= 1 + x.
    most = at["lr"] / math.sqrt(1.0 - o.rho) if o.rho < 1.0 else math.inf
    moment = (1.0 + o.rho, 0.0, o.epsilon)
    change = (most, 0.0, most * (1.0 + o.epsilon))
    return Told("ADADELTA", (1.0 - o.rho, o.epsilon), 1, moment, change)


@_states("RMSprop")
def _rmsprop(o: RMSprop, at: Numbers) -> Told:
    most = at["lr"] / math.sqrt(1.0 - o.rho) if o.rho < 1.0 else math.inf
    by_g, at_most = (at["lr"] / math.sqrt(o.epsilon), 0.0) if o.centered else (0.0, most)
    name = "RMSPROP" + ("_CENTERED" if o.centered else "") + ("_MOMENTUM" if o.momentum else "")
    momentum = at["momentum"]
    constants = (1.0 - o.rho, o.epsilon, momentum)
    if not o.momentum:
        return Told(name, constants, change=(0.0, by_g, at_most))
    return Told(name, constants, 1, (momentum, by_g, at_most), (1.0, 0.0, 0.0))


@_states("Lion")
def _lion(o: Lion, at: Numbers) -> Told:
    moment = (o.beta_2, 1.0 - o.beta_2, 0.0)
    return Told("LION", (o.beta_1, 1.0 - o.beta_1, 1.0 - o.beta_2), 0, moment, (0.0, 0.0, at["lr"]))


@_states("Ftrl")
def _ftrl(o: Ftrl, at: Numbers) -> Told:
    lr = at["lr"]
    l2 = 2.0 * o.l2_regularization_strength + o.beta / lr
    shrinkage = 2.0 * o.l2_shrinkage_regularization_strength
    return Told("FTRL", (o.l1_regularization_strength, l2, shrinkage, 1.0 / lr))


@struct(frozen=True)
class Update:
    """How a parameter is updated: penalties, whether it decays, with whom it shares a bound on the norm."""

    key: str
    penalties: tuple[float, float]
    decays: bool
    group: int

    @property
    def terms(self) -> tuple[float, float, float]:
        """What is put on its gradient and on itself: see Terms in native/kernels.hpp."""
        return (*self.penalties, float(self.decays))


class NativeRule:
    """An optimizer as the native side knows it."""

    def __init__(self, program: Program) -> None:
        self.optimizer: Optimizer = program.optimizer
        self.keys = program.trainable

    @property
    def bounds_norms(self) -> bool:
        """Whether norms of gradients must be known before the update."""
        return self.optimizer.clipnorm is not None or self.optimizer.global_clipnorm is not None

    def updates(self, penalties: Mapping[str, tuple[float, float]]) -> list[Update]:
        """All parameters that it updates, with those penalties: (l1, l2) by key."""
        apart = self.optimizer.clipnorm is not None
        return [
            Update(key, penalties.get(key, (0.0, 0.0)), self.optimizer.decays(key), index if apart else 0)
            for index, key in enumerate(self.keys)
        ]

    def told(self, first_step: int, rates: Sequence[float] | Array) -> tuple[tuple[Any, ...], Array]:
        """(name, clip, bound on norms, bounded slot, slot of sums), and a row for each step or all."""
        optimizer, steps = self.optimizer, len(rates)
        lr = np.ascontiguousarray(rates, np.float64)
        counted = np.arange(first_step + 1, first_step + steps + 1)
        at: dict[str, Any] = {"t": optimizer.update_number(counted).astype(np.float64), "lr": lr}
        at |= {name: np.full(steps, float(getattr(optimizer, name))) for name in self._constant_settings()}
        at |= optimizer.all_settings(first_step, steps)
        found = _RULES[type(optimizer).__name__](optimizer, at)
        gather, averaging = self._gathering(counted), self._averaging(at["t"])
        if optimizer.gradient_accumulation_steps:
            # of sums nothing is known, so updates are made on copies; a step between changes no parameter
            changes = (gather > 0.0) | np.asarray(averaging[2], bool)
            found = Told(found.name, found.constants, change=(0.0, 0.0, np.where(changes, math.inf, 0.0)))
        rows = np.zeros((steps, len(ROW) + CONSTANTS + BOUNDS))
        columns: list[Any] = [lr, lr * (optimizer.weight_decay or 0.0), *averaging]
        columns += [gather]
        columns += [*found.constants, *[0.0] * (CONSTANTS - len(found.constants))]
        columns += [*found.moment, *found.change]
        for index, column in enumerate(columns):
            rows[:, index] = column
        if (rows == rows[:1]).all():
            rows = rows[:1].copy()
        norm = optimizer.clipnorm or optimizer.global_clipnorm or 0.0
        sums = list(optimizer.slots({})).index(SUM) if optimizer.gradient_accumulation_steps else -1
        return (found.name, optimizer.clipvalue or 0.0, norm, found.bounded, sums), rows

    def _constant_settings(self) -> list[str]:
        names = [name for name in self.optimizer.scheduled if name != "learning_rate"]
        return [name for name in names if not callable(getattr(self.optimizer, name))]

    def _gathering(self, steps: Array) -> Any:
        """1 / k in the steps that update with the mean of k gradients, -1 between them; 0 without."""
        every = self.optimizer.gradient_accumulation_steps
        return 0.0 if every is None else np.where(steps % every == 0, 1.0 / every, -1.0)

    def _averaging(self, t: Array) -> tuple[Any, Any, Any]:
        """(keep, take, overwrite) of the running mean of the parameters."""
        if not self.optimizer.use_ema:
            return 0.0, 0.0, 0.0
        keep = np.where(t == 1.0, 0.0, self.optimizer.ema_momentum)
        every = self.optimizer.ema_overwrite_frequency
        # A momentum of 1 keeps the first mean for ever; the smallest number still says that there is a mean.
        take = np.maximum(1.0 - keep, np.finfo(np.float32).tiny)
        return keep, take, 0.0 if every is None else t % every == 0


def rule_of(program: Program) -> NativeRule | None:
    """The program's optimizer as the native side knows it; None where its own text must run."""
    optimizer = program.optimizer
    if optimizer is None or any(
        parameter.constraint is not None or type(parameter.regularizer) not in (type(None), L1, L2, L1L2)
        for parameter in program.graph.parameters.values()
        if parameter.trainable
    ):
        return None
    name = type(optimizer).__name__
    if name not in _RULES or type(optimizer) is not getattr(optimizers, name):
        return None
    if name == "Ftrl" and getattr(optimizer, "learning_rate_power", None) != -0.5:
        return None
    rule = NativeRule(program)
    if rule.bounds_norms and optimizer.gradient_accumulation_steps:
        return None  # the norm of the mean is known only when the gradients are summed up
    return rule
