"""How far predicted and true places of a class overlap: intersection over union, for segmentation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from ..arguments import Either, Flag, Many, Maybe, Real, Text, Whole, argument, configured
from ..arrays import Array, namespace
from ..catalogue import snake_case
from ..config import epsilon
from ..errors import ParameterError, ShapeError
from .base import Metric, Totals
from .sums import number, weights_like

_NAME = Maybe(Text())
_CLASSES = Whole(2)
_IDS = Either((Many(Whole(0)),))


@configured()
class OverlapMetric(Metric):
    """Base of the metrics of overlap: counts of pairs (true class, predicted class)."""

    direction: ClassVar[str] = "up"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.name = self.name or snake_case(type(self).__name__)
        wrong = [one for one in self._targets() if one >= self._count]
        if wrong:
            raise ParameterError(
                f"{type(self).__name__}: `target_class_ids` must be whole numbers below num_classes="
                f"{self._count}; got {wrong[0]} among them. Classes are numbered from 0."
            )

    @property
    def _count(self) -> int:
        """How many classes there are."""
        return getattr(self, "num_classes", 2)

    def _targets(self) -> Sequence[int]:
        """The classes whose overlap counts."""
        return range(self._count)

    def _labels(self, y_true: Array, y_pred: Array) -> tuple[Array, Array]:
        """Class numbers of targets and predictions."""
        xp = namespace(y_pred)
        axis = getattr(self, "axis", -1)
        true = y_true if getattr(self, "sparse_y_true", True) else xp.argmax(y_true, axis=axis)
        pred = y_pred if getattr(self, "sparse_y_pred", True) else xp.argmax(y_pred, axis=axis)
        return true, pred

    def start(self) -> Totals:
        """No counts."""
        return (np.zeros((self._count, self._count)),)

    def update(self, totals: Totals, y_true: Any, y_pred: Any, weight: Any = None) -> Totals:
        """The counts with a batch added; class numbers that are none, and ignored ones, count for nothing."""
        y_pred = y_pred if hasattr(y_pred, "__array_namespace__") else np.asarray(y_pred)
        xp = namespace(y_pred)
        true, pred = self._labels(xp.asarray(y_true), y_pred)
        if true.shape not in (pred.shape, (*pred.shape, 1)) and pred.shape != (*true.shape, 1):
            raise ShapeError(
                f"{type(self).__name__} takes as many targets as predictions; it received targets of shape "
                f"{tuple(y_true.shape)} and predictions of shape {tuple(y_pred.shape)}. Say by sparse_y_true "
                f"and sparse_y_pred which of them are class numbers."
            )
        true, pred = (xp.astype(xp.reshape(x, pred.shape), xp.int32) for x in (true, pred))
        weights = xp.reshape(weights_like(pred, weight), (-1, 1))
        ignored = getattr(self, "ignore_class", None)
        if ignored is not None:
            weights = weights * xp.astype(xp.reshape(true, (-1, 1)) != ignored, weights.dtype)
        every = xp.arange(self._count, dtype=xp.int32)
        rows, columns = (xp.astype(xp.reshape(x, (-1, 1)) == every, weights.dtype) for x in (true, pred))
        return (totals[0] + xp.matmul(xp.permute_dims(rows * weights, (1, 0)), columns),)

    def result(self, totals: Totals | None = None) -> Any:
        """The mean over the classes that occur, 0 before any sample."""
        counts = (self.kept if totals is None else totals)[0]
        xp = namespace(counts)
        own = xp.sum(counts * xp.eye(self._count, dtype=counts.dtype), axis=0)
        union = xp.sum(counts, axis=0) + xp.sum(counts, axis=1) - own
        chosen = np.isin(np.arange(self._count), list(self._targets()))
        occurs = xp.astype(union > 1e-9, counts.dtype) * xp.asarray(chosen, dtype=counts.dtype)
        classes = xp.sum(occurs)
        share = xp.sum(occurs * own / (union + epsilon()))
        return number(share / xp.maximum(classes, xp.ones_like(classes)))


@configured()
class IoU(OverlapMetric):
    """Intersection over union of chosen classes: right / (right + missed + wrongly named), their mean.

    Classes that occur neither in targets nor in predictions do not count.

    Parameters
    ----------
    num_classes : at least 2
    target_class_ids : the classes to look at, such as [1]
    name : str; default "io_u", as in Keras
    ignore_class : targets of this class number count for nothing; default None
    sparse_y_true, sparse_y_pred : True (default) for class numbers, False for scores of the classes
    axis : of the scores; default -1

    >>> round(IoU(2, [0])([0, 0, 1, 1], [0, 1, 0, 1]), 5)
    0.33333

    Jaccard, "The distribution of the flora in the alpine zone", 1912.
    """

    num_classes: int = argument(_CLASSES)
    target_class_ids: Any = argument(_IDS)
    name: Any = argument(_NAME, default=None)
    ignore_class: int | None = argument(Maybe(Whole()), default=None, kw_only=True)
    sparse_y_true: bool = argument(Flag(), default=True, kw_only=True)
    sparse_y_pred: bool = argument(Flag(), default=True, kw_only=True)
    axis: int = argument(Whole(), default=-1, kw_only=True)

    def _targets(self) -> Sequence[int]:
        return tuple(self.target_class_ids)


@configured()
class MeanIoU(OverlapMetric):
    """Intersection over union, the mean over all classes that occur.

    Parameters
    ----------
    num_classes : at least 2
    name : str; default "mean_io_u", as in Keras
    ignore_class : targets of this class number count for nothing; default None
    sparse_y_true, sparse_y_pred : True (default) for class numbers, False for scores of the classes
    axis : of the scores; default -1

    >>> round(MeanIoU(2)([0, 0, 1, 1], [0, 1, 0, 1]), 5)
    0.33333
    """

    num_classes: int = argument(_CLASSES)
    name: Any = argument(_NAME, default=None)
    ignore_class: int | None = argument(Maybe(Whole()), default=None, kw_only=True)
    sparse_y_true: bool = argument(Flag(), default=True, kw_only=True)
    sparse_y_pred: bool = argument(Flag(), default=True, kw_only=True)
    axis: int = argument(Whole(), default=-1, kw_only=True)


@configured()
class BinaryIoU(OverlapMetric):
    """Intersection over union of yes and no; a prediction of at least the threshold is a yes.

    Parameters
    ----------
    target_class_ids : of 0 and 1 those to look at; default (0, 1)
    threshold : default 0.5
    name : str; default "binary_io_u", as in Keras

    >>> round(BinaryIoU()([0, 1, 0, 1], [0.1, 0.2, 0.4, 0.7]), 5)
    0.58333
    """

    target_class_ids: Any = argument(_IDS, default=(0, 1))
    threshold: float = argument(Real(), default=0.5)
    name: Any = argument(_NAME, default=None)

    def _targets(self) -> Sequence[int]:
        return tuple(self.target_class_ids)

    def _labels(self, y_true: Array, y_pred: Array) -> tuple[Array, Array]:
        return y_true, namespace(y_pred).astype(y_pred >= self.threshold, namespace(y_pred).int32)


@configured()
class OneHotIoU(OverlapMetric):
    """IoU for targets that are one-hot rows.

    Parameters
    ----------
    num_classes : at least 2
    target_class_ids : the classes to look at
    name : str; default "one_hot_io_u", as in Keras
    ignore_class : targets of this class number count for nothing; default None
    sparse_y_pred : False (default) for scores of the classes, True for class numbers
    axis : of rows and scores; default -1

    >>> round(OneHotIoU(2, [1])([[0, 1], [1, 0]], [[0.2, 0.8], [0.4, 0.6]]), 5)
    0.5
    """

    num_classes: int = argument(_CLASSES)
    target_class_ids: Any = argument(_IDS)
    name: Any = argument(_NAME, default=None)
    ignore_class: int | None = argument(Maybe(Whole()), default=None, kw_only=True)
    sparse_y_pred: bool = argument(Flag(), default=False, kw_only=True)
    axis: int = argument(Whole(), default=-1, kw_only=True)

    sparse_y_true: ClassVar[bool] = False

    def _targets(self) -> Sequence[int]:
        return tuple(self.target_class_ids)


@configured()
class OneHotMeanIoU(OverlapMetric):
    """MeanIoU for targets that are one-hot rows.

    Parameters
    ----------
    num_classes : at least 2
    name : str; default "one_hot_mean_io_u", as in Keras
    ignore_class : targets of this class number count for nothing; default None
    sparse_y_pred : False (default) for scores of the classes, True for class numbers
    axis : of rows and scores; default -1

    >>> round(OneHotMeanIoU(2)([[0, 1], [1, 0]], [[0.2, 0.8], [0.6, 0.4]]), 5)
    1.0
    """

    num_classes: int = argument(_CLASSES)
    name: Any = argument(_NAME, default=None)
    ignore_class: int | None = argument(Maybe(Whole()), default=None, kw_only=True)
    sparse_y_pred: bool = argument(Flag(), default=False, kw_only=True)
    axis: int = argument(Whole(), default=-1, kw_only=True)

    sparse_y_true: ClassVar[bool] = False
