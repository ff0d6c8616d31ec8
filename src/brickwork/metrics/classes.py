"""Which class is taken for which, and scores that follow from it class by class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from ..arguments import Choice, Maybe, Real, Text, Whole, argument, configured
from ..arrays import Array, namespace
from ..config import epsilon
from ..errors import ShapeError
from .agreement import aligned
from .base import Metric, Totals
from .sums import number, ratio, sum_type, weights_like


@configured()
class FBetaScore(Metric):
    """(1 + beta²) P R / (beta² P + R) of precision P and recall R, class by class; beta > 1 favours recall.

    Targets and predictions are (N, C): one-hot rows, or several yeses in a row.

    Parameters
    ----------
    average : None (default): an array with a score for each class; "micro": of the counts of all classes;
        "macro": the mean over the classes; "weighted": the mean weighted by how often each class occurs
    beta : above 0, default 1
    threshold : in (0, 1]: predictions above it are yeses; None (default): the largest of each row is
    name : str, default "fbeta_score"

    >>> y_pred = [[0.2, 0.6, 0.7], [0.2, 0.6, 0.6], [0.6, 0.8, 0.0]]
    >>> FBetaScore(beta=2.0, threshold=0.5)([[1, 1, 1], [1, 0, 0], [1, 1, 0]], y_pred).round(4).tolist()
    [0.3846, 0.9091, 0.8333]

    van Rijsbergen, "Information Retrieval", 1979.
    """

    direction: ClassVar[str] = "up"
    average: Any = argument(Maybe(Choice(("micro", "macro", "weighted"))), default=None)
    beta: float = argument(Real(0.0, low_open=True), default=1.0)
    threshold: Any = argument(Maybe(Real(0.0, 1.0, low_open=True)), default=None)
    name: str = argument(Text(), default="fbeta_score")

    def build(self, y_true: Sequence[Any], y_pred: Sequence[Any]) -> None:
        """How many classes there are."""
        if len(y_pred) != 2 or len(y_true) != 2 or y_true[1] != y_pred[1]:
            raise ShapeError(
                f"{type(self).__name__} takes y_true and y_pred of shape (N, C); it received "
                f"{tuple(y_true)} and {tuple(y_pred)}. Turn class numbers into one-hot rows with "
                f"utils.to_categorical."
            )
        self.fix("classes", y_pred[1])

    def start(self) -> Totals:
        """No (true positives, false positives, false negatives) of any class."""
        classes = self.fixed("classes")
        zeros = 0.0 if classes is None else np.zeros(classes)
        return (zeros, zeros, zeros)

    def update(self, totals: Totals, y_true: Any, y_pred: Any, weight: Any = None) -> Totals:
        """The counts with a batch added."""
        y_pred = y_pred if hasattr(y_pred, "__array_namespace__") else np.asarray(y_pred)
        xp = namespace(y_pred)
        y_true, y_pred = aligned(self, xp.asarray(y_true), y_pred)
        if self.threshold is None:  # a row of zeros has no yes
            most = xp.max(y_pred, axis=-1, keepdims=True)
            chosen = (y_pred >= most) & (xp.abs(y_pred) > 1e-9)
        else:
            chosen = y_pred > self.threshold
        weights = weights_like(y_pred, weight)
        yes, true = xp.astype(chosen, weights.dtype), xp.astype(y_true, weights.dtype)
        parts = (yes * true, yes * (1.0 - true), (1.0 - yes) * true)
        return tuple(
            total + xp.sum(part * weights, axis=0) for total, part in zip(totals, parts, strict=True)
        )

    def result(self, totals: Totals | None = None) -> Any:
        """The score: a number, or an array (C,) without an average."""
        tp, fp, fn = self.kept if totals is None else totals
        xp = namespace(tp + np.zeros(()))
        support = xp.asarray(tp + fn)
        if self.average == "micro":
            tp, fp, fn = (xp.sum(xp.asarray(part)) for part in (tp, fp, fn))
        precision, recall = tp / (tp + fp + epsilon()), tp / (tp + fn + epsilon())
        squared = self.beta**2
        scores = (1.0 + squared) * precision * recall / (squared * precision + recall + epsilon())
        if self.average == "weighted":
            scores = xp.sum(scores * support) / (xp.sum(support) + epsilon())
        elif self.average == "macro":
            scores = xp.mean(xp.asarray(scores))
        return number(scores)


@configured()
class F1Score(FBetaScore):
    """The harmonic mean of precision and recall, 2 P R / (P + R), class by class.

    Targets and predictions are (N, C): one-hot rows, or several yeses in a row.

    Parameters
    ----------
    average : None (default): an array with a score for each class; "micro": of the counts of all classes;
        "macro": the mean over the classes; "weighted": the mean weighted by how often each class occurs
    threshold : in (0, 1]: predictions above it are yeses; None (default): the largest of each row is
    name : str, default "f1_score"

    >>> y_pred = [[0.2, 0.6, 0.7], [0.2, 0.6, 0.6], [0.6, 0.8, 0.0]]
    >>> F1Score(threshold=0.5)([[1, 1, 1], [1, 0, 0], [1, 1, 0]], y_pred).round(4).tolist()
    [0.5, 0.8, 0.6667]

    van Rijsbergen, "Information Retrieval", 1979.
    """

    beta: float = argument(Real(1.0, 1.0), default=1.0, init=False)
    name: str = argument(Text(), default="f1_score")


@configured()
class ConfusionMatrix(Metric):
    """How often each class is taken for each: an array (C, C), row the true class, column the predicted one.

    Targets are class numbers (N, …) or one-hot (N, …, C); predictions (N, …, C), of which the largest counts,
    or (N, …, 1) for two classes. Sample weights make sums of weights of the counts.

    Parameters
    ----------
    num_classes : C, at least 2; None (default) takes the length of the predictions' last axis
    name : str, default "confusion_matrix"
    threshold : of two classes: the second is predicted above it; default 0.5

    >>> ConfusionMatrix()([0, 0, 1], [[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]]).tolist()
    [[1.0, 1.0], [0.0, 1.0]]

    Miller and Nicely, "An Analysis of Perceptual Confusions Among Some English Consonants", 1955.
    """

    num_classes: Any = argument(Maybe(Whole(2)), default=None)
    name: str = argument(Text(), default="confusion_matrix")
    threshold: float = argument(Real(), default=0.5, kw_only=True)

    def build(self, y_true: Sequence[Any], y_pred: Sequence[Any]) -> None:
        """How many classes there are."""
        outputs = y_pred[-1] if len(y_pred) > 1 else 1
        classes = 2 if outputs == 1 else outputs
        if self.num_classes not in (None, classes):
            raise ShapeError(
                f"ConfusionMatrix of {self.num_classes} classes takes y_pred of shape (N, …, "
                f"{self.num_classes}); it received {tuple(y_pred)}. Leave it out, or write {classes}."
            )
        self.fix("classes", classes)

    def start(self) -> Totals:
        """No counts."""
        classes = self.fixed("classes") or self.num_classes or 0
        return (np.zeros((classes, classes)),)

    def update(self, totals: Totals, y_true: Any, y_pred: Any, weight: Any = None) -> Totals:
        """The counts with a batch added."""
        y_pred = y_pred if hasattr(y_pred, "__array_namespace__") else np.asarray(y_pred)
        xp = namespace(y_pred)
        y_true = xp.asarray(y_true)
        true, pred = self._classes(y_true, y_pred)
        weights = xp.reshape(weights_like(pred, weight), (-1, 1))
        every = xp.arange(totals[0].shape[0], dtype=xp.int32)
        rows, columns = (xp.astype(xp.reshape(x, (-1, 1)) == every, weights.dtype) for x in (true, pred))
        return (totals[0] + xp.matmul(xp.permute_dims(rows * weights, (1, 0)), columns),)

    def _classes(self, y_true: Array, y_pred: Array) -> tuple[Array, Array]:
        """Class numbers of targets and predictions, both of one shape."""
        xp = namespace(y_pred)
        if y_pred.ndim == 1 or y_pred.shape[-1] == 1:
            y_true, y_pred = aligned(self, y_true, y_pred)
            return xp.astype(y_true, xp.int32), xp.astype(y_pred > self.threshold, xp.int32)
        if y_true.shape == y_pred.shape:
            y_true = xp.argmax(y_true, axis=-1)
        pred = xp.argmax(y_pred, axis=-1)
        if y_true.shape not in (pred.shape, (*pred.shape, 1)):
            raise ShapeError(
                f"ConfusionMatrix takes class numbers of shape {tuple(pred.shape)}, or one-hot targets of "
                f"shape {tuple(y_pred.shape)}; it received {tuple(y_true.shape)}. Reshape the targets."
            )
        return xp.astype(xp.reshape(y_true, pred.shape), xp.int32), xp.astype(pred, xp.int32)

    def result(self, totals: Totals | None = None) -> Any:
        """The matrix."""
        return (self.kept if totals is None else totals)[0]


@configured()
class R2Score(Metric):
    """How much of the targets' variance the predictions explain: 1 - Σ (t - y)² / Σ (t - mean t)².

    1 is perfect, 0 as good as the mean, below 0 worse. Where the targets do not vary it is 1 if they are met
    and 0 if not, as in scikit-learn.

    Parameters
    ----------
    class_aggregation : of several outputs: "uniform_average" (default), "variance_weighted_average", or None
        for an array with one number for each
    num_regressors : p above 0 gives the adjusted score 1 - (1 - R²) (n - 1) / (n - p - 1) of n samples;
        default 0. (Keras counts the numbers of all outputs for n; of one output that is the same.)
    name : str, default "r2_score"

    The sums are taken in float64, in the jax engine in float32: there, targets that are large against their
    spread lose digits.

    >>> round(R2Score()([[1], [4], [3]], [[2], [4], [4]]), 5)
    0.57143

    Wright, "Correlation and causation", 1921.
    """

    direction: ClassVar[str] = "up"
    class_aggregation: Any = argument(
        Maybe(Choice(("uniform_average", "variance_weighted_average"))), default="uniform_average"
    )
    num_regressors: int = argument(Whole(0), default=0)
    name: str = argument(Text(), default="r2_score")

    def build(self, y_true: Sequence[Any], y_pred: Sequence[Any]) -> None:
        """How many outputs there are."""
        if len(y_pred) not in (1, 2):
            raise ShapeError(
                f"R2Score takes y_pred of shape (N, C) or (N,); it received {tuple(y_pred)}. Put a Flatten "
                f"behind it."
            )
        self.fix("outputs", y_pred[1] if len(y_pred) == 2 else 1)

    def start(self) -> Totals:
        """No (squared errors, targets, squared targets) of any output, no weight, no samples."""
        outputs = self.fixed("outputs")
        zeros = 0.0 if outputs is None else np.zeros(outputs)
        return (zeros, zeros, zeros, 0.0, 0.0)

    def update(self, totals: Totals, y_true: Any, y_pred: Any, weight: Any = None) -> Totals:
        """The sums with a batch added."""
        y_pred = y_pred if hasattr(y_pred, "__array_namespace__") else np.asarray(y_pred)
        xp = namespace(y_pred)
        y_true, y_pred = aligned(self, xp.asarray(y_true), y_pred)
        rows, kind = y_pred.shape[0], sum_type(y_pred)
        t, y = (xp.reshape(xp.astype(x, kind), (rows, -1)) for x in (y_true, y_pred))
        each = weights_like(t[:, 0], weight)
        w = xp.reshape(each, (-1, 1))
        found = (xp.sum(part * w, axis=0) for part in ((t - y) ** 2, t, t * t))
        return tuple(
            total + more for total, more in zip(totals, (*found, xp.sum(each), float(rows)), strict=True)
        )

    def result(self, totals: Totals | None = None) -> Any:
        """The score: a number, or an array (C,) without aggregation."""
        errors, total, squares, weight, rows = self.kept if totals is None else totals
        if not weight:
            return 0.0
        spread = np.asarray(squares - total * (total / weight), np.float64)
        spread = np.where(spread > 16 * np.finfo(np.asarray(squares).dtype).eps * squares, spread, 0.0)
        errors = np.asarray(errors, np.float64)
        scores = 1.0 - ratio(errors, spread)
        scores = np.where(spread == 0.0, np.where(errors == 0.0, 1.0, 0.0), scores)
        if self.class_aggregation == "uniform_average":
            scores = np.mean(scores)
        elif self.class_aggregation == "variance_weighted_average":
            scores = np.sum(spread * scores) / np.sum(spread) if np.sum(spread) > 0 else np.mean(scores)
        left = float(rows) - self.num_regressors - 1.0
        if self.num_regressors and left > 0:
            scores = 1.0 - (1.0 - scores) * (float(rows) - 1.0) / left
        return number(scores)
