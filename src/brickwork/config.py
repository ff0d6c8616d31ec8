"""The float type and the fuzz factor that are used where nothing else is said."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from ._lazy import suggest
from .arguments import Choice, Real

_FLOATS = Choice(("float32", "float64"))
_EPSILONS = Real(0.0, 1.0, low_open=True, high_open=True)

_floatx = "float32"
_epsilon = 1e-7
_scope: ContextVar[str | None] = ContextVar("brickwork_floatx", default=None)


def floatx() -> str:
    """The float type of parameters and inputs that name none: "float32" or "float64".

    >>> floatx()
    'float32'
    """
    return _scope.get() or _floatx


def set_floatx(value: str) -> None:
    """Set the float type of everything made from now on; what exists keeps its own.

    `value` is "float32" (the start) or "float64". Raises ParameterError for any other word.
    """
    global _floatx
    checked = _FLOATS("set_floatx", "value", value)
    if _scope.get() is None:
        _floatx = checked
    else:
        _scope.set(checked)


@contextmanager
def scoped_floatx(value: str | None = None) -> Iterator[None]:
    """Inside the `with` block, and in this thread alone, the float type is `value`; None for that of now.

    What `set_floatx` sets inside ends with the block.

    >>> with scoped_floatx("float64"):
    ...     floatx()
    'float64'
    """
    token = _scope.set(floatx() if value is None else _FLOATS("scoped_floatx", "value", value))
    try:
        yield
    finally:
        _scope.reset(token)


def epsilon() -> float:
    """The small number that keeps logarithms and divisions finite, 1e-7 unless set.

    >>> epsilon()
    1e-07
    """
    return _epsilon


def set_epsilon(value: float) -> None:
    """Set the fuzz factor; a number in (0, 1)."""
    global _epsilon
    _epsilon = _EPSILONS("set_epsilon", "value", value)


if not TYPE_CHECKING:
    __getattr__ = suggest(__name__)
