"""Networks that tests hand to estimators as functions; in a module, so that they can be pickled."""

from __future__ import annotations

import time

from brickwork import Input, Model, Sequential
from brickwork.layers import BatchNormalization, Conv2D, Dense, Dropout, Flatten, Reshape


def small(features, outputs):
    """Ends as classifiers need it; the layers name no seeds."""
    ending = "softmax" if outputs > 1 else "sigmoid"
    return Sequential([Dense(16, activation="relu"), Dropout(0.1), Dense(outputs, activation=ending)])


class Told:
    """A function told by its name, not its address: processes that share the tests call them alike."""

    def __init__(self, make):
        self.make = make

    def __call__(self, features, outputs):
        return self.make(features, outputs)

    def __repr__(self):
        return self.make.__name__


def slow(features, outputs):
    """Sleeps between its layers, so that another thread has the time to disturb it."""
    x = y = Input((features,))
    for _ in range(3):
        y = Dense(4, activation="tanh")(y)
        time.sleep(0.03)
    return Model(x, Dense(outputs, activation="softmax")(y))


def linear(features, outputs):
    x = Input((features,))
    return Model(x, Dense(outputs)(BatchNormalization()(Dense(8, activation="tanh", name="inner")(x))))


def two_units(features, outputs):
    """Two softmax units where an estimator would take one sigmoid."""
    return Sequential([Input((features,)), Dense(2, activation="softmax")])


def images(features, outputs):
    """Digits as images."""
    return Sequential(
        [
            Input((features,)),
            Reshape((8, 8, 1)),
            Conv2D(4, 3, activation="relu", name="filters"),
            Flatten(),
            Dense(outputs, activation="softmax"),
        ]
    )
