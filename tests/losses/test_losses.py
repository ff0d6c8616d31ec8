"""Losses: worked by hand, their bricks, names, and what is refused; beside Keras where it is there."""

from __future__ import annotations

import inspect
import math
import warnings

import numpy as np
import pytest

import brickwork as bw
from brickwork import bricks, losses
from brickwork.catalogue import snake_case
from brickwork.errors import DataError, ParameterError, ParameterTypeError, ShapeError

CLASSES = [
    losses.MeanSquaredError,
    losses.HalfSquaredError,
    losses.CategoricalCrossentropy,
    losses.SparseCategoricalCrossentropy,
    losses.BinaryCrossentropy,
    losses.MeanAbsoluteError,
    losses.MeanAbsolutePercentageError,
    losses.MeanSquaredLogarithmicError,
    losses.Huber,
    losses.LogCosh,
    losses.Poisson,
    losses.CosineSimilarity,
    losses.Hinge,
    losses.SquaredHinge,
    losses.CategoricalHinge,
    losses.KLDivergence,
    losses.BinaryFocalCrossentropy,
    losses.CategoricalFocalCrossentropy,
    losses.CategoricalGeneralizedCrossEntropy,
    losses.Dice,
    losses.Tversky,
]

# By hand.


@pytest.mark.parametrize(
    "loss, y_true, y_pred, expected",
    [
        (losses.MeanSquaredError(), [[0.0, 2.0]], [[0.0, 0.0]], 2.0),
        (losses.MeanSquaredError(), [[0.0], [2.0]], [[1.0], [5.0]], 5.0),
        (losses.MeanSquaredError(reduction="sum"), [[0.0], [2.0]], [[1.0], [5.0]], 10.0),
        (losses.HalfSquaredError(), [[0.0, 2.0]], [[0.0, 0.0]], 2.0),
        (losses.HalfSquaredError(), [[0.0, 1.0, 2.0]], [[1.0, 2.0, 3.0]], 1.5),
        (losses.CategoricalCrossentropy(), [[0, 1, 0]], [[0.05, 0.9, 0.05]], -math.log(0.9)),
        (losses.CategoricalCrossentropy(), [[0, 1, 0]], [[0.5, 9.0, 0.5]], -math.log(0.9)),
        (losses.CategoricalCrossentropy(), [[0.5, 0.5]], [[0.25, 0.75]], -0.5 * math.log(0.25 * 0.75)),
        (losses.CategoricalCrossentropy(from_logits=True), [[1, 0]], [[0.0, 0.0]], math.log(2)),
        (losses.CategoricalCrossentropy(label_smoothing=0.2), [[1, 0]], [[0.5, 0.5]], math.log(2)),
        (losses.CategoricalCrossentropy(label_smoothing=1.0), [[1, 0]], [[0.8, 0.2]], -0.5 * math.log(0.16)),
        (losses.SparseCategoricalCrossentropy(), [1, 0], [[0.05, 0.95], [0.5, 0.5]], -0.5 * math.log(0.475)),
        (
            losses.SparseCategoricalCrossentropy(),
            [[1], [0]],
            [[0.05, 0.95], [0.5, 0.5]],
            -0.5 * math.log(0.475),
        ),
        (losses.SparseCategoricalCrossentropy(from_logits=True), [2], [[0.0, 0.0, 0.0]], math.log(3)),
        (losses.BinaryCrossentropy(), [[1.0], [0.0]], [[0.8], [0.4]], -0.5 * math.log(0.8 * 0.6)),
        (losses.BinaryCrossentropy(), [1, 0], [[0.8], [0.4]], -0.5 * math.log(0.8 * 0.6)),
        (losses.BinaryCrossentropy(from_logits=True), [[1.0, 0.0]], [[0.0, 0.0]], math.log(2)),
        (losses.BinaryCrossentropy(label_smoothing=0.5), [[1.0]], [[0.5]], math.log(2)),
        (losses.BinaryCrossentropy(label_smoothing=1.0), [[1.0]], [[0.8]], -0.5 * math.log(0.16)),
        (losses.MeanAbsoluteError(), [[0.0, 2.0]], [[1.0, -1.0]], 2.0),
        (losses.MeanAbsolutePercentageError(), [[2.0, -4.0]], [[1.0, -1.0]], 62.5),
        (losses.MeanAbsolutePercentageError(), [[0.0]], [[1e-7]], 100.0),
        (losses.MeanSquaredLogarithmicError(), [[0.0, 1.0]], [[-5.0, 3.0]], math.log(2) ** 2 / 2),
        (losses.Huber(), [[0.0, 0.0, 0.0]], [[0.5, 1.0, -3.0]], (0.125 + 0.5 + 2.5) / 3),
        (losses.Huber(delta=2.0, reduction="sum"), [[0.0], [0.0]], [[-1.0], [3.0]], 0.5 + 4.0),
        (losses.LogCosh(), [[0.0, 1.0]], [[1.0, 1.0]], math.log(math.cosh(1.0)) / 2),
        (losses.LogCosh(), [[0.0]], [[-1e5]], 1e5 - math.log(2)),
        (losses.Poisson(), [[2.0, 0.0]], [[math.e - 1e-7, 3.0]], (math.e - 1e-7 - 2 + 3) / 2),
        (losses.CosineSimilarity(), [[3.0, 4.0], [1.0, 0.0]], [[6.0, 8.0], [0.0, 5.0]], -0.5),
        (losses.CosineSimilarity(axis=1), [[[1.0, 0.0], [0.0, 1.0]]], [[[3.0, 4.0], [4.0, 3.0]]], -0.6),
        (losses.CosineSimilarity(), [[0.0, 0.0]], [[6.0, 8.0]], 0.0),
        (losses.Hinge(), [[-1.0, 1.0], [-1.0, -1.0]], [[0.6, 0.4], [0.4, -1.6]], (1.6 + 0.6 + 1.4) / 4),
        (losses.Hinge(), [[0, 1], [0, 0]], [[0.6, 0.4], [0.4, -1.6]], (1.6 + 0.6 + 1.4) / 4),
        (losses.SquaredHinge(), [[0, 1]], [[0.5, 0.5]], (2.25 + 0.25) / 2),
        (losses.CategoricalHinge(), [[0, 1, 0]], [[0.5, 1.0, 0.25]], 0.5),
        (losses.CategoricalHinge(), [[0, 1, 0]], [[-0.5, 0.25, -0.75]], 0.75),
        (losses.CategoricalGeneralizedCrossEntropy(0.25), [1], [[0.9375, 0.0625]], 2.0),
        (losses.CategoricalGeneralizedCrossEntropy(0.25), [0], [[0.0, 1.0]], 4 - 4 * 1e-7**0.25),
        (losses.Dice(), [[1, 1, 0, 0]], [[0.5, 0.5, 0.5, 0.5]], 1 - 2 / (4 + 1e-7)),
        (losses.Dice(), [[1, 1], [0, 1]], [[1.0, 1.0], [1.0, 0.0]], 0.5 + 2e-7 / 4.0 / 4.0),
        (losses.Dice(1), [[[1, 0], [1, 1]]], [[[1.0, 1.0], [0.0, 0.0]]], 1 - 1 / (3 + 1e-7)),
        (losses.Tversky(1.0, 0.0), [[1, 1, 0, 0]], [[0.5, 0.5, 0.5, 0.5]], 1 - 1 / (2 + 1e-7)),
        (losses.Tversky(0.0, 2.0), [[1, 1, 0, 0]], [[0.5, 0.5, 0.5, 0.5]], 1 - 1 / (3 + 1e-7)),
        (losses.KLDivergence(), [[0.5, 0.25, 0.125, 0.125]], [[0.25] * 4], 0.25 * math.log(2)),
        (losses.KLDivergence(), [[0.0, 1.0]], [[0.5, 0.5]], math.log(2) + 1e-7 * math.log(2e-7)),
        (losses.BinaryFocalCrossentropy(), [[1.0, 0.0]], [[0.5, 0.5]], 0.25 * math.log(2)),
        (losses.BinaryFocalCrossentropy(gamma=0.0), [[1.0]], [[0.8]], -math.log(0.8)),
        (losses.BinaryFocalCrossentropy(True, 0.1), [[0.0]], [[0.5]], 0.9 * 0.25 * math.log(2)),
        (losses.BinaryFocalCrossentropy(from_logits=True), [[1.0]], [[0.0]], 0.25 * math.log(2)),
        (losses.CategoricalFocalCrossentropy(), [[0, 1]], [[0.5, 0.5]], 0.25 * 0.25 * math.log(2)),
        (losses.CategoricalFocalCrossentropy(1.0, 0.0), [[0, 1]], [[3.0, 1.0]], math.log(4)),
        (losses.CategoricalFocalCrossentropy((1.0, 3.0), 1.0), [[0, 1]], [[0.5, 0.5]], 1.5 * math.log(2)),
    ],
)
def test_worked_by_hand(loss, y_true, y_pred, expected):
    assert loss(y_true, y_pred) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("size", [1e2, 1e4])
