"""Losses as metrics: the mean over the samples of what a loss's brick gives for each."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, ClassVar

from .. import bricks
from ..arguments import Absent, Flag, Real, Text, Whole, argument, configured
from ..arrays import Array, namespace
from ..bricks.base import Brick, Context
from ..catalogue import snake_case
from ..config import epsilon
from ..errors import ShapeError
from .agreement import aligned
from .base import MeanMetric
from .sums import floating

_INFERENCE = Context()


@configured()
class LossMetric(MeanMetric):
    """Base of metrics that are a loss: a subclass names what makes its brick.

    Where the brick depends on the metric's arguments, it writes the property `brick` instead. `plain` says
    that the brick alone makes the values, so that an engine may compute it in its own way.

    Parameters
    ----------
    name : str, by default the class's in small letters, such as "squared_hinge"
    """

    made: ClassVar[Callable[[], Brick]]
    name: str = argument(Text(), default="loss_metric")

    def __init_subclass__(cls) -> None:
        """The default of `name`, unless the class says another."""
        super().__init_subclass__()
        if "name" not in vars(cls):
            cls.name = argument(Text(), default=snake_case(cls.__name__))
            cls.__annotations__ = {"name": "str", **inspect.get_annotations(cls)}

    @property
    def brick(self) -> Brick:
        """What gives one number per sample, from predictions and targets."""
        return type(self).made()

    @property
    def plain(self) -> bool:
        """Whether the values are the brick's, of targets and predictions as they are."""
        return True

    def values(self, y_true: Array, y_pred: Array) -> Array:
        """What the brick gives, (N,)."""
        y_true, y_pred = aligned(self, y_true, y_pred)
        return self._computed(floating(y_true, y_pred), floating(y_pred, y_pred))

    def _computed(self, y_true: Array, y_pred: Array) -> Array:
        self.brick.output_shape(tuple(y_pred.shape), tuple(y_true.shape))
        return self.brick.forward({}, y_pred, y_true, ctx=_INFERENCE)[0]


@configured()
class MeanAbsolutePercentageError(LossMetric):
    """Mean of 100 |y_true - y_pred| / max(|y_true|, 1e-7) over a sample, then over the samples.

    >>> MeanAbsolutePercentageError()([[2.0, 4.0]], [[3.0, 4.0]])
    25.0
    """

    made = staticmethod(lambda: bricks.MeanAbsolutePercentageError(epsilon()))


@configured()
class MeanSquaredLogarithmicError(LossMetric):
    """Mean of (log(1 + y_true) - log(1 + y_pred))^2 over a sample, then over the samples.

    >>> round(MeanSquaredLogarithmicError()([[0, 1], [0, 0]], [[1, 1], [0, 0]]), 5)
    0.12011
    """

    made = staticmethod(lambda: bricks.MeanSquaredLogarithmicError(epsilon()))


@configured()
class LogCoshError(LossMetric):
    """Mean of log cosh(y_pred - y_true) over a sample, then over the samples.

    >>> round(LogCoshError()([[0, 1], [0, 0]], [[1, 1], [0, 0]]), 5)
    0.10845
    """

    made = staticmethod(lambda: bricks.LogCosh())
    name: str = argument(Text(), default="logcosh")


@configured()
class Poisson(LossMetric):
    """Mean of y_pred - y_true log(y_pred + 1e-7) over a sample, then over the samples.

    >>> round(Poisson()([[0, 1], [0, 0]], [[1, 1], [0, 0]]), 4)
    0.5
    """

    made = staticmethod(lambda: bricks.Poisson(epsilon()))


@configured()
class CosineSimilarity(LossMetric):
    """Cosine of the angle between y_true and y_pred: 1 where they point one way. The loss has the other sign.

    Parameters
    ----------
    axis : along which the vectors lie, default -1

    >>> round(CosineSimilarity()([[0.0, 1.0], [1.0, 1.0]], [[1.0, 0.0], [1.0, 1.0]]), 4)
    0.5
    """

    direction: ClassVar[str] = "up"
    axis: int = argument(Whole(), default=-1, kw_only=True)

    @property
    def brick(self) -> Brick:
        """CosineSimilarity, whose sign is turned."""
        return bricks.CosineSimilarity(self.axis, epsilon())

    @property
    def plain(self) -> bool:
        """The sign is another."""
        return False

    def _computed(self, y_true: Array, y_pred: Array) -> Array:
        return -super()._computed(y_true, y_pred)


@configured()
class Hinge(LossMetric):
    """Mean of max(1 - y_true y_pred, 0) over a sample, then over the samples; a target of 0 counts as -1.

    >>> round(Hinge()([[0, 1], [0, 0]], [[0.6, 0.4], [0.4, 0.6]]), 4)
    1.3
    """

    made = staticmethod(lambda: bricks.Hinge())


@configured()
class SquaredHinge(LossMetric):
    """Mean of max(1 - y_true y_pred, 0)^2 over a sample, then over the samples; a target of 0 counts as -1.

    >>> round(SquaredHinge()([[0, 1], [0, 0]], [[0.6, 0.4], [0.4, 0.6]]), 4)
    1.86
    """

    made = staticmethod(lambda: bricks.SquaredHinge())


