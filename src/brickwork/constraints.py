"""Projections that follow each update: a parameter is replaced by the nearest allowed one.

Each is a function w -> w in the array's own namespace.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ._lazy import suggest
from .arguments import Configured, Either, Many, Real, Whole, argument, configured
from .arrays import Array, namespace
from .catalogue import Catalogue
from .config import epsilon
from .errors import ParameterError, ShapeError

_AXIS = Either((Whole(), Many(Whole())))


@configured()
class Constraint(Configured):
    """Base of all constraints: a subclass writes `__call__(w)`, which gives the allowed parameter."""

    def __call__(self, w: Array) -> Array:
        """The parameter within its bounds; here, itself."""
        return w


@configured()
class MaxNorm(Constraint):
    """Weights whose 2-norm along `axis` is at most `max_value` (Srivastava and others 2014).

    w <- w min(norm, max_value) / (norm + epsilon), epsilon = `config.epsilon()`, as in Keras.

    Parameters
    ----------
    max_value : number of at least 0, default 2
    axis : whole number or tuple of them, default 0: the inputs of each unit of a Dense kernel (F, U);
        (0, 1, 2) for each filter of a Conv2D kernel

    >>> import numpy as np
    >>> MaxNorm(2.0)(np.array([[3.0], [4.0]])).round(6).tolist()
    [[1.2], [1.6]]
    """

    max_value: float = argument(Real(0.0), default=2.0)
    axis: int | tuple[int, ...] = argument(_AXIS, default=0)

    def __call__(self, w: Array) -> Array:
        """The shortened weights."""
        norm = _norm(w, self.axis)
        return w * (namespace(w).clip(norm, 0.0, self.max_value) / (norm + epsilon()))


@configured()
class MinMaxNorm(Constraint):
    """Weights whose 2-norm along `axis` lies between two bounds, or is brought nearer to them by each step.

    w <- w (rate min(max(norm, min_value), max_value) + (1 - rate) norm) / (norm + epsilon), as in Keras.

    Parameters
    ----------
    min_value : number of at least 0, default 0
    max_value : number of at least min_value, default 1
    rate : in [0, 1], default 1, which keeps the bounds strictly; below, a part of the way in each step
    axis : whole number or tuple of them, default 0; as in `MaxNorm`

    >>> import numpy as np
    >>> MinMaxNorm(1.0, 2.0)(np.array([[0.3, 3.0], [0.4, 4.0]])).round(6).tolist()
    [[0.6, 1.2], [0.8, 1.6]]
    """

    min_value: float = argument(Real(0.0), default=0.0)
    max_value: float = argument(Real(0.0), default=1.0)
    rate: float = argument(Real(0.0, 1.0), default=1.0)
    axis: int | tuple[int, ...] = argument(_AXIS, default=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.min_value > self.max_value:
            raise ParameterError(
                f"MinMaxNorm: `min_value` must be at most max_value={self.max_value}; got "
                f"min_value={self.min_value}. Exchange them."
            )

    def __call__(self, w: Array) -> Array:
        """The weights, shortened or lengthened."""
        norm = _norm(w, self.axis)
        bounded = namespace(w).clip(norm, self.min_value, self.max_value)
        return w * ((self.rate * bounded + (1.0 - self.rate) * norm) / (norm + epsilon()))


@configured()
class NonNeg(Constraint):
    """Weights of at least 0.

    >>> import numpy as np
    >>> NonNeg()(np.array([-1.0, 2.0])).tolist()
    [0.0, 2.0]
    """

    def __call__(self, w: Array) -> Array:
        """max(w, 0)."""
        xp = namespace(w)
        return xp.maximum(w, xp.zeros_like(w))


@configured()
class UnitNorm(Constraint):
    """Weights whose 2-norm along `axis` is 1: w <- w / (norm + epsilon).

    Parameters
    ----------
    axis : whole number or tuple of them, default 0; as in `MaxNorm`

    >>> import numpy as np
    >>> UnitNorm()(np.array([[3.0], [4.0]])).round(6).tolist()
    [[0.6], [0.8]]
    """

    axis: int | tuple[int, ...] = argument(_AXIS, default=0)

    def __call__(self, w: Array) -> Array:
        """The weights divided by their norm."""
        return w / (_norm(w, self.axis) + epsilon())


def _norm(w: Array, axis: int | tuple[int, ...]) -> Array:
    xp = namespace(w)
    axes = axis if isinstance(axis, tuple) else (axis,)
    if len({one % max(w.ndim, 1) for one in axes}) < len(axes) or not all(
        -w.ndim <= one < w.ndim for one in axes
    ):
        raise ShapeError(
            f"A norm along axis {axis} takes parameters that have each such axis once; it received shape "
            f"{tuple(w.shape)}. Choose other axes: (0, 1, 2) for each filter of a Conv2D kernel."
        )
    return xp.sqrt(xp.sum(w * w, axis=axis, keepdims=True))


max_norm, min_max_norm, non_neg, unit_norm = MaxNorm, MinMaxNorm, NonNeg, UnitNorm

_CATALOGUE: Catalogue[Constraint] = Catalogue(
    "constraint", Constraint, (MaxNorm, MinMaxNorm, NonNeg, UnitNorm)
)


def get(identifier: Any) -> Constraint | None:
    """The constraint that a name, class, configuration or the object itself stands for; None for None.

    >>> get("non_neg")
    NonNeg()
    """
    return _CATALOGUE.get(identifier)


def serialize(constraint: Constraint) -> dict[str, Any]:
    """{"class_name", "config"} of the constraint.

    >>> serialize(UnitNorm())
    {'class_name': 'UnitNorm', 'config': {'axis': 0}}
    """
    return _CATALOGUE.serialize(constraint)


def deserialize(
    config: Mapping[str, Any], custom_objects: Mapping[str, type[Constraint]] | None = None
) -> Constraint:
    """The constraint that `serialize` told; `custom_objects` names classes of your own."""
    return _CATALOGUE.deserialize(config, custom_objects)


if not TYPE_CHECKING:
    __getattr__ = suggest(__name__)