def test_large_logits_are_no_trouble(size):
    assert losses.SparseCategoricalCrossentropy(from_logits=True)([0], [[-size, size]]) == pytest.approx(
        2 * size
    )
    assert losses.CategoricalCrossentropy(from_logits=True)([[0, 1]], [[-size, size]]) == 0
    assert losses.BinaryCrossentropy(from_logits=True)([[0.0, 1.0]], [[size, size]]) == pytest.approx(
        size / 2
    )


def test_probabilities_of_zero_are_clipped_as_by_keras():
    clipped = -math.log(1e-7)
    assert losses.SparseCategoricalCrossentropy()([1], [[1.0, 0.0]]) == pytest.approx(clipped)
    assert losses.BinaryCrossentropy()([[1.0]], [[0.0]]) == pytest.approx(clipped)


def test_weights_of_rows():
    loss = losses.MeanSquaredError()
    y_true, y_pred = [[0.0], [0.0]], [[1.0], [3.0]]
    for weight, expected in ((2.0, 10.0), ([2.0, 1.0], 5.5), ([[2.0], [1.0]], 5.5), ([0, 0], 0.0)):
        assert loss(y_true, y_pred, sample_weight=weight) == expected
    with pytest.raises(
        ShapeError, match=r"sample_weight takes one number per row, shape \(2,\); it received \(3,\)"
    ):
        loss(y_true, y_pred, sample_weight=[1, 2, 3])