@configured()
class CategoricalHinge(LossMetric):
    """How far the true class fails to be above the others by 1; both (N, …, C).

    >>> round(CategoricalHinge()([[0, 1], [0, 0]], [[0.6, 0.4], [0.4, 0.6]]), 4)
    1.4
    """

    made = staticmethod(lambda: bricks.CategoricalHinge())


@configured()
class KLDivergence(LossMetric):
    """Σ y_true log(y_true / y_pred) over the last axis, in nats, both brought into [1e-7, 1].

    >>> round(KLDivergence()([[0.5, 0.5]], [[0.25, 0.75]]), 5)
    0.14384
    """

    made = staticmethod(lambda: bricks.KLDivergence(epsilon()))


@configured()
class BinaryCrossentropy(LossMetric):
    """Cross-entropy of yes-or-no questions, mean over a sample, then over the samples.

    Parameters
    ----------
    from_logits : whether predictions are logits, default False
    label_smoothing : s in [0, 1], default 0: targets become t (1 - s) + s / 2

    >>> round(BinaryCrossentropy()([[1.0], [0.0]], [[0.8], [0.4]]), 5)
    0.36698
    """

    from_logits: bool = argument(Flag(), default=False, kw_only=True)
    label_smoothing: float = argument(Real(0.0, 1.0), default=0.0, kw_only=True)

    @property
    def brick(self) -> Brick:
        """SigmoidCrossEntropy of logits, BinaryCrossEntropy of probabilities."""
        return bricks.SigmoidCrossEntropy() if self.from_logits else bricks.BinaryCrossEntropy(epsilon())

    @property
    def plain(self) -> bool:
        """Unless targets are smoothed."""
        return not self.label_smoothing

    def _computed(self, y_true: Array, y_pred: Array) -> Array:
        s = self.label_smoothing
        return super()._computed(y_true * (1.0 - s) + 0.5 * s if s else y_true, y_pred)


@configured()
class CategoricalCrossentropy(LossMetric):
    """-Σ y_true log y_pred over the last axis, for targets that are distributions (one-hot rows).

    Parameters
    ----------
    from_logits : whether predictions are logits, default False; else they are divided by their sum first
    label_smoothing : s in [0, 1], default 0: targets become t (1 - s) + s / C
    axis : the class axis; -1 only

    >>> round(CategoricalCrossentropy()([[0, 1, 0]], [[0.05, 0.9, 0.05]]), 5)
    0.10536
    """

    from_logits: bool = argument(Flag(), default=False, kw_only=True)
    label_smoothing: float = argument(Real(0.0, 1.0), default=0.0, kw_only=True)
    axis: int = argument(Whole(-1, -1), default=-1, kw_only=True)

    @property
    def brick(self) -> Brick:
        """SoftmaxCrossEntropy of logits, CrossEntropy of probabilities."""
        return _of_classes(self.from_logits)

    @property
    def plain(self) -> bool:
        """Of logits and plain targets."""
        return self.from_logits and not self.label_smoothing

    def _computed(self, y_true: Array, y_pred: Array) -> Array:
        s = self.label_smoothing
        if s:
            y_true = y_true * (1.0 - s) + s / y_pred.shape[-1]
        return super()._computed(y_true, _normal(y_pred, self.from_logits))


@configured()
class SparseCategoricalCrossentropy(LossMetric):
    """-log of the probability of the true class, for targets that are class numbers 0 … C - 1.

    Parameters
    ----------
    from_logits : whether predictions are logits, default False; else they are divided by their sum first
    ignore_class : None only
    axis : the class axis; -1 only

    >>> round(SparseCategoricalCrossentropy()([1], [[0.05, 0.9, 0.05]]), 5)
    0.10536
    """

    from_logits: bool = argument(Flag(), default=False, kw_only=True)
    ignore_class: Any = argument(
        Absent("Give such rows sample_weight 0 instead."), default=None, kw_only=True
    )
    axis: int = argument(Whole(-1, -1), default=-1, kw_only=True)

    @property
    def brick(self) -> Brick:
        """SoftmaxCrossEntropy of logits, CrossEntropy of probabilities."""
        return _of_classes(self.from_logits)

    @property
    def plain(self) -> bool:
        """Of logits."""
        return self.from_logits

    def values(self, y_true: Array, y_pred: Array) -> Array:
        """The cross-entropy of each sample; y_true (N, …) or (N, …, 1), y_pred (N, …, C)."""
        places = tuple(y_pred.shape[:-1])
        if y_pred.ndim < 2 or tuple(y_true.shape) not in (places, (*places, 1)):
            raise ShapeError(
                f"SparseCategoricalCrossentropy takes class numbers of shape {places} for y_pred of shape "
                f"{tuple(y_pred.shape)}; it received y_true of shape {tuple(y_true.shape)}. For one-hot "
                f"targets use CategoricalCrossentropy."
            )
        xp = namespace(y_pred)
        labels = xp.astype(xp.reshape(y_true, places), xp.int32)
        return self._computed(labels, _normal(floating(y_pred, y_pred), self.from_logits))


def _of_classes(from_logits: bool) -> Brick:
    return bricks.SoftmaxCrossEntropy() if from_logits else bricks.CrossEntropy(epsilon())


def _normal(y_pred: Array, from_logits: bool) -> Array:
    return y_pred if from_logits else y_pred / namespace(y_pred).sum(y_pred, axis=-1, keepdims=True)
