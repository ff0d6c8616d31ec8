"""Losses of overlapping sets, for segmentation, and the cross-entropy that forgives wrong labels."""

from __future__ import annotations

from typing import Any, ClassVar

from .. import bricks
from ..arguments import Either, Many, Maybe, Real, Whole, argument, configured
from ..arrays import Array, Shape
from ..config import epsilon
from ..graph.symbol import Symbol
from .base import Loss

_AXIS = Maybe(Either((Whole(), Many(Whole()))))


def _axes(axis: Any) -> tuple[int, ...] | None:
    return axis if axis is None or isinstance(axis, tuple) else (axis,)


@configured()
class Tversky(Loss):
    """1 − Σ t y / (Σ t y + alpha Σ t (1 − y) + beta Σ (1 − t) y), for targets and outputs in [0, 1].

    Parameters
    ----------
    alpha : weight of what the output misses; at least 0; default 0.5.
    beta : weight of what it has beyond the target; at least 0; default 0.5.
    axis : the axis, or axes, behind the first that the sums run along; None (default) for all of them. The
        losses of the places that are left are averaged.

    Each sample has a loss of its own; Keras sums over the whole batch where axis is None. 1e-7 is put to the
    divisor, as in Keras.

    >>> round(Tversky(alpha=0.3, beta=0.7)([[1.0, 1.0, 0.0]], [[1.0, 0.0, 1.0]]), 5)
    0.5

    Salehi, Erdogmus and Gholipour, "Tversky loss function for image segmentation using 3D fully convolutional
    deep networks", 2017.
    """

    alpha: float = argument(Real(0.0), default=0.5)
    beta: float = argument(Real(0.0), default=0.5)
    axis: Any = argument(_AXIS, default=None)

    def lay_losses(self, y_true: Symbol, y_pred: Symbol) -> Any:
        """Tversky."""
        return bricks.Tversky(self.alpha, self.beta, _axes(self.axis), epsilon())(y_pred, y_true)


@configured()
class Dice(Loss):
    """1 − 2 Σ t y / (Σ t + Σ y), one minus Dice's coefficient, for targets and outputs in [0, 1].

    Parameters
    ----------
    axis : the axis, or axes, behind the first that the sums run along; None (default) for all of them. The
        losses of the places that are left are averaged.

    Each sample has a loss of its own; Keras sums over the whole batch where axis is None. 1e-7 is put to the
    divisor, as in Keras.

    >>> round(Dice()([[1.0, 1.0, 0.0]], [[1.0, 0.0, 0.0]]), 5)
    0.33333

    Milletari, Navab and Ahmadi, "V-Net: Fully Convolutional Neural Networks for Volumetric Medical Image
    Segmentation", 2016.
    """

    axis: Any = argument(_AXIS, default=None)

    def lay_losses(self, y_true: Symbol, y_pred: Symbol) -> Any:
        """Tversky, of which Dice's coefficient is the half-way case."""
        return bricks.Tversky(0.5, 0.5, _axes(self.axis), epsilon() / 2)(y_pred, y_true)


@configured()
class CategoricalGeneralizedCrossEntropy(Loss):
    """(1 − p^q) / q of the true class, for targets that are class indices 0 … K−1, some of them wrong.

    Parameters
    ----------
    q : in (0, 1), default 0.5; near 0 as cross-entropy, near 1 as the absolute error.

    Probabilities below 1e-7 count as 1e-7, so that slopes stay finite; in Keras they do not.

    >>> CategoricalGeneralizedCrossEntropy()([0], [[0.25, 0.75]])
    1.0

    Zhang and Sabuncu, "Generalized Cross Entropy Loss for Training Deep Neural Networks with Noisy Labels",
    2018.
    """

    q: float = argument(Real(0.0, 1.0, low_open=True, high_open=True), default=0.5)

    integer_targets: ClassVar[bool] = True

    def target_shape(self, output: Shape) -> Shape:
        """The output's shape without the class axis."""
        return output[:-1]

    def lay_losses(self, y_true: Symbol, y_pred: Symbol) -> Any:
        """GeneralizedCrossEntropy."""
        return bricks.GeneralizedCrossEntropy(self.q, epsilon())(y_pred, y_true)


def tversky(y_true: Any, y_pred: Any, alpha: float = 0.5, beta: float = 0.5, axis: Any = None) -> Array:
    """One minus Tversky's index, one number per sample; also a `loss` for compile."""
    return Tversky(alpha, beta, axis).per_sample(y_true, y_pred)


def dice(y_true: Any, y_pred: Any, axis: Any = None) -> Array:
    """One minus Dice's coefficient, one number per sample; also a `loss` for compile."""
    return Dice(axis).per_sample(y_true, y_pred)


def categorical_generalized_cross_entropy(y_true: Any, y_pred: Any, q: float = 0.5) -> Array:
    """(1 − p^q) / q of the true class, one number per sample; also a `loss` for compile."""
    return CategoricalGeneralizedCrossEntropy(q).per_sample(y_true, y_pred)
