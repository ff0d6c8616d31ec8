"""Small networks and data that the tests of models share."""

from __future__ import annotations

import numpy as np

import brickwork as bw

ROWS = 20


def digits(rng, rows=ROWS, classes=3):
    """(x, y): four features, class indices."""
    return rng.normal(size=(rows, 4)).astype(np.float32), rng.integers(0, classes, rows)


def classifier(units=3, dropout=0.0, norm=False, **compile_arguments):
    """4 features, 5 hidden units, softmax; the same weights each time."""
    bw.utils.set_random_seed(3)
    x = bw.Input((4,), name="x")
    y = bw.layers.Dense(5, "tanh", name="hidden")(x)
    if norm:
        y = bw.layers.BatchNormalization(name="norm")(y)
    if dropout:
        y = bw.layers.Dropout(dropout, name="dropout")(y)
    model = bw.Model(x, bw.layers.Dense(units, "softmax", name="out")(y))
    return compiled(model, **compile_arguments)


def regressor(**compile_arguments):
    """4 features, one linear unit."""
    bw.utils.set_random_seed(3)
    x = bw.Input((4,), name="x")
    model = bw.Model(x, bw.layers.Dense(1, name="out")(x))
    return compiled(model, **{"loss": "mse", **compile_arguments})


def two_outputs(as_dict=False, **compile_arguments):
    """4 features; classes and amounts."""
    bw.utils.set_random_seed(3)
    x = bw.Input((4,), name="x")
    h = bw.layers.Dense(5, "tanh", name="hidden")(x)
    p, q = bw.layers.Dense(3, "softmax", name="classes")(h), bw.layers.Dense(2, name="amounts")(h)
    model = bw.Model(x, {"kinds": p, "sizes": q} if as_dict else [p, q])
    if compile_arguments:
        compiled(model, **compile_arguments)
    return model


def compiled(model, **arguments):
    arguments = {"optimizer": bw.optimizers.Adam(0.01), "seed": 5, **arguments}
    arguments.setdefault("loss", "sparse_categorical_crossentropy")
    model.compile(**arguments)
    return model


def same(left, right):
    """Whether two models hold the same weights, bit for bit."""
    pairs = zip(left.get_weights(), right.get_weights(), strict=True)
    return all(np.array_equal(w, v) and w.dtype == v.dtype for w, v in pairs)


def batches(x, y, size=8):
    """The rows as a list of batches."""
    return [(x[start : start + size], y[start : start + size]) for start in range(0, len(x), size)]
