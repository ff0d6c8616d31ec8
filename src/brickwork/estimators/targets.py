"""From the targets of scikit-learn's users to those of a network, and from its outputs back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import losses
from ..arrays import Array
from ..errors import DataError, ParameterError, ParameterTypeError, known_names
from .scikit_learn import check_classification_targets, column_or_1d, r2_score, type_of_target


@dataclass(frozen=True)
class Classes:
    """Targets that are classes.

    Two classes (or one) are one sigmoid unit, more are a softmax over as many units; several labels per row
    (an indicator matrix) are as many sigmoid units.
    """

    labels: Array
    several: bool = False

    @classmethod
    def of(cls, y: Any) -> Classes:
        """The classes in y. Raises ValueError where y holds no classes."""
        y = one_column(y)
        check_classification_targets(y)
        kind = type_of_target(y)
        if kind == "multiclass-multioutput":
            raise DataError(
                f"y must hold one class per row, or an indicator matrix of 0 and 1 for several labels per "
                f"row; it has the shape {y.shape} and other values (multiclass-multioutput, an unknown "
                f"label type here). Wrap the classifier in sklearn.multioutput.MultiOutputClassifier."
            )
        if kind == "multilabel-indicator":
            return cls(np.arange(y.shape[1]), several=True)
        return cls(np.unique(y))

    @property
    def units(self) -> int:
        """Units of the network's output."""
        return 1 if len(self.labels) <= 2 and not self.several else len(self.labels)

    @property
    def activation(self) -> str:
        """The activation that makes probabilities of the output."""
        return "sigmoid" if self.several or self.units == 1 else "softmax"

    def unit_choices(self) -> tuple[int, ...]:
        """How many output units a user's network may have."""
        return (1, 2) if len(self.labels) == 2 and not self.several else (self.units,)

    def loss(self, units: int) -> Any:
        """Cross-entropy for an output of so many units."""
        if self.several or units == 1:
            return losses.BinaryCrossentropy()
        return losses.SparseCategoricalCrossentropy()

    def encode(self, y: Any) -> Array:
        """Places of the classes, (N,), or the indicator matrix, (N, K). Refuses classes that are unknown."""
        y = one_column(y)
        check_classification_targets(y)
        if self.several:
            if y.ndim != 2 or y.shape[1] != len(self.labels):
                raise DataError(
                    f"y must be an indicator matrix of {len(self.labels)} columns, as in the first fit; it "
                    f"has the shape {y.shape}. Pass the same columns, or fit anew without warm_start."
                )
            return np.asarray(y, np.int64)
        if y.ndim != 1:
            raise DataError(
                f"y must hold one class per row, as in the first fit; it has the shape {y.shape}. Pass shape "
                f"(N,), or fit anew without warm_start."
            )
        unknown = np.setdiff1d(y, self.labels)
        if len(unknown):
            raise DataError(
                f"y must hold classes among {known_names(self.labels.tolist())}, those of the first fit; "
                f"it holds {known_names(unknown.tolist())} too. Name all classes at the first partial_fit, "
                f"or fit anew without warm_start."
            )
        return np.searchsorted(self.labels, y)

    def strata(self, encoded: Array) -> Array | None:
        """The class of each row, of which a split takes the same share; None for several labels."""
        return None if self.several else encoded

    def network_target(self, encoded: Array, units: int) -> Array:
        """What the loss compares the output with."""
        if self.several:
            return encoded
        return encoded.reshape(-1, 1) if units == 1 else encoded

    def probabilities(self, outputs: Array) -> Array:
        """(N, classes), or (N, labels) where each label has a probability of its own."""
        if self.several or len(self.labels) > 2:
            return outputs
        if len(self.labels) == 1:
            return np.ones((len(outputs), 1), outputs.dtype)
        return outputs if outputs.shape[1] == 2 else np.concatenate([1 - outputs, outputs], axis=1)

    def places(self, outputs: Array) -> Array:
        """Where the most probable class stands among the labels, or the indicator matrix."""
        if self.several:
            return (outputs > 0.5).astype(np.int64)
        return np.argmax(self.probabilities(outputs), axis=1)

    def decode(self, outputs: Array) -> Array:
        """The predicted classes."""
        places = self.places(outputs)
        return places if self.several else self.labels[places]

    def score(self, encoded: Array, outputs: Array, weights: Array | None) -> float:
        """Accuracy; of several labels all must be right."""
        right = self.places(outputs) == encoded
        return float(np.average(right.all(axis=1) if self.several else right, weights=weights))

    def factors(self, class_weight: Any, encoded: Array, weights: Array | None) -> Array | None:
        """A factor of the loss for each row, from a weight for each class."""
        if class_weight is None:
            return None
        if self.several:
            raise ParameterError(
                f"class_weight goes with one class per row; y is an indicator matrix, and class_weight is "
                f"{class_weight!r}. Pass sample_weight, one number per row."
            )
        counts = np.bincount(encoded, weights, len(self.labels))
        by_class = _class_weights(class_weight, self.labels.tolist(), counts)
        factors: Array = by_class[encoded]
        return factors


