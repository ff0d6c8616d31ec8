"""Metrics that count, class by class or above thresholds: by hand, under jit, in batches, and messages."""

from __future__ import annotations

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from brickwork import metrics
from brickwork.errors import ParameterError, ShapeError
from brickwork.metrics import (
    AUC,
    ConfusionMatrix,
    F1Score,
    FBetaScore,
    MeanMetric,
    Precision,
    R2Score,
    Recall,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
    TruePositives,
)

PUBLIC = [getattr(metrics, name) for name in metrics.__all__]
CLASSES = [cls for cls in PUBLIC if inspect.isclass(cls) and cls.__name__ not in ("Metric", "MeanMetric")]
NEEDED = {
    "SensitivityAtSpecificity": {"specificity": 0.6},
    "SpecificityAtSensitivity": {"sensitivity": 0.6},
    "PrecisionAtRecall": {"recall": 0.6},
    "RecallAtPrecision": {"precision": 0.6},
    "IoU": {"num_classes": 3, "target_class_ids": [0], "sparse_y_true": False, "sparse_y_pred": False},
    "MeanIoU": {"num_classes": 3, "sparse_y_true": False, "sparse_y_pred": False},
    "OneHotIoU": {"num_classes": 3, "target_class_ids": [0, 2]},
    "OneHotMeanIoU": {"num_classes": 3},
}


def made(cls):
    return cls(**NEEDED.get(cls.__name__, {}))


COUNTING = [cls for cls in CLASSES if not issubclass(cls, MeanMetric)]
each = pytest.mark.parametrize("cls", COUNTING, ids=lambda cls: cls.__name__)


def data(rng, rows=24):
    return np.eye(3, dtype=np.float32)[rng.integers(0, 3, rows)], rng.dirichlet(np.ones(3), rows)


def test_the_four_counts_by_hand():
    """Weights 1 … 6; a prediction of just 0.5 is not above the threshold."""
    y_true, y_pred = [1, 1, 1, 0, 0, 0], [0.9, 0.5, 0.2, 0.8, 0.5, 0.1]
    weight = [1, 2, 3, 4, 5, 6]
    names = ("TruePositives", "FalseNegatives", "FalsePositives", "TrueNegatives")
    assert [getattr(metrics, name)()(y_true, y_pred) for name in names] == [1, 2, 1, 2]
    assert [getattr(metrics, name)()(y_true, y_pred, weight) for name in names] == [1, 5, 4, 11]
    assert Precision()(y_true, y_pred, weight) == 0.2
    assert Recall()(y_true, y_pred, weight) == pytest.approx(1 / 6)
    several = Precision(thresholds=[0.1, 0.85, 0.95])(y_true, y_pred)
    np.testing.assert_allclose(several, [3 / 5, 1.0, 0.0])


def test_nothing_predicted_and_nothing_there():
    assert Precision()([1, 0], [0.1, 0.2]) == 0.0
    assert Recall()([0, 0], [0.9, 0.2]) == 0.0
    assert Precision().result() == 0.0
    assert F1Score("macro")([[0, 1]], [[0, 0]]) == 0.0
    assert AUC().result() == R2Score().result() == 0.0


def test_predictions_that_are_not_numbers_are_above_nothing():
    y_pred = np.array([np.nan, 0.9])
    assert TruePositives(thresholds=[-1.0, 0.5])([1, 1], y_pred).tolist() == [1, 1]
    assert TopKCategoricalAccuracy(1)([[1, 0]], np.array([[np.nan, 0.5]])) == 0.0


def test_areas_by_hand():
    y_true, y_pred = [0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]
    assert AUC()(y_true, y_pred) == pytest.approx(0.75)  # three of the four pairs stand in the right order
    assert AUC()(y_true, [0.1, 0.2, 0.8, 0.9]) == pytest.approx(1.0)
    assert AUC()(y_true, [0.5] * 4) == pytest.approx(0.5)
    assert AUC(curve="PR")(y_true, [0.1, 0.2, 0.8, 0.9]) == pytest.approx(1.0)
    low, middle, high = (
        AUC(num_thresholds=5, summation_method=how)(y_true, y_pred)
        for how in ("minoring", "interpolation", "majoring")
    )
    assert low < middle < high


def test_the_k_largest():
    y_pred = [[0.1, 0.5, 0.3, 0.3], [0.4, 0.1, 0.4, 0.1]]
    for k, share in ((1, 0.5), (2, 1.0)):
        assert SparseTopKCategoricalAccuracy(k)([2, 0], y_pred) == share
        assert TopKCategoricalAccuracy(k)(np.eye(4)[[2, 0]], y_pred) == share
    assert SparseTopKCategoricalAccuracy(2)([3, 3], y_pred) == 0.5
    images = np.stack([y_pred, y_pred])
    assert SparseTopKCategoricalAccuracy(1)([[2, 0], [1, 1]], images) == 0.5
    assert Precision(top_k=2)(np.eye(4)[[2, 1]], y_pred) == 0.25


def test_which_class_is_taken_for_which():
    y_pred = np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0], [0.3, 0.7, 0.0]])
    wanted = [[1, 1, 0], [0, 0, 0], [0, 1, 0]]
    assert ConfusionMatrix()([0, 0, 2], y_pred).tolist() == wanted
    assert ConfusionMatrix()([[0], [0], [2]], y_pred).tolist() == wanted
    assert ConfusionMatrix(3)(np.eye(3)[[0, 0, 2]], y_pred).tolist() == wanted
    assert ConfusionMatrix()([0, 1, 1], [[0.6], [0.4], [0.7]], [1, 2, 4]).tolist() == [[0, 1], [2, 4]]
    assert ConfusionMatrix(threshold=0.0)([0, 1], [-1.0, 3.0]).tolist() == [[1, 0], [0, 1]]
    assert ConfusionMatrix()([[0, 0], [2, 1]], np.stack([y_pred[:2], y_pred[1:]])).sum() == 4


