"""Arguments of optimizers that may follow a schedule, and numbers of a step, traced or not."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..arguments import Check, Real
from ..arrays import Array, namespace
from ..errors import ParameterError, ParameterTypeError
from ..structs import struct
from .schedules import deserialize as schedule_from_config


@struct(frozen=True)
class Scheduled(Check):
    """A number, or a function of the step; a schedule's configuration becomes the schedule."""

    number: Real = Real(0.0)

    def __call__(self, owner: str, name: str, value: Any) -> Any:
        """The number or schedule, or an error."""
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


# 0 is allowed: a rate that is warmed up starts there, and what a callback may set the constructor takes.
RATE = Scheduled()
MOMENTUM = Scheduled(Real(0.0, 1.0))


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


def root(x: Any) -> Any:
    """The square root of a number, traced or not."""
    return math.sqrt(x) if isinstance(x, float) else namespace(x).sqrt(x)


def blend(held: Array, new: Array, part: float) -> Array:
    """(1 - part) held + part new, as held + part (new - held)."""
    made = new - held
    made *= part
    made += held
    return made
