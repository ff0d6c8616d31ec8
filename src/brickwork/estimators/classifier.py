"""BrickClassifier: a network that tells classes, or several labels, as a scikit-learn estimator."""

from __future__ import annotations

from typing import Any, Self, cast

import numpy as np

from ..arrays import Array
from ..errors import DataError, ParameterError
from .base import BrickEstimator, goes_on_by_parts
from .scikit_learn import ClassifierMixin, available_if
from .targets import Classes, Target


class BrickClassifier(ClassifierMixin, BrickEstimator):  # type: ignore[misc]
    """A neural network that classifies, for scikit-learn.

    Names, defaults and behaviour are those of scikit-learn's MLPClassifier where it has the thing, and
    Keras's otherwise. Two classes are one sigmoid unit, more a softmax; an indicator matrix as y gives each
    label a sigmoid unit of its own. The network computes in `brickwork.config.floatx()`, float32 by default.

    For the estimator a training set is a set: the order in which rows are given plays no role (but with
    shuffle=False), rows of weight 0 are not in it, and integer sample weights (of at most 10 in the mean)
    count copies, so that weight 2 is the row twice, bit for bit. Other weights, divided by their mean,
    multiply the row's loss.

    Parameters
    ----------
    hidden_layer_sizes : units of the hidden layers, a number or a tuple; () for none. Default (100,).
    activation : of the hidden layers: a name of brickwork.activations ("relu", "tanh", "sigmoid", …;
        "logistic" and "identity" too) or a brick. Default "relu".
    network : None, or a function (n_features, n_outputs) -> Model that makes the whole network, ending in
        softmax or sigmoid (for two classes n_outputs is 1). It stands for the four parameters
        hidden_layer_sizes, activation, dropout and batch_normalization, and `alpha` plays no role.
    dropout : rate in [0, 1) after each hidden layer. Default 0.
    batch_normalization : whether each hidden layer is normalized before its activation. Default False.
    optimizer : name or Optimizer; it is copied, never changed. Default "adam".
    learning_rate : a number of at least 0 or a schedule; None (default): the optimizer's own.
    alpha : L2 penalty: alpha / 2 Σ w² over the kernels, divided by the rows of a batch. Default 0.0001.
    batch_size : rows per update, at most all; "auto" (default) is min(200, N), with
        L-BFGS N.
    max_iter : epochs at most, at least 1. Default 200.
    shuffle : new order of the rows in each epoch. Default True.
    random_state : None, int or RandomState: weights, order, dropout, split. The same int gives the same
        network bit for bit, whatever the session's seeds are, and leaves those as they are.
    tol : the loss (with early_stopping, the score) must improve by so much; None: all epochs. Default 1e-4.
    verbose : whether a line is printed for each epoch. Default False.
    warm_start : whether fit goes on from the last fit's weights, with a new optimizer. Default False.
    early_stopping : whether rows are kept out (a share of each class) and the score on them decides when
        to stop and which epoch's weights stay. Default False.
    validation_fraction : the share that is kept out, in (0, 1). Default 0.1.
    n_iter_no_change : epochs that may pass without improvement. Default 10.
    class_weight : None, "balanced", or a dict class -> factor of the loss; classes not named weigh 1.
    engine : "native", "reference", "jax", or an engine. Default: "native", or "reference" if it is missing.
    n_threads : at most so many threads, or None for the environment's. joblib limits its workers by itself.

    Attributes
    ----------
    classes_ : the classes, sorted; 0 … K − 1 for K labels.
    model_ : the network, a brickwork Model.
    n_features_in_, feature_names_in_, n_outputs_ : of the data and the network.
    n_iter_, t_ : epochs of the last fit, and rows seen in all.
    loss_, loss_curve_, best_loss_ : loss of the last epoch, of each epoch, the smallest of the last fit.
    validation_scores_, best_validation_score_ : with early_stopping, the accuracy after each epoch.

    Errors are ParameterError and DataError (both ValueError), and DivergenceError for a loss not finite.

    >>> import numpy as np
    >>> from brickwork.estimators import BrickClassifier
    >>> X, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array(["no", "yes", "yes", "no"])
    >>> xor = BrickClassifier((8,), "tanh", learning_rate=0.1, max_iter=100, tol=None, random_state=0)
    >>> float(xor.fit(X, y).score(X, y))
    1.0

    Rumelhart, Hinton and Williams, "Learning Representations by Back-Propagating Errors", 1986.
    """

    class_weight: Any

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
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
        class_weight: Any = None,
        engine: Any = None,
        n_threads: int | None = None,
    ) -> None:
        self._keep(locals())

    def _target(self, y: Any, classes: Any = None) -> Target:
        if classes is None:
            return Classes.of(y)
        found = Classes.of(y)
        return found if found.several else Classes.of(np.asarray(classes))

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train on X (N, F), dense or sparse, and y: classes (N,), or an indicator matrix (N, labels).

        Integer sample weights (N,) count copies of rows; others are factors of their loss.
        """
        return self._fit(X, y, sample_weight)

    @available_if(goes_on_by_parts)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """One epoch over these rows, going on with the network and the optimizer as they are.

        The first call needs `classes`, all classes that will come; an indicator matrix has them as columns.
        """
        if not self.__sklearn_is_fitted__():
            if classes is None and not Classes.of(y).several:
                raise ParameterError(
                    "classes must be passed on the first call to partial_fit: all classes that will come. "
                    "Write partial_fit(X, y, classes=numpy.unique(all_y))."
                )
        elif classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise DataError(
                f"classes must be those of the first call to partial_fit or of fit, {self.classes_}; got "
                f"{np.unique(classes)}. Leave them out, or begin anew with a clone."
            )
        return self._partial_fit(X, y, sample_weight, classes)

    def predict(self, X: Any) -> Array:
        """The most probable class of each row, (N,); for several labels 0 or 1 each, (N, labels)."""
        outputs = self._outputs(X)
        return self._known_target().decode(outputs)

    def predict_proba(self, X: Any) -> Array:
        """Probabilities (N, classes) in the order of classes_; of several labels one each, (N, labels)."""
        outputs = self._outputs(X)
        return cast(Classes, self._known_target()).probabilities(outputs)

    def predict_log_proba(self, X: Any) -> Array:
        """Logarithms of predict_proba."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = self.class_weight is None
        return tags
