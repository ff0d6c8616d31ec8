"""The parameters of estimators, checked when they are used: constructors in scikit-learn check nothing."""

from __future__ import annotations

import copy
import inspect
from types import SimpleNamespace
from typing import Any

from .. import optimizers
from ..arguments import Anything, Check, Choice, Either, Flag, Many, Maybe, Real, Whole
from ..engines.registry import get_engine
from ..errors import ParameterError, ParameterTypeError

_POSITIVE = Whole(1)

CHECKS: dict[str, Check] = {
    "hidden_layer_sizes": Either((Many(_POSITIVE), _POSITIVE)),
    "dropout": Real(0.0, 1.0, high_open=True),
    "batch_normalization": Flag(),
    "alpha": Real(0.0),
    "batch_size": Either((Choice(("auto",)), _POSITIVE)),
    "max_iter": _POSITIVE,
    "shuffle": Flag(),
    "tol": Maybe(Real(0.0)),
    "verbose": Either((Flag(), Whole(0))),
    "warm_start": Flag(),
    "early_stopping": Flag(),
    "validation_fraction": Real(0.0, 1.0, low_open=True, high_open=True),
    "n_iter_no_change": _POSITIVE,
    "n_threads": Maybe(_POSITIVE),
    "task": Choice(("auto", "classification", "regression")),
}
"""What parameters may be; those that are not here are checked where they are used."""

_OF_DENSE_NETWORKS = ("hidden_layer_sizes", "activation", "dropout", "batch_normalization")


def read_settings(estimator: Any) -> SimpleNamespace:
    """The parameters of an estimator in their normal form. Raises ParameterError, ParameterTypeError."""
    owner = type(estimator).__name__
    given = estimator.get_params(deep=False)
    found = {name: CHECKS.get(name, Anything())(owner, name, value) for name, value in given.items()}
    if isinstance(found["hidden_layer_sizes"], int):
        found["hidden_layer_sizes"] = (found["hidden_layer_sizes"],)
    if found["network"] is not None:
        _require_function(estimator, found["network"])
    found["engine"] = get_engine(found["engine"])
    found["optimizer"] = _optimizer(owner, found["optimizer"], found["learning_rate"])
    return SimpleNamespace(**found)


def _require_function(estimator: Any, network: Any) -> None:
    owner = type(estimator).__name__
    if isinstance(network, type) or not callable(network) or hasattr(network, "predict"):
        raise ParameterTypeError(
            f"{owner}: `network` must be None or a function (n_features, n_outputs) -> Model; got "
            f"network={network!r}. Write a function that makes the model anew each time."
        )
    defaults = inspect.signature(type(estimator)).parameters
    for name in _OF_DENSE_NETWORKS:
        value, default = getattr(estimator, name), defaults[name].default
        if value is not default and value != default:
            raise ParameterError(
                f"{owner}: `network` makes the whole network, so {name}={value!r} would change nothing. "
                f"Leave it out, or let the function do it."
            )


def _optimizer(owner: str, given: Any, learning_rate: Any) -> Any:
    """An optimizer of the estimator's own: training must change no parameter of the estimator."""
    made = copy.deepcopy(optimizers.get(given))
    if made is None:
        raise ParameterTypeError(
            f"{owner}: `optimizer` must be a name or an Optimizer; got optimizer=None. Write "
            f"optimizer='adam'."
        )
    if learning_rate is not None:
        if learning_rate in ("constant", "invscaling", "adaptive"):
            raise ParameterError(
                f"{owner}: `learning_rate` must be None, a number or a schedule; got {learning_rate!r}, a "
                f"word of scikit-learn's MLP. Write learning_rate=0.001, say, or a schedule of "
                f"brickwork.optimizers.schedules."
            )
        made.learning_rate = learning_rate
    return made
