"""BrickRegressor: a network that tells one number per row or several, as a scikit-learn estimator."""

from __future__ import annotations

from typing import Any, Self

from ..arrays import Array
from .base import BrickEstimator, goes_on_by_parts
from .scikit_learn import RegressorMixin, available_if
from .targets import Target, Values


class BrickRegressor(RegressorMixin, BrickEstimator):  # type: ignore[misc]
    """A neural network that predicts numbers, for scikit-learn.

    Names, defaults and behaviour are those of scikit-learn's MLPRegressor where it has the thing, and Keras's
    otherwise. As there, targets are not scaled: where they are far from 1, put it into
    TransformedTargetRegressor(…, transformer=StandardScaler()).

    Parameters and attributes are those of BrickClassifier, without class_weight and classes_, and with

    loss : "squared_error" (default; Keras's mean_squared_error, without scikit-learn's factor 1/2), or
        another name or Loss of brickwork.losses.

    `network` ends in n_outputs units. The score is R².

    >>> import numpy as np
    >>> from brickwork.estimators import BrickRegressor
    >>> X = np.linspace(-1, 1, 50).reshape(-1, 1)
    >>> line = BrickRegressor((), learning_rate=0.1, max_iter=100, tol=None, random_state=0)
    >>> round(float(line.fit(X, 2 * X[:, 0] + 1).predict([[0.5]])[0]), 1)
    2.0

    Rumelhart, Hinton and Williams, "Learning Representations by Back-Propagating Errors", 1986.
    """

    loss: Any

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        loss: Any = "squared_error",
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
        return Values.of(y, self.loss)

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train on X (N, F), dense or sparse, and y: numbers (N,) or (N, outputs).

        Integer sample weights (N,) count copies of rows; others are factors of their loss.
        """
        return self._fit(X, y, sample_weight)

    @available_if(goes_on_by_parts)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """One epoch over these rows, going on with the network and the optimizer as they are."""
        return self._partial_fit(X, y, sample_weight)

    def predict(self, X: Any) -> Array:
        """The number of each row, (N,), or its numbers, (N, outputs)."""
        outputs = self._outputs(X)
        return self._known_target().decode(outputs)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