def _class_weights(class_weight: Any, labels: list[Any], counts: Array) -> Array:
    """One weight per class: of a dict by label, where 1 stands for labels not named, or balanced."""
    if isinstance(class_weight, str) and class_weight == "balanced":
        there = counts > 0
        return np.where(there, counts.sum() / (there.sum() * np.where(there, counts, 1.0)), 1.0)
    if not isinstance(class_weight, Mapping):
        raise ParameterTypeError(
            f"`class_weight` must be None, 'balanced' or a dict class -> weight; got {class_weight!r}. "
            f"Write class_weight={{{labels[0]!r}: 2.0}}, say."
        )
    strange = [label for label in class_weight if label not in labels]
    if strange and any(label not in class_weight for label in labels):
        # a fold may lack a class that is named; where another one is not named, it is a wrong name
        raise ParameterError(
            f"`class_weight` must name classes of y, among {known_names(labels)}; it names "
            f"{known_names(strange)}. Leave that out."
        )
    for label, weight in class_weight.items():
        if isinstance(weight, (bool, str)) or not 0 <= float(weight) < np.inf:
            raise ParameterError(
                f"`class_weight` must hold finite weights of at least 0; it holds {weight!r} for {label!r}. "
                f"Use 0 to leave a class out."
            )
    return np.array([float(class_weight.get(label, 1.0)) for label in labels])


@dataclass(frozen=True)
class Values:
    """Targets that are numbers, one per row (`flat`) or several."""

    count: int
    flat: bool
    measure: Any = "squared_error"

    activation = "linear"

    @classmethod
    def of(cls, y: Any, measure: Any = "squared_error") -> Values:
        """As many numbers per row as y has."""
        y = np.asarray(y)
        return cls(1 if y.ndim == 1 else y.shape[1], y.ndim == 1, measure)

    @property
    def units(self) -> int:
        """Units of the network's output."""
        return self.count

    def unit_choices(self) -> tuple[int, ...]:
        """How many output units a user's network may have."""
        return (self.count,)

    def loss(self, units: int) -> Any:
        """The loss that was asked for."""
        name = "mean_squared_error" if self.measure == "squared_error" else self.measure
        found = losses.get(name)
        if found.integer_targets:
            raise ParameterError(
                f"`loss` must compare numbers; got loss={self.measure!r}, which compares classes. Use "
                f"'squared_error', or BrickClassifier."
            )
        return found

    def encode(self, y: Any) -> Array:
        """The numbers, (N, outputs). Refuses another number of them than in the first fit."""
        y = np.asarray(y, np.float64)
        y = y.reshape(len(y), -1)
        if y.shape[1] != self.count:
            raise DataError(
                f"y must hold {self.count} numbers per row, as in the first fit; it has the shape {y.shape}. "
                f"Pass the same columns, or fit anew without warm_start."
            )
        return y

    def strata(self, encoded: Array) -> Array | None:
        """Numbers have no classes."""
        return None

    def network_target(self, encoded: Array, units: int) -> Array:
        """What the loss compares the output with."""
        return encoded

    def decode(self, outputs: Array) -> Array:
        """The predicted numbers."""
        return outputs[:, 0] if self.flat else outputs

    def score(self, encoded: Array, outputs: Array, weights: Array | None) -> float:
        """R², the share of the variance that is explained, averaged over the outputs."""
        return float(r2_score(encoded, outputs, sample_weight=weights))

    def factors(self, class_weight: Any, encoded: Array, weights: Array | None) -> Array | None:
        """Numbers have no classes."""
        return None


Target = Classes | Values


def one_column(y: Any) -> Array:
    """y as an array; a column becomes (N,), with scikit-learn's warning."""
    y = np.asarray(y.toarray() if hasattr(y, "toarray") else y)
    if y.ndim == 2 and y.shape[1] == 1:
        return np.asarray(column_or_1d(y, warn=True))
    return y