def test_several_places_per_sample():
    p = np.full((2, 3, 4), 0.25)
    assert losses.SparseCategoricalCrossentropy()(np.zeros((2, 3), int), p) == pytest.approx(math.log(4))
    assert losses.SparseCategoricalCrossentropy().per_sample(np.zeros((2, 3), int), p).shape == (2,)
    assert losses.MeanSquaredError()(np.zeros((2, 3, 4)), 2 * np.ones((2, 3, 4))) == 4.0


def test_functions_give_one_number_per_sample():
    y, t = np.array([[0.2, 0.8], [0.5, 0.5]]), np.array([[0.0, 1.0], [1.0, 0.0]])
    np.testing.assert_allclose(losses.mean_squared_error(t, y), [0.04, 0.25])
    np.testing.assert_allclose(losses.categorical_crossentropy(t, y), [-math.log(0.8), math.log(2)])
    np.testing.assert_allclose(
        losses.sparse_categorical_crossentropy([1, 0], y), [-math.log(0.8), math.log(2)]
    )
    np.testing.assert_allclose(losses.binary_crossentropy(t, y), [-math.log(0.8), math.log(2)])
    np.testing.assert_allclose(losses.binary_crossentropy(t, 0 * y, from_logits=True), [math.log(2)] * 2)
    np.testing.assert_allclose(losses.mean_absolute_error(t, y), [0.2, 0.5])
    np.testing.assert_allclose(losses.huber(t, y, delta=0.1), [0.1 * 0.15, 0.1 * 0.45])
    np.testing.assert_allclose(losses.hinge(t, y), [(1.2 + 0.2) / 2, (0.5 + 1.5) / 2])


def test_every_function_is_its_loss(rng):
    """Under the snake-case name of each class there is a function, and it gives the class's numbers."""
    y_true, y_pred = np.eye(3)[rng.integers(0, 3, 5)], rng.uniform(0.1, 0.9, (5, 3))
    of_indices = {losses.SparseCategoricalCrossentropy, losses.CategoricalGeneralizedCrossEntropy}
    for cls in set(CLASSES) - {losses.HalfSquaredError} - of_indices:
        function = getattr(losses, snake_case(cls.__name__))
        np.testing.assert_array_equal(function(y_true, y_pred), cls().per_sample(y_true, y_pred))
        assert losses.get(function).get_config() == cls().get_config()
        told = inspect.signature(function).parameters
        given = {name: p.default for name, p in told.items() if p.default is not p.empty}
        assert given.items() <= cls().get_config().items()


# Bricks.


