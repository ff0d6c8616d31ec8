"""Metrics: numbers by hand, weights, the pure protocol under jit, the kind that shapes call for, messages."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from brickwork import metrics
from brickwork.errors import ParameterTypeError, ShapeError
from brickwork.metrics import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    MeanAbsoluteError,
    MeanMetric,
    MeanMetricWrapper,
    MeanSquaredError,
    SparseCategoricalAccuracy,
)

ALL = [
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    MeanSquaredError,
    MeanAbsoluteError,
]
P = np.array([[0.1, 0.7, 0.2], [0.6, 0.3, 0.1], [0.2, 0.2, 0.6], [0.1, 0.8, 0.1]], np.float32)
ONE_HOT = np.eye(3, dtype=np.float32)

# (metric, y_true, y_pred, the value of each sample)
CASES = [
    (Accuracy(), [1, 2, 3, 4], np.array([0, 2, 3, 4]), [0, 1, 1, 1]),
    (BinaryAccuracy(), [1, 1, 0, 0], np.array([[0.9], [0.5], [0.1], [0.6]], np.float32), [1, 0, 1, 0]),
    (
        BinaryAccuracy(threshold=0.4),
        [[1, 0], [0, 1]],
        np.array([[0.5, 0.1], [0.5, 0.6]], np.float32),
        [1, 0.5],
    ),
    (CategoricalAccuracy(), ONE_HOT[[1, 0, 1, 2]], P, [1, 1, 0, 0]),
    (SparseCategoricalAccuracy(), np.array([1, 0, 1, 2], np.uint8), P, [1, 1, 0, 0]),
    (SparseCategoricalAccuracy(), [[1], [0], [1], [2]], P, [1, 1, 0, 0]),
    (SparseCategoricalAccuracy(), [1.0, 0.0, 1.0, 2.0], P, [1, 1, 0, 0]),
    (SparseCategoricalAccuracy(), [[1, 0], [0, 2]], np.stack([P[:2], P[2:]]), [1, 0]),
    (MeanSquaredError(), [[0, 1], [0, 0]], np.array([[1, 1], [2, 0]], np.float32), [0.5, 2]),
    (MeanSquaredError(), [0, 3], np.array([[1], [1]], np.float32), [1, 4]),
    (MeanAbsoluteError(), [[0, 1], [0, 0]], np.array([[1, 1], [-2, 0]], np.float32), [0.5, 1]),
    (MeanMetricWrapper(lambda t, p: p - t, name="bias"), [1, 1], np.array([2, 4], np.float32), [1, 3]),
]
EACH = pytest.mark.parametrize(
    "metric, y_true, y_pred, expected", CASES, ids=lambda value: getattr(value, "name", "")
)


@EACH
def test_numbers_by_hand(metric, y_true, y_pred, expected):
    metric.reset_state()
    metric.update_state(y_true, y_pred)
    assert metric.result() == pytest.approx(np.mean(expected))
    assert isinstance(metric.result(), float)


@EACH
def test_weights(metric, y_true, y_pred, expected):
    weight = np.arange(len(expected)) + 0.5
    mean = np.average(expected, weights=weight)
    totals = metric.update(metric.start(), np.asarray(y_true), y_pred, weight)
    assert metric.result(totals) == pytest.approx(mean)
    metric.reset_state()
    assert metric(y_true, y_pred, weight) == pytest.approx(mean)
    assert metric(y_true, y_pred, weight[:, None].tolist()) == pytest.approx(mean)


@EACH
def test_batches_add_up(metric, y_true, y_pred, expected):
    metric.reset_state()
    for row in range(len(expected)):
        metric.update_state(y_true[row : row + 1], y_pred[row : row + 1])
    assert metric.result() == pytest.approx(np.mean(expected))


@EACH
def test_under_jit_in_float32(metric, y_true, y_pred, expected):
    if not np.issubdtype(y_pred.dtype, np.floating):
        y_pred = y_pred.astype(np.int32)
    weight = np.arange(len(expected), dtype=np.float32)
    y_true = jnp.asarray(y_true)

    totals = jax.jit(metric.update)((jnp.float32(0), jnp.float32(0)), y_true, y_pred, weight)
    assert {total.dtype for total in totals} == {jnp.dtype("float32")}
    assert metric.result(tuple(map(float, totals))) == pytest.approx(np.average(expected, weights=weight))

    whole = jax.jit(lambda t, p: metric.result(metric.update(metric.start(), t, p)))
    assert float(whole(y_true, y_pred)) == pytest.approx(np.mean(expected), rel=1e-6)


@EACH
def test_values_of_float32_are_float32(metric, y_true, y_pred, expected):
    values = metric.values(np.asarray(y_true), y_pred)
    assert values.dtype == np.float32 or isinstance(metric, MeanMetricWrapper)


def test_no_samples_give_zero():
    assert Accuracy().result() == 0.0
    metric = MeanSquaredError()
    assert metric([[1.0]], [[3.0]], sample_weight=0.0) == 0.0
    empty = jax.jit(lambda weight: metric.result((weight, weight)))
    assert float(empty(jnp.float32(0))) == 0.0


def test_one_number_weighs_every_sample():
    metric = MeanSquaredError()
    metric.update_state([0.0], [1.0], sample_weight=3.0)
    metric.update_state([0.0], [2.0])
    assert metric.result() == pytest.approx((3 * 1 + 4) / 4)


def test_reset_forgets():
    metric = MeanAbsoluteError()
    metric.update_state([0.0], [5.0])
    metric.reset_state()
    assert metric.kept == (0.0, 0.0)


def test_jax_arrays_can_be_given_by_hand():
    metric = MeanAbsoluteError()
    metric.update_state(jnp.zeros(2), jnp.array([1.0, 2.0]))
    assert metric.result() == 1.5


def test_long_epochs_lose_nothing():
    """In float32, 2**24 + 1 = 2**24."""
    totals = Accuracy().update((2.0**24, 2.0**24), np.ones(1), np.ones(1, np.float32))
    assert [float(total) for total in totals] == [2**24 + 1, 2**24 + 1]


@pytest.mark.parametrize(
    "target, output, kind",
    [
        ((None, 1), (None, 1), BinaryAccuracy),
        ((None,), (None, 1), BinaryAccuracy),
        ((None,), (None, 10), SparseCategoricalAccuracy),
        ((None, 1), (None, 10), SparseCategoricalAccuracy),
        ((None, 10), (None, 10), CategoricalAccuracy),
        ((None, 7), (None, 7, 10), SparseCategoricalAccuracy),
        ((None, 7, 10), (None, 7, 10), CategoricalAccuracy),
    ],
)
@pytest.mark.parametrize("word", ["accuracy", "acc"])
def test_the_kind_of_accuracy_that_shapes_call_for(word, target, output, kind):
    metric = metrics.resolve(word, target, output)
    assert type(metric) is kind
    assert metric.name == word


def test_a_metric_named_by_a_string_reports_under_it():
    assert metrics.resolve("mse", (None, 1), (None, 1)).name == "mse"
    assert metrics.resolve(MeanSquaredError, (None, 1), (None, 1)).name == "mean_squared_error"
    mine = MeanSquaredError(name="mine")
    assert metrics.resolve(mine, (None, 1), (None, 1)) is mine


def test_a_function_is_a_metric():
    def bias(y_true, y_pred):
        return y_pred - y_true

    metric = metrics.get(bias)
    assert metric.name == "bias"
    assert metric([1.0], [4.0]) == 3.0


def test_a_function_cannot_be_saved():
    with pytest.raises(
        ParameterTypeError, match="Only metrics that are classes can be saved; got the function"
    ):
        metrics.serialize(metrics.get(lambda y_true, y_pred: y_pred))


def test_none_is_no_metric():
    with pytest.raises(ParameterTypeError, match="A metric must be .* got None. Leave it out"):
        metrics.resolve(None, (None,), (None, 10))


def test_wrapper_needs_a_function():
    with pytest.raises(
        ParameterTypeError, match="`fn` must be a function of y_true and y_pred; got fn=3 of type int"
    ):
        MeanMetricWrapper(3)


def test_a_metric_of_the_users_own():
    class Largest(MeanMetric):
        name = "largest"

        def values(self, y_true, y_pred):
            return abs(y_pred - y_true).max(axis=1)

    assert metrics.get(Largest)([[0, 0]], [[1.0, -3.0]]) == 3.0
    assert metrics.serialize(Largest()) == {"class_name": "Largest", "config": {}}


def test_names_aliases_and_directions():
    assert [cls().name for cls in ALL] == [
        "accuracy",
        "binary_accuracy",
        "categorical_accuracy",
        "sparse_categorical_accuracy",
        "mean_squared_error",
        "mean_absolute_error",
    ]
    assert [cls.direction for cls in ALL] == ["up"] * 4 + ["down"] * 2
    assert [type(metrics.get(word)) for word in ("acc", "mse", "MAE")] == [
        Accuracy,
        MeanSquaredError,
        MeanAbsoluteError,
    ]


@pytest.mark.parametrize("cls", [Accuracy, BinaryAccuracy, CategoricalAccuracy, MeanSquaredError])
def test_refuses_targets_of_another_shape(cls):
    message = rf"{cls.__name__} takes y_true and y_pred of one shape; .* \(4,\) and .* \(4, 3\). Reshape"
    with pytest.raises(ShapeError, match=message):
        cls()([0, 1, 2, 1], P)


def test_refuses_one_hot_targets_where_labels_belong():
    message = r"whole numbers of shape \(4,\) for y_pred of shape \(4, 3\); it .* \(4, 3\). For one-hot"
    with pytest.raises(ShapeError, match=message):
        SparseCategoricalAccuracy()(ONE_HOT[[1, 0, 1, 2]], P)


def test_refuses_weights_of_another_shape():
    with pytest.raises(
        ShapeError, match=r"`sample_weight` must be one number or have the shape \(4,\); it .* \(3,\)"
    ):
        SparseCategoricalAccuracy()([0, 1, 2, 1], P, sample_weight=[1, 2, 3])
