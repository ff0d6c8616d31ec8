"""BrickTransformer: the activations of a trained network as features, as a scikit-learn transformer."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from ..arrays import Array
from ..errors import ParameterError
from ..graph.symbol import Symbol
from .base import BrickEstimator
from .learner import Learner, Part
from .networks import last_hidden
from .scikit_learn import ClassNamePrefixFeaturesOutMixin, TransformerMixin, type_of_target
from .targets import Classes, Target, Values


class BrickTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BrickEstimator):  # type: ignore[misc]
    """Trains a network on y, and transforms rows into the activations of one of its layers.

    Parameters and attributes are those of BrickClassifier (but class_weight), and

    layer : name of the layer whose output is taken, as `model_.summary()` shows it (of hidden_layer_sizes:
        "hidden_1", "hidden_2", …); None (default): what goes into the last layer with weights, the
        activations of the last hidden layer. Outputs with more axes are flattened.
    task : what y is: "classification", "regression", or "auto" (default): classes, unless y holds numbers
        with a fraction.

    >>> import numpy as np
    >>> from brickwork.estimators import BrickTransformer
    >>> X, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0])
    >>> BrickTransformer((8, 3), max_iter=5, tol=None, random_state=0).fit(X, y).transform(X).shape
    (4, 3)

    Donahue et al., "DeCAF: A Deep Convolutional Activation Feature for Generic Visual Recognition", 2014.
    """

    layer: Any
    task: Any

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        layer: str | None = None,
        task: str = "auto",
        network: Any = None,
        dropout: float = 0.0,
        batch_normalization: bool = False,
        optimizer: Any = "adam",
        learning_rate: Any = None,
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float | None = 1e-4,
        verbose: bool = False,
        warm_start: bool = False,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        engine: Any = None,
        n_threads: int | None = None,
    ) -> None:
        self._keep(locals())

    def _target(self, y: Any, classes: Any = None) -> Target:
        classification = self.task == "classification"
        if self.task == "auto":
            classification = not type_of_target(y).startswith("continuous")
        return Classes.of(y) if classification else Values.of(np.asarray(y, np.float64))

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train the network on X (N, F), dense or sparse, and y."""
        return self._fit(X, y, sample_weight)

    def transform(self, X: Any) -> Array:
        """The layer's activations, (N, units)."""
        return self._outputs(X, vars(self).get("_part"))

    def _take_learner(self, learner: Learner) -> None:
        super()._take_learner(learner)
        self._part = Part(learner, self._symbol(learner))

    def _symbol(self, learner: Learner) -> Symbol:
        if self.layer is None:
            return last_hidden(learner.model)
        symbol = learner.model.get_layer(self.layer).output
        if not isinstance(symbol, Symbol):
            raise ParameterError(
                f"`layer` must name a layer with one output; {self.layer!r} has {len(symbol)}. Name the "
                f"layer that follows it."
            )
        return symbol

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        state.pop("_part", None)
        return state

    @property
    def _n_features_out(self) -> int:
        return self._part.width

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