def kinds(loss, activation):
    x = bw.Input((4,))
    units = 1 if activation == "sigmoid" else 3
    model = bw.Model(x, bw.layers.Dense(units, activation)(x))
    model.compile("sgd", loss)
    return [
        type(node.brick).__name__ for node in model._plan.program.graph.nodes if node.layer.startswith("loss")
    ]


@pytest.mark.parametrize(
    "loss, activation, brick",
    [
        ("sparse_categorical_crossentropy", "softmax", "SoftmaxCrossEntropy"),
        ("categorical_crossentropy", "softmax", "SoftmaxCrossEntropy"),
        ("categorical_crossentropy", "sigmoid", "CrossEntropy"),
        ("binary_crossentropy", "sigmoid", "SigmoidCrossEntropy"),
        ("binary_crossentropy", "softmax", "BinaryCrossEntropy"),
        (losses.SparseCategoricalCrossentropy(from_logits=True), None, "SoftmaxCrossEntropy"),
        (losses.BinaryCrossentropy(from_logits=True), None, "SigmoidCrossEntropy"),
        ("mse", None, "MeanSquaredError"),
        ("half_squared_error", None, "HalfSquaredError"),
    ],
)
def test_which_bricks_are_laid(loss, activation, brick):
    laid = kinds(loss, activation)
    assert brick in laid and laid[-1] == "WeightedMean"
    assert ("Reciprocal" in laid) == (brick == "CrossEntropy")


def test_softmax_and_loss_are_one_even_through_a_nested_network(rng):
    inner = bw.Sequential([bw.Input((4,)), bw.layers.Dense(3), bw.layers.Softmax()])
    x = bw.Input((4,))
    model = bw.Model(x, inner(x))
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.set_weights([1e4 * rng.normal(size=(4, 3)), np.zeros(3)])
    data = rng.normal(size=(9, 4))
    labels = np.argmin(model.predict(data, verbose=0), axis=1)
    loss = model.evaluate(data, labels, verbose=0)
    assert 1e3 < loss < 1e5  # clipped probabilities would give 16.1


def test_gradients_of_losses_on_logits_and_on_probabilities_agree(rng):
    """The pair in one brick is the same function as the two bricks."""
    bw.config.set_floatx("float64")
    try:
        found = []
        for together in (True, False):
            bw.utils.set_random_seed(2)
            x = bw.Input((4,))
            p = bw.layers.Dense(3, "softmax")(x)
            p = p if together else bricks.Identity()(p)
            model = bw.Model(x, p)
            model.compile("sgd", "sparse_categorical_crossentropy")
            energy, gradients = model.gradients(np.ones((5, 4)) * 0.1, np.array([0, 1, 2, 0, 1]))
            found.append((energy, *gradients.values()))
    finally:
        bw.config.set_floatx("float32")
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-12)


# By name.


@pytest.mark.parametrize(
    "name, cls",
    [
        ("mse", losses.MeanSquaredError),
        ("mean_squared_error", losses.MeanSquaredError),
        ("MeanSquaredError", losses.MeanSquaredError),
        ("half_squared_error", losses.HalfSquaredError),
        ("bce", losses.BinaryCrossentropy),
        ("mae", losses.MeanAbsoluteError),
        ("MAPE", losses.MeanAbsolutePercentageError),
        ("msle", losses.MeanSquaredLogarithmicError),
        ("kld", losses.KLDivergence),
        ("kl_divergence", losses.KLDivergence),
        ("log_cosh", losses.LogCosh),
        (losses.categorical_focal_crossentropy, losses.CategoricalFocalCrossentropy),
        ("categorical_crossentropy", losses.CategoricalCrossentropy),
        ("SparseCategoricalCrossentropy", losses.SparseCategoricalCrossentropy),
        (losses.sparse_categorical_crossentropy, losses.SparseCategoricalCrossentropy),
        (losses.mean_squared_error, losses.MeanSquaredError),
        (losses.binary_crossentropy, losses.BinaryCrossentropy),
        (losses.categorical_crossentropy, losses.CategoricalCrossentropy),
        (losses.HalfSquaredError, losses.HalfSquaredError),
    ],
)
def test_names(name, cls):
    assert type(losses.get(name)) is cls


@pytest.mark.parametrize("cls", CLASSES)
def test_configurations_come_back(cls):
    loss = cls(reduction="sum", name="mine")
    told = losses.serialize(loss)
    again = losses.get(told)
    assert type(again) is cls and again.get_config() == loss.get_config()
    assert losses.get(again) is again


