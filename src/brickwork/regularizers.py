"""Penalties on the size of parameters, added to the loss once per parameter.

Each states its penalty and the gradient of it, in the array's own namespace.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ._lazy import suggest
from .arguments import Configured, Maybe, Real, argument, configured
from .arrays import Array, namespace
from .catalogue import Catalogue

_FACTOR = Maybe(Real(0.0))


@configured()
class Regularizer(Configured):
    """Base of all regularizers: a subclass writes `penalty(w)` and `gradient(w)`.

    To save a model that has one of your own, pass its class to `custom_objects` when loading.
    """

    def penalty(self, w: Array) -> Array:
        """What is added to the loss: a number."""
        raise NotImplementedError(f"{type(self).__name__} states no penalty(w)")

    def gradient(self, w: Array) -> Array:
        """dpenalty/dw, of the shape of w."""
        raise NotImplementedError(f"{type(self).__name__} states no gradient(w)")

    def __call__(self, w: Array) -> Array:
        """The penalty."""
        return self.penalty(w)


@configured()
class L1(Regularizer):
    """Penalty l1 sum |w|, which drives small weights to 0 (Tibshirani 1996, the lasso).

    The gradient is l1 sign(w), 0 at w = 0.

    Parameters
    ----------
    l1 : number of at least 0, default 0.01

    >>> import numpy as np
    >>> float(L1(0.5)(np.array([1.0, -2.0, 0.0])))
    1.5
    """

    l1: float = argument(_FACTOR, default=0.01)

    def __post_init__(self) -> None:
        self.l1 = 0.01 if self.l1 is None else self.l1
        super().__post_init__()

    def penalty(self, w: Array) -> Array:
        """l1 sum |w|."""
        return namespace(w).sum(abs(w)) * self.l1

    def gradient(self, w: Array) -> Array:
        """l1 sign(w)."""
        return namespace(w).sign(w) * self.l1


@configured()
class L2(Regularizer):
    """Penalty l2 sum w^2, which keeps weights small (Hoerl, Kennard 1970, ridge regression).

    The gradient is 2 l2 w. There is no factor 1/2, as in Keras.

    Parameters
    ----------
    l2 : number of at least 0, default 0.01

    >>> import numpy as np
    >>> float(L2(0.5)(np.array([1.0, -2.0, 0.0])))
    2.5
    """

    l2: float = argument(_FACTOR, default=0.01)

    def __post_init__(self) -> None:
        self.l2 = 0.01 if self.l2 is None else self.l2
        super().__post_init__()

    def penalty(self, w: Array) -> Array:
        """l2 sum w^2."""
        return namespace(w).sum(w * w) * self.l2

    def gradient(self, w: Array) -> Array:
        """2 l2 w."""
        return w * (2 * self.l2)


@configured()
class L1L2(Regularizer):
    """Penalty l1 sum |w| + l2 sum w^2 (Zou, Hastie 2005, the elastic net).

    Parameters
    ----------
    l1 : number of at least 0, default 0.0
    l2 : number of at least 0, default 0.0

    >>> import numpy as np
    >>> float(L1L2(0.5, 0.5)(np.array([1.0, -2.0, 0.0])))
    4.0
    """

    l1: float = argument(_FACTOR, default=0.0)
    l2: float = argument(_FACTOR, default=0.0)

    def __post_init__(self) -> None:
        self.l1 = 0.0 if self.l1 is None else self.l1
        self.l2 = 0.0 if self.l2 is None else self.l2
        super().__post_init__()

    def penalty(self, w: Array) -> Array:
        """l1 sum |w| + l2 sum w^2."""
        xp = namespace(w)
        return xp.sum(abs(w)) * self.l1 + xp.sum(w * w) * self.l2

    def gradient(self, w: Array) -> Array:
        """l1 sign(w) + 2 l2 w."""
        return namespace(w).sign(w) * self.l1 + w * (2 * self.l2)


l1, l2, l1_l2 = L1, L2, L1L2

_CATALOGUE: Catalogue[Regularizer] = Catalogue("regularizer", Regularizer, (L1, L2, L1L2), {"l1_l2": L1L2})


def get(identifier: Any) -> Regularizer | None:
    """The regularizer that a name, class, configuration or the object itself stands for; None for None.

    A bare function has no gradient and is refused with ParameterTypeError.

    >>> get("l2")
    L2()
    """
    return _CATALOGUE.get(identifier)


def serialize(regularizer: Regularizer) -> dict[str, Any]:
    """{"class_name", "config"} of the regularizer.

    >>> serialize(L2(0.1))
    {'class_name': 'L2', 'config': {'l2': 0.1}}
    """
    return _CATALOGUE.serialize(regularizer)


def deserialize(
    config: Mapping[str, Any], custom_objects: Mapping[str, type[Regularizer]] | None = None
) -> Regularizer:
    """The regularizer that `serialize` told; `custom_objects` names classes of your own."""
    return _CATALOGUE.deserialize(config, custom_objects)


if not TYPE_CHECKING:
    __getattr__ = suggest(__name__)
