"""Penalties on the size of parameters, added to the loss once per parameter.

Each states its penalty and the gradient of it, in the array's own namespace.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ._lazy import suggest
from .arguments import Choice, Configured, Maybe, Real, argument, configured
from .arrays import Array, namespace
from .catalogue import Catalogue
from .config import epsilon
from .errors import ShapeError

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


@configured()
class OrthogonalRegularizer(Regularizer):
    """Penalty for rows, or columns, that are not at right angles: factor times the mean |cosine| of pairs.

    With u the rows of w divided by their lengths (of at least 1e-7), c = u u.T without its diagonal and p the
    number of pairs, the penalty is factor Σ |c| / (2 p) and the gradient factor (g - u Σ u g) / (p |row|),
    g = sign(c) u. For matrices; a matrix with a single row, which has no pair, pays nothing.

    Parameters
    ----------
    factor : number of at least 0, default 0.01
    mode : "rows" (default) or "columns"; the columns of a Dense kernel (F, U) belong to its units

    >>> import numpy as np
    >>> float(OrthogonalRegularizer(1.0)(np.array([[3.0, 4.0], [1.0, 0.0]])))
    0.6

    Brock, Lim, Ritchie and Weston, "Neural Photo Editing with Introspective Adversarial Networks", 2017.
    """

    factor: float = argument(Real(0.0), default=0.01)
    mode: str = argument(Choice(("rows", "columns")), default="rows")

    def penalty(self, w: Array) -> Array:
        """The mean magnitude of the cosines."""
        _, _, cosines, pairs = self._cosines(w)
        xp = namespace(w)
        return xp.sum(abs(cosines)) * (0.5 * self.factor / pairs)

    def gradient(self, w: Array) -> Array:
        """Along each row, without its part along the row itself."""
        u, length, cosines, pairs = self._cosines(w)
        xp = namespace(w)
        g = xp.matmul(xp.sign(cosines), u)
        along = xp.sum(u * g, axis=1, keepdims=True)
        is_long = xp.astype(length > epsilon(), w.dtype)
        found = (g - is_long * u * along) / at_least(length) * (self.factor / pairs)
        return found if self.mode == "rows" else xp.matrix_transpose(found)

    def _cosines(self, w: Array) -> tuple[Array, Array, Array, float]:
        """Rows of length 1, their lengths before, the cosines between different ones, and the pairs."""
        if w.ndim != 2:
            raise ShapeError(
                f"OrthogonalRegularizer takes a matrix, such as the kernel (F, U) of a Dense layer; it "
                f"received shape {tuple(w.shape)}. Choose L2 for other parameters."
            )
        xp = namespace(w)
        rows = w if self.mode == "rows" else xp.matrix_transpose(w)
        length = xp.sqrt(xp.sum(rows * rows, axis=1, keepdims=True))
        u = rows / at_least(length)
        count = rows.shape[0]
        cosines = xp.matmul(u, xp.matrix_transpose(u)) * (1.0 - xp.eye(count, dtype=w.dtype))
        return u, length, cosines, max(count * (count - 1) / 2.0, 1.0)


def at_least(length: Array) -> Array:
    """Lengths to divide by, none below `config.epsilon()`."""
    return namespace(length).clip(length, epsilon(), None)


l1, l2, l1_l2, orthogonal_regularizer = L1, L2, L1L2, OrthogonalRegularizer

_CATALOGUE: Catalogue[Regularizer] = Catalogue(
    "regularizer", Regularizer, (L1, L2, L1L2, OrthogonalRegularizer), {"l1_l2": L1L2}
)


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