def test_losses_of_ones_own():
    class Mine(losses.MeanSquaredError):
        pass

    told = losses.serialize(Mine())
    assert type(losses.deserialize(told, {"Mine": Mine})) is Mine
    with pytest.raises(ParameterError, match=r"A loss must be one of .*; got 'Mine'"):
        losses.get(told)
    function = losses.get(lambda t, y: y)
    assert function.name == "<lambda>"
    with pytest.raises(
        ParameterTypeError, match=r"Only losses that are classes can be saved; got the function '<lambda>'"
    ):
        losses.serialize(function)


@pytest.mark.parametrize(
    "given, kind, message",
    [
        (
            "mea_squared_error",
            ParameterError,
            r"A loss must be one of 'mean_squared_error', 'half_squared_error', .*; got "
            r"'mea_squared_error'\. Did you mean 'mean_squared_error'\?",
        ),
        ("hingee", ParameterError, r"or a function that lays bricks; got 'hingee'\. Did you mean 'hinge'\?"),
        (
            3,
            ParameterTypeError,
            r"A loss must be a name, a Loss or a function that lays bricks; got 3 of type int",
        ),
        (int, ParameterTypeError, r"got <class 'int'> of type type"),
        (None, ParameterTypeError, r"got None of type NoneType"),
        (
            {"class": "mse"},
            ParameterError,
            r"must be a dict with 'class_name' and 'config'; got \{'class': 'mse'\}\. Write what serialize",
        ),
    ],
)
def test_what_is_no_loss(given, kind, message):
    with pytest.raises(kind, match=message):
        losses.get(given)


# Arguments.


@pytest.mark.parametrize(
    "loss, y_true, y_pred, kind, message",
    [
        (
            losses.SparseCategoricalCrossentropy(),
            [3],
            [[0.3, 0.3, 0.4]],
            DataError,
            r"Labels must be whole numbers in 0 … 2, since the predictions have 3 classes; it "
            r"received \[3\]\. Number",
        ),
        (losses.SparseCategoricalCrossentropy(), [-1], [[0.3, 0.7]], DataError, r"in 0 … 1"),
        (
            losses.SparseCategoricalCrossentropy(),
            [0.5],
            [[0.3, 0.7]],
            DataError,
            r"Labels must be whole numbers",
        ),
        (losses.SparseCategoricalCrossentropy(), ["a"], [[0.3, 0.7]], DataError, r"it received \['a'\]"),
        (
            losses.SparseCategoricalCrossentropy(),
            [0, 1],
            [0.3, 0.7],
            ShapeError,
            r"Class indices go with predictions of shape \(N, …, C\)",
        ),
        (
            losses.CategoricalCrossentropy(),
            [[1, 0, 0]],
            [[0.3, 0.7]],
            ShapeError,
            r"takes t of shape|takes y and t",
        ),
        (losses.MeanSquaredError(), [[1, 0, 0]], [[0.3, 0.7]], ShapeError, r"takes y and t of equal shapes"),
        (
            losses.CategoricalHinge(),
            [1.0],
            [0.3],
            ShapeError,
            r"CategoricalHinge takes x of shape \(N, …, C\)",
        ),
        (losses.KLDivergence(), [1.0], [0.3], ShapeError, r"KLDivergence takes x of shape \(N, …, C\)"),
        (
            losses.CosineSimilarity(0),
            [[1.0]],
            [[0.3]],
            ShapeError,
            r"takes an axis in \[1, 1\] or \[-1, -1\]",
        ),
        (
            losses.CategoricalFocalCrossentropy((0.1, 0.2)),
            [[1, 0, 0]],
            [[0.3, 0.3, 0.4]],
            ShapeError,
            r"takes an alpha for each of the 3 classes; it received 2\. Give one number for all, or 3",
        ),
    ],
)
def test_arrays_that_do_not_fit(loss, y_true, y_pred, kind, message):
    with pytest.raises(kind, match=message):
        loss(y_true, y_pred)


# Beside Keras.


@pytest.fixture(scope="module")
def keras():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("keras")


