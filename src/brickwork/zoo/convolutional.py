"""Two small convolutional networks: LeNet-5, and the one that lectures train on Fashion-MNIST."""

from __future__ import annotations

from typing import Any

from ..arguments import Choice
from ..layers import AveragePooling2D, Conv2D, Dense, Dropout, Flatten, MaxPooling2D
from ..training.sequential import Sequential
from .parts import RATE, beginning, require_image, shape_and_classes

_ACTIVATION = Choice(("relu", "tanh"))
_POOLING = Choice(("max", "average"))

_SMALLEST = 4
"""Two poolings halve the image twice, and one pixel must be left."""

_VALID_FROM = 12
"""Pixels from which the second convolution of LeNet-5 fits in unpadded: 12 -> pooled 6 -> 5 x 5 leaves 2."""


def lenet5(
    input_shape: Any = (28, 28, 1),
    classes: int = 10,
    activation: str = "relu",
    pooling: str = "max",
    dropout: float = 0.0,
    scale: Any = None,
) -> Sequential:
    """LeNet-5: two convolutions of 5 x 5 with pooling (6 and 16 channels), dense layers of 120 and 84.

    Parameters
    ----------
    input_shape : (H, W, C), at least 4 x 4 pixels; default (28, 28, 1). Below 12 pixels the second
        convolution is padded too ("same"), since its 5 x 5 would not fit.
    classes : whole number of at least 2, default 10.
    activation : "relu" (default), or "tanh" as in the paper.
    pooling : "max" (default), or "average", which is nearer to the paper.
    dropout : rate in [0, 1) after both hidden dense layers, default 0: none.
    scale : pixels are divided by this number, inside the model; or a preprocessing layer, or None (default).

    Raises
    ------
    ShapeError for what is no image or too small; ParameterError, ParameterTypeError for other wrong values.

    Parameters in numbers: 61,706 for images of 28 x 28 in 10 classes.

    As commonly rewritten, it differs from the paper (60,000 parameters): 28 x 28 pixels are padded by the
    first convolution, where the paper has images of 32 x 32; every channel of the second convolution sees all
    six of the first, where the paper has a table of connections; pooling learns no gain and bias; softmax and
    cross-entropy stand for radial basis functions; ReLU and maxima, unless the arguments say otherwise, for
    scaled tanh and means.

    >>> lenet5((28, 28, 1), 10, scale=255).count_params()
    61706

    LeCun, Bottou, Bengio and Haffner, "Gradient-Based Learning Applied to Document Recognition", 1998.
    """
    shape, classes = shape_and_classes("lenet5", input_shape, classes)
    require_image("lenet5", shape, _SMALLEST)
    activation = _ACTIVATION("lenet5", "activation", activation)
    rate = RATE("lenet5", "dropout", dropout)
    pool = {"max": MaxPooling2D, "average": AveragePooling2D}[_POOLING("lenet5", "pooling", pooling)]
    kernel = {"relu": "he_uniform", "tanh": "glorot_uniform"}[activation]
    second = "valid" if min(shape[:2]) >= _VALID_FROM else "same"
    layers = [
        *beginning("lenet5", shape, scale),
        Conv2D(6, 5, padding="same", activation=activation, kernel_initializer=kernel),
        pool(2),
        Conv2D(16, 5, padding=second, activation=activation, kernel_initializer=kernel),
        pool(2),
        Flatten(),
    ]
    for units in (120, 84):
        layers.append(Dense(units, activation=activation, kernel_initializer=kernel))
        if rate:
            layers.append(Dropout(rate))
    return Sequential([*layers, Dense(classes, activation="softmax")], name="lenet5")


def convnet(
    input_shape: Any = (28, 28, 1),
    classes: int = 10,
    dropout: float = 0.25,
    dense_dropout: float = 0.0,
    scale: Any = None,
) -> Sequential:
    """The lectures' FashionSimpleNet: two convolutions of 3 x 3 with pooling (32 and 64 channels), dense 128.

    Parameters
    ----------
    input_shape : (H, W, C), at least 4 x 4 pixels; default (28, 28, 1).
    classes : whole number of at least 2, default 10.
    dropout : rate in [0, 1) after the second pooling, default 0.25.
    dense_dropout : rate in [0, 1) after the dense layer, default 0: none.
    scale : pixels are divided by this number, inside the model; or a preprocessing layer, or None (default).

    Raises
    ------
    ShapeError for what is no image or too small; ParameterError, ParameterTypeError for other wrong values.

    Parameters in numbers: 421,642 for images of 28 x 28 in 10 classes.

    >>> convnet((28, 28, 1), 10, scale=255).count_params()
    421642

    The plan is that of LeCun et al., 1998, with today's parts: small kernels (Simonyan and Zisserman, "Very
    Deep Convolutional Networks for Large-Scale Image Recognition", 2014), rectifiers, and dropout.
    """
    shape, classes = shape_and_classes("convnet", input_shape, classes)
    require_image("convnet", shape, _SMALLEST)
    rate = RATE("convnet", "dropout", dropout)
    dense_rate = RATE("convnet", "dense_dropout", dense_dropout)
    return Sequential(
        [
            *beginning("convnet", shape, scale),
            Conv2D(32, 3, padding="same", activation="relu", kernel_initializer="he_uniform"),
            MaxPooling2D(2),
            Conv2D(64, 3, padding="same", activation="relu", kernel_initializer="he_uniform"),
            MaxPooling2D(2),
            Flatten(),
            *([Dropout(rate)] if rate else []),
            Dense(128, activation="relu", kernel_initializer="he_uniform"),
            *([Dropout(dense_rate)] if dense_rate else []),
            Dense(classes, activation="softmax"),
        ],
        name="convnet",
    )
