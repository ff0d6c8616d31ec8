"""Networks that are ready for `fit`: layers, optimizer and loss chosen together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._lazy import suggest
from .arguments import Many, Maybe, Real, Whole
from .layers import ELU, BatchNormalization, Dense, Dropout, Flatten
from .optimizers import SGD
from .training.sequential import Sequential
from .zoo.parts import RATE, beginning

__all__ = ["default_dnn"]

_SHAPE = Many(Whole(1))
_HIDDEN = Many(Whole(1))
_CLASSES = Maybe(Whole(2))
_LEARNING_RATE = Real(0.0, low_open=True)
_MOMENTUM = Real(0.0, 1.0, high_open=True)


def default_dnn(
    input_shape: Any,
    classes: int | None = 10,
    *,
    hidden: Any = (300, 100),
    dropout: float = 0.2,
    learning_rate: float = 0.01,
    momentum: float = 0.9,
    scale: Any = None,
) -> Sequential:
    """The deep network to begin with where nothing speaks for another one, compiled.

    Each hidden layer is Dense with He's initial values → BatchNormalization → ELU → Dropout; the optimizer
    is gradient descent with Nesterov's momentum. A batch normalization would take a bias before it off again,
    so there is none.

    Parameters
    ----------
    input_shape : of one sample, without the batch axis; more than one axis is flattened.
    classes : at least 2, for targets 0 … classes - 1: softmax and cross-entropy, with the accuracy. None: one
        number, with the mean squared error. Default 10.
    hidden : units of the hidden layers, default (300, 100).
    dropout : rate in [0, 1) behind each hidden layer, default 0.2; 0: none.
    learning_rate : above 0, default 0.01.
    momentum : in [0, 1), default 0.9.
    scale : inputs are divided by this number, inside the model; or a preprocessing layer, or None (default).

    Raises
    ------
    ParameterError, ParameterTypeError for values outside these ranges.

    >>> model = default_dnn((28, 28, 1), 10, scale=255)
    >>> model.optimizer
    SGD(momentum=0.9, nesterov=True)

    He, Zhang, Ren and Sun 2015 (initial values); Ioffe and Szegedy 2015 (batch normalization); Clevert,
    Unterthiner and Hochreiter 2016 (ELU); Srivastava and others 2014 (dropout); Sutskever, Martens, Dahl and
    Hinton 2013 (Nesterov's momentum). Together they are the default of Géron, "Hands-On Machine Learning with
    Scikit-Learn and TensorFlow", 2017.
    """
    owner = "default_dnn"
    shape, classes = _SHAPE(owner, "input_shape", input_shape), _CLASSES(owner, "classes", classes)
    widths, rate = _HIDDEN(owner, "hidden", hidden), RATE(owner, "dropout", dropout)
    optimizer = SGD(
        _LEARNING_RATE(owner, "learning_rate", learning_rate),
        _MOMENTUM(owner, "momentum", momentum),
        nesterov=True,
    )
    laid = beginning(owner, shape, scale)
    if len(shape) != 1:
        laid.append(Flatten())
    for units in widths:
        laid += [Dense(units, use_bias=False, kernel_initializer="he_normal"), BatchNormalization()]
        laid += [ELU(), *([Dropout(rate)] if rate else [])]
    laid.append(Dense(1) if classes is None else Dense(classes, activation="softmax"))
    model = Sequential(laid, name=owner)
    if classes is None:
        model.compile(optimizer, "mean_squared_error")
    else:
        model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


if not TYPE_CHECKING:
    __getattr__ = suggest(__name__)