PAIRS = [
    ("MeanSquaredError", {}, "values"),
    ("MeanSquaredError", {"reduction": "sum"}, "values"),
    ("CategoricalCrossentropy", {}, "one-hot"),
    ("CategoricalCrossentropy", {"label_smoothing": 0.3}, "one-hot"),
    ("CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, "one-hot"),
    ("SparseCategoricalCrossentropy", {}, "index"),
    ("SparseCategoricalCrossentropy", {"from_logits": True, "reduction": "sum"}, "index"),
    ("BinaryCrossentropy", {}, "one-hot"),
    ("BinaryCrossentropy", {"label_smoothing": 0.3, "reduction": "mean"}, "one-hot"),
    ("BinaryCrossentropy", {"from_logits": True}, "one-hot"),
    ("MeanAbsoluteError", {}, "values"),
    ("MeanAbsolutePercentageError", {"reduction": "sum"}, "values"),
    ("MeanSquaredLogarithmicError", {}, "values"),
    ("Huber", {"delta": 0.4}, "values"),
    ("LogCosh", {}, "values"),
    ("Poisson", {}, "one-hot"),
    ("CosineSimilarity", {}, "values"),
    ("Hinge", {}, "values"),
    ("Hinge", {}, "one-hot"),
    ("SquaredHinge", {"reduction": "sum"}, "one-hot"),
    ("CategoricalHinge", {}, "one-hot"),
    ("KLDivergence", {}, "one-hot"),
    ("BinaryFocalCrossentropy", {}, "one-hot"),
    ("BinaryFocalCrossentropy", {"apply_class_balancing": True, "alpha": 0.7, "gamma": 3.0}, "one-hot"),
    ("BinaryFocalCrossentropy", {"from_logits": True, "label_smoothing": 0.2}, "one-hot"),
    ("CategoricalFocalCrossentropy", {}, "one-hot"),
    ("CategoricalGeneralizedCrossEntropy", {"q": 0.7}, "index"),
    ("Dice", {"axis": -1}, "one-hot"),
    ("Tversky", {"alpha": 0.2, "beta": 0.9, "axis": 1, "reduction": "sum"}, "one-hot"),
    ("CategoricalFocalCrossentropy", {"alpha": [0.1, 0.5, 2.0], "gamma": 0.5}, "one-hot"),
    ("CategoricalFocalCrossentropy", {"from_logits": True, "label_smoothing": 0.2}, "one-hot"),
]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name, config, kind", PAIRS)
@pytest.mark.parametrize("weighted", [False, True])
def test_numbers_of_keras(keras, rng, name, config, kind, weighted):
    labels = rng.integers(0, 3, 12)
    y_true = {"index": labels, "one-hot": np.eye(3)[labels], "values": rng.normal(size=(12, 3))}[kind]
    y_pred = (
        rng.normal(size=(12, 3))
        if config.get("from_logits") or kind == "values"
        else rng.uniform(0.05, 0.95, (12, 3))
    )
    weight = rng.uniform(0, 2, 12) if weighted else None
    theirs = getattr(keras.losses, name)(**config)
    expected = float(
        theirs(
            y_true.astype("int32" if kind == "index" else "float32"),
            y_pred.astype("float32"),
            sample_weight=weight,
        )
    )
    assert getattr(losses, name)(**config)(y_true, y_pred, sample_weight=weight) == pytest.approx(
        expected, rel=2e-6
    )


@pytest.mark.parametrize(
    "name",
    [cls.__name__ for cls in CLASSES if cls is not losses.HalfSquaredError],
)
def test_arguments_of_keras(keras, name):
    def named(cls):
        return {
            p.name: p.default
            for p in inspect.signature(cls).parameters.values()
            if p.name not in ("name", "dtype")
        }

    assert named(getattr(losses, name)) == named(getattr(keras.losses, name))


def test_of_one_sample_the_overlap_is_that_of_keras(keras, rng):
    """Keras takes a whole batch for one set, where no axis is named."""
    y_true, y_pred = rng.integers(0, 2, (1, 4, 5, 2)), rng.uniform(0, 1, (1, 4, 5, 2))
    for name in ("Dice", "Tversky"):
        expected = float(getattr(keras.losses, name)()(y_true.astype("float32"), y_pred.astype("float32")))
        assert getattr(losses, name)()(y_true, y_pred) == pytest.approx(expected, rel=2e-6)
    by_class = losses.Dice((1, 2)).per_sample(y_true, y_pred)
    each = np.asarray(keras.losses.dice(y_true.astype("float32"), y_pred.astype("float32"), axis=(1, 2)))
    assert each.shape == (1, 2)
    np.testing.assert_allclose(by_class, each.mean(axis=1), rtol=2e-6)
