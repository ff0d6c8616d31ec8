"""The multilayer perceptron."""

from __future__ import annotations

from typing import Any

from ..arguments import Many, Whole
from ..layers import Dense, Dropout, Flatten
from ..training.sequential import Sequential
from .parts import RATE, beginning, shape_and_classes

_HIDDEN = Many(Whole(1))


def mlp(
    input_shape: Any = (28, 28, 1),
    classes: int = 10,
    hidden: Any = (256, 128),
    dropout: float = 0.0,
    scale: Any = None,
) -> Sequential:
    """A multilayer perceptron: dense layers with ReLU, and a softmax over the classes.

    Parameters
    ----------
    input_shape : of one sample, without the batch axis; more than one axis is flattened. Default (28, 28, 1).
    classes : whole number of at least 2, default 10.
    hidden : units of the hidden layers, default (256, 128); () gives softmax regression.
    dropout : rate in [0, 1) after each hidden layer, default 0: none.
    scale : inputs are divided by this number, inside the model; or a preprocessing layer, or None (default).

    Raises
    ------
    ParameterError, ParameterTypeError for values outside these ranges.

    Parameters in numbers: 235,146 for images of 28 x 28 in 10 classes. In general (F + 1) units for each
    dense layer on F features.

    >>> mlp((28, 28, 1), 10, scale=255).count_params()
    235146

    Rumelhart, Hinton and Williams, "Learning Representations by Back-Propagating Errors", 1986; with the
    rectifier of Glorot, Bordes and Bengio, 2011.
    """
    shape, classes = shape_and_classes("mlp", input_shape, classes)
    rate = RATE("mlp", "dropout", dropout)
    layers = beginning("mlp", shape, scale)
    if len(shape) != 1:
        layers.append(Flatten())
    for units in _HIDDEN("mlp", "hidden", hidden):
        layers.append(Dense(units, activation="relu", kernel_initializer="he_uniform"))
        if rate:
            layers.append(Dropout(rate))
    return Sequential([*layers, Dense(classes, activation="softmax")], name="mlp")