@each
def test_batches_add_up(cls, rng):
    y_true, y_pred = data(rng)
    weight = rng.uniform(0, 2, len(y_true))
    whole, parts, halves = made(cls), made(cls), made(cls)
    whole.update_state(y_true, y_pred, weight)
    for row in range(len(y_true)):
        parts.update_state(y_true[row : row + 1], y_pred[row : row + 1], weight[row : row + 1])
    np.testing.assert_allclose(parts.result(), whole.result(), rtol=1e-9, atol=1e-12)
    halves.build(y_true.shape, y_pred.shape)
    found = [halves.update(halves.start(), y_true[p], y_pred[p], weight[p]) for p in (slice(9), slice(9, 24))]
    total = tuple(a + b for a, b in zip(*found, strict=True))
    np.testing.assert_allclose(halves.result(total), whole.result(), rtol=1e-9, atol=1e-12)
    whole.reset_state()
    whole.update_state(y_true[:5], y_pred[:5])
    alone = made(cls)
    np.testing.assert_array_equal(alone(y_true[:5], y_pred[:5]), whole.result())


@each
def test_under_jit_in_float32(cls, rng):
    y_true, y_pred = data(rng)
    y_pred, weight = y_pred.astype(np.float32), rng.uniform(0, 2, len(y_true)).astype(np.float32)
    metric = made(cls)
    metric.build(y_true.shape, y_pred.shape)
    start = tuple(jnp.asarray(total, jnp.float32) for total in metric.start())
    totals = jax.jit(metric.update)(start, y_true, y_pred, weight)
    assert [(total.shape, total.dtype) for total in totals] == [(one.shape, "float32") for one in start]
    found = metric.result(tuple(np.array(total) for total in totals))
    np.testing.assert_allclose(found, made(cls)(y_true, y_pred, weight), rtol=2e-5, atol=1e-6)


@each
def test_inputs_are_left_alone(cls, rng):
    y_true, y_pred = data(rng)
    for array in (y_true, y_pred):
        array.setflags(write=False)
    made(cls)(y_true, y_pred)


def test_the_other_harmonic_means():
    y_true, y_pred = np.eye(2)[[0, 0, 1]], np.array([[0.9, 0.1], [0.2, 0.8], [0.1, 0.9]])
    np.testing.assert_allclose(F1Score()(y_true, y_pred), [2 / 3, 2 / 3], rtol=1e-6)
    np.testing.assert_allclose(FBetaScore(beta=2.0)(y_true, y_pred), [5 / 9, 5 / 6], rtol=1e-6)
    assert F1Score("weighted")(y_true, y_pred) == pytest.approx(2 / 3, rel=1e-6)


# Messages.


@pytest.mark.parametrize(
    "metric, y_true, y_pred, message",
    [
        (
            Precision(class_id=3),
            np.eye(3),
            np.eye(3),
            r"class_id=3 takes y_pred of shape \(N, …, C\) with so",
        ),
        (Recall(top_k=4), np.eye(3), np.eye(3), r"top_k=4 takes .* received .* \(3, 3\)\. Leave top_k out"),
        (Precision(top_k=1), [1, 0], [0.5, 0.2], r"top_k=1 takes y_pred of shape \(N, …, C\)"),
        (Precision(), [0, 2, 1], np.eye(3), r"one shape; .* one-hot rows with utils\.to_categorical"),
        (F1Score(), [0, 2, 1], np.eye(3), r"F1Score takes y_true and y_pred of shape \(N, C\).*to_categor"),
        (R2Score(), np.ones((2, 3, 4)), np.ones((2, 3, 4)), r"R2Score takes .* \(2, 3, 4\)\. Put a Flatten"),
        (ConfusionMatrix(4), [0, 1], np.eye(2), r"of 4 classes .* \(2, 2\)\. Leave it out, or write 2"),
        (ConfusionMatrix(), np.eye(2)[:, :1], np.ones((1, 2)), r"class numbers of shape \(1,\), or one-hot"),
        (AUC(multi_label=True), [0, 1], [0.1, 0.2], r"multi_label takes y_pred of shape \(N, L\)"),
        (AUC(multi_label=True, num_labels=3), np.eye(2), np.eye(2), r"\(N, 3\); it received \(2, 2\)"),
        (AUC(label_weights=[1, 2, 3]), np.eye(2), np.eye(2), r"3 label_weights takes y_pred .*, 3\)"),
        (metrics.PearsonCorrelation(axis=2), np.eye(2), np.eye(2), r"along axis 2 takes y_pred of"),
        (metrics.SparseCategoricalCrossentropy(), np.eye(2), np.eye(2), r"use CategoricalCrossentropy"),
        (SparseTopKCategoricalAccuracy(), np.eye(2), np.eye(2), r"use TopKCategoricalAccuracy"),
        (metrics.KLDivergence(), [1.0], [0.5], r"KLDivergence takes x of shape \(N, …, C\)"),
    ],
)
def test_arrays_that_do_not_fit(metric, y_true, y_pred, message):
    with pytest.raises(ShapeError, match=message):
        metric(y_true, y_pred)


def test_one_metric_for_two_widths():
    metric = F1Score()
    metric(np.eye(3), np.eye(3))
    with pytest.raises(
        ShapeError, match=r"F1Score 'f1_score' counts 3 classes; it received 4\. Make another"
    ):
        metric(np.eye(4), np.eye(4))


def test_labels_without_multi_label():
    with pytest.raises(ParameterError, match=r"AUC: `num_labels` must be None unless multi_label=True; got"):
        AUC(num_labels=3)
