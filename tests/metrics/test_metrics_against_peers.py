"""Every metric against Keras's, over batches with and without weights; what counts against scikit-learn."""

from __future__ import annotations

import inspect
import warnings

import numpy as np
import pytest

from brickwork import metrics
from brickwork.errors import ParameterError, ShapeError

N, C = 40, 4


@pytest.fixture(scope="module")
def keras():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("keras")


def one_hot(rng, rows=N):
    return np.eye(C, dtype=np.float32)[rng.integers(0, C, rows)]


def probabilities(rng, shape=(N, C)):
    """Of few different values, so that many equal a threshold or one another; none is 0 or 1."""
    return rng.integers(1, 20, shape).astype(np.float32) / 20


DRAWN = {
    "rows": lambda rng: (one_hot(rng), rng.dirichlet(np.ones(C), N).astype(np.float32)),
    "bits": lambda rng: (rng.integers(0, 2, (N, 1)).astype(np.float32), probabilities(rng, (N, 1))),
    "labels": lambda rng: (rng.integers(0, 2, (N, C)).astype(np.float32), probabilities(rng)),
    "signs": lambda rng: (2 * rng.integers(0, 2, (N, C)) - 1.0, rng.normal(size=(N, C))),
    "scores": lambda rng: (rng.integers(0, 2, (N, C)).astype(np.float32), rng.normal(size=(N, C))),
    "class": lambda rng: (rng.integers(0, C, N), rng.dirichlet(np.ones(C), N).astype(np.float32)),
    "class scores": lambda rng: (rng.integers(0, C, N), rng.normal(size=(N, C))),
    "numbers": lambda rng: (rng.normal(size=(N, C)), rng.normal(size=(N, C))),
    "positive": lambda rng: (rng.uniform(0.1, 2, (N, C)), rng.uniform(0.1, 2, (N, C))),
    "one": lambda rng: (rng.normal(size=(N, 1)), rng.normal(size=(N, 1))),
    "places": lambda rng: (rng.normal(size=(N, 3, C)), rng.normal(size=(N, 3, C))),
    "named": lambda rng: (rng.integers(0, C, N), rng.integers(0, C - 1, N)),
    "maps": lambda rng: (rng.integers(0, C, (N, 5)), rng.normal(size=(N, 5, C))),
    "ranked": lambda rng: (rng.integers(0, C, N), np.argsort(rng.random((N, C)), axis=1)),
}
CASES = [
    ("TopKCategoricalAccuracy", {"k": 2}, "rows"),
    ("TopKCategoricalAccuracy", {"k": 3}, "labels"),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, "class"),
    ("SparseTopKCategoricalAccuracy", {"k": 2, "from_sorted_ids": True}, "ranked"),
    ("RootMeanSquaredError", {}, "numbers"),
    ("MeanAbsolutePercentageError", {}, "positive"),
    ("MeanSquaredLogarithmicError", {}, "positive"),
    ("LogCoshError", {}, "places"),
    ("Poisson", {}, "positive"),
    ("CosineSimilarity", {}, "numbers"),
    ("CosineSimilarity", {"axis": 1}, "places"),
    ("Hinge", {}, "signs"),
    ("Hinge", {}, "scores"),
    ("SquaredHinge", {}, "scores"),
    ("CategoricalHinge", {}, "rows"),
    ("KLDivergence", {}, "rows"),
    ("BinaryCrossentropy", {}, "labels"),
    ("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.2}, "scores"),
    ("CategoricalCrossentropy", {"label_smoothing": 0.1}, "rows"),
    ("CategoricalCrossentropy", {"from_logits": True}, "rows"),
    ("SparseCategoricalCrossentropy", {}, "class"),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, "class scores"),
    ("PearsonCorrelation", {}, "numbers"),
    ("PearsonCorrelation", {"axis": 1}, "places"),
    ("ConcordanceCorrelation", {}, "numbers"),
    ("TruePositives", {}, "bits"),
    ("TruePositives", {"thresholds": 0.25}, "labels"),
    ("FalsePositives", {"thresholds": [0.8, 0.2, 0.5]}, "labels"),
    ("TrueNegatives", {"thresholds": [0.3, 0.6]}, "labels"),
    ("FalseNegatives", {}, "rows"),
    ("Precision", {}, "bits"),
    ("Precision", {"thresholds": [0.1, 0.9]}, "labels"),
    ("Precision", {"class_id": 2}, "labels"),
    ("Precision", {"top_k": 2}, "rows"),
    ("Recall", {}, "bits"),
    ("Recall", {"thresholds": 0, "class_id": 1}, "scores"),
    ("Recall", {"top_k": 1}, "rows"),
    ("Recall", {"top_k": 3, "class_id": 0, "thresholds": 0.1}, "rows"),
    ("SensitivityAtSpecificity", {"specificity": 0.7}, "bits"),
    ("SpecificityAtSensitivity", {"sensitivity": 0.6, "num_thresholds": 11}, "labels"),
    ("PrecisionAtRecall", {"recall": 0.4, "class_id": 3}, "labels"),
    ("RecallAtPrecision", {"precision": 0.5, "num_thresholds": 1}, "labels"),
    ("AUC", {}, "bits"),
    ("AUC", {"num_thresholds": 7}, "labels"),
    ("AUC", {"curve": "PR"}, "labels"),
    ("AUC", {"curve": "PR", "summation_method": "minoring"}, "bits"),
    ("AUC", {"curve": "PRGAIN", "summation_method": "majoring"}, "labels"),
    ("AUC", {"thresholds": [0.7, 0.2, 0.5], "summation_method": "majoring"}, "labels"),
    ("AUC", {"from_logits": True}, "scores"),
    ("AUC", {"multi_label": True, "num_labels": C}, "labels"),
    ("AUC", {"multi_label": True, "label_weights": [1.0, 0.0, 2.0, 0.5], "curve": "PR"}, "labels"),
    ("AUC", {"label_weights": [1.0, 0.0, 2.0, 0.5], "num_thresholds": 20}, "labels"),
    ("FBetaScore", {"beta": 2.0}, "rows"),
    ("FBetaScore", {"beta": 0.5, "average": "weighted", "threshold": 0.3}, "labels"),
    ("F1Score", {}, "rows"),
    ("F1Score", {"average": "micro", "threshold": 0.5}, "labels"),
    ("F1Score", {"average": "macro"}, "rows"),
    ("IoU", {"num_classes": C, "target_class_ids": [0, 2]}, "named"),
    ("IoU", {"num_classes": C, "target_class_ids": (C - 1,), "ignore_class": 1}, "named"),
    ("MeanIoU", {"num_classes": C}, "named"),
    ("MeanIoU", {"num_classes": C + 3, "ignore_class": 0}, "named"),
    ("BinaryIoU", {}, "bits"),
    ("BinaryIoU", {"target_class_ids": [1], "threshold": 0.35}, "bits"),
    ("OneHotIoU", {"num_classes": C, "target_class_ids": [1, 3]}, "rows"),
    ("OneHotMeanIoU", {"num_classes": C, "ignore_class": 2}, "rows"),
    ("R2Score", {}, "one"),
    ("R2Score", {"class_aggregation": None}, "numbers"),
    ("R2Score", {"class_aggregation": "variance_weighted_average"}, "numbers"),
    ("R2Score", {"num_regressors": 3}, "one"),
]


@pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore:You are passing weight", "ignore:Explicitly requested"
)
@pytest.mark.parametrize("name, config, kind", CASES, ids=lambda value: str(value))
@pytest.mark.parametrize("weighted", [False, True])
def test_numbers_of_keras(keras, rng, name, config, kind, weighted):
    theirs, ours = getattr(keras.metrics, name)(**config), getattr(metrics, name)(**config)
    for _ in range(3):
        y_true, y_pred = DRAWN[kind](rng)
        weight = rng.uniform(0, 2, N).astype(np.float32) if weighted else None
        if weighted and "IoU" in name:
            weight = rng.integers(0, 3, N).astype(np.int32)  # Keras makes whole numbers of them
        theirs.update_state(y_true.astype(np.float32), y_pred.astype(np.float32), weight)
        ours.update_state(y_true, y_pred.astype(np.float32), weight)
    np.testing.assert_allclose(ours.result(), np.asarray(theirs.result()), rtol=3e-5, atol=2e-6)
    assert np.shape(ours.result()) or isinstance(ours.result(), float)
    again = metrics.get(metrics.serialize(ours))
    assert again.get_config() == ours.get_config()
    assert again.start() is not None and again.direction == (
        getattr(theirs, "_direction", None) or again.direction
    )


@pytest.mark.parametrize("name", sorted({name for name, _, _ in CASES}))
def test_arguments_of_keras(keras, name):
    """Their names and defaults; here names have one default, and what is left out stays Keras's default."""

    def table(cls):
        told = inspect.signature(cls).parameters.values()
        return {p.name: p.default for p in told if p.name not in ("name", "dtype")}

    ours, theirs = table(getattr(metrics, name)), table(getattr(keras.metrics, name))
    assert ours == {key: value for key, value in theirs.items() if key in ours or value is not None}
    wanted = {"num_classes": 3, "target_class_ids": [0]}
    needed = {key: wanted.get(key, 0.5) for key, value in theirs.items() if value is inspect.Parameter.empty}
    default = getattr(keras.metrics, name)(**needed).name
    assert default.startswith(getattr(metrics, name)(**needed).name)  # it numbers some of its names


@pytest.mark.filterwarnings("ignore:You are passing weight", "ignore:Explicitly requested")
def test_overlap_of_maps(keras, rng):
    """Of scores and class numbers, place by place, each sample with its weight."""
    weight = rng.integers(0, 3, N).astype(np.int32)
    y_true, y_pred = DRAWN["maps"](rng)
    ours = metrics.MeanIoU(C, sparse_y_pred=False)(y_true, y_pred, weight)
    theirs = keras.metrics.MeanIoU(C, sparse_y_pred=False)
    theirs.update_state(y_true, y_pred, np.repeat(weight, 5).reshape(N, 5))
    assert ours == pytest.approx(float(theirs.result()), rel=1e-5)
    by_channel = metrics.MeanIoU(C, sparse_y_pred=False, axis=1)
    assert by_channel(y_true, np.moveaxis(y_pred, 2, 1), weight) == pytest.approx(ours)
    with pytest.raises(ShapeError, match="Say by sparse_y_true and sparse_y_pred which"):
        metrics.MeanIoU(C)(y_true, y_pred)
    with pytest.raises(ParameterError, match="`target_class_ids` must be whole numbers below num_classes=4"):
        metrics.IoU(C, [4])


@pytest.mark.parametrize("kind", ["Mean", "Sum"])
def test_numbers_by_hand(keras, rng, kind):
    ours, theirs = getattr(metrics, kind)(), getattr(keras.metrics, kind)()
    assert ours.name == theirs.name
    assert ours.result() == 0.0
    for values, weight in [(3.0, None), ([1.0, 5.0], [2.0, 0.5]), (rng.normal(size=(4, 3)), None)]:
        ours.update_state(values, weight)
        theirs.update_state(values, weight)
    assert ours.result() == pytest.approx(float(theirs.result()), rel=1e-6)
    ours.reset_state()
    assert ours([2.0, 4.0]) == {"Mean": 3.0, "Sum": 6.0}[kind]


def test_every_metric_of_keras_is_here(keras):
    classes = {name for name in dir(keras.metrics) if inspect.isclass(getattr(keras.metrics, name))}
    assert classes <= set(metrics.__all__)


# scikit-learn.


@pytest.mark.parametrize("weighted", [False, True])
def test_counts_of_scikit_learn(rng, weighted):
    of = pytest.importorskip("sklearn.metrics")
    labels, y_pred = rng.integers(0, C, N), rng.dirichlet(np.ones(C), N)
    guessed, y_true = y_pred.argmax(axis=1), np.eye(C)[labels]
    weight = rng.uniform(0, 2, N) if weighted else None
    more = {"sample_weight": weight}
    np.testing.assert_allclose(
        metrics.ConfusionMatrix()(labels, y_pred, weight), of.confusion_matrix(labels, guessed, **more)
    )
    for average in ("macro", "micro", "weighted", None):
        np.testing.assert_allclose(
            metrics.F1Score(average)(y_true, y_pred, weight),
            of.f1_score(labels, guessed, average=average, **more),
            rtol=2e-6,
        )
    np.testing.assert_allclose(
        metrics.TopKCategoricalAccuracy(2)(y_true, y_pred, weight),
        of.top_k_accuracy_score(labels, y_pred, k=2, **more),
    )


@pytest.mark.parametrize("weighted", [False, True])
def test_areas_and_shares_of_scikit_learn(rng, weighted):
    of = pytest.importorskip("sklearn.metrics")
    y_true, y_pred = rng.integers(0, 2, 300), rng.integers(0, 1001, 300) / 1000
    weight = rng.uniform(0, 2, 300) if weighted else None
    more = {"sample_weight": weight}
    area = metrics.AUC(thresholds=[(i + 0.5) / 1000 for i in range(1000)])
    assert area(y_true, y_pred, weight) == pytest.approx(of.roc_auc_score(y_true, y_pred, **more), rel=1e-6)
    guessed = y_pred > 0.5
    assert metrics.Precision()(y_true, y_pred, weight) == pytest.approx(
        of.precision_score(y_true, guessed, **more)
    )
    assert metrics.Recall()(y_true, y_pred, weight) == pytest.approx(of.recall_score(y_true, guessed, **more))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shift", [0.0, 1000.0])
def test_explained_variance_of_scikit_learn(rng, weighted, shift):
    of = pytest.importorskip("sklearn.metrics")
    y_true = shift + rng.normal(size=(N, 3))
    y_pred = y_true + 0.3 * rng.normal(size=(N, 3))
    weight = rng.uniform(0, 2, N) if weighted else None
    if not weighted:  # scikit-learn's weighted mean of equal numbers is not quite that number
        y_true[:, 2] = 5.0
    for ours, theirs in (("uniform_average",) * 2, (None, "raw_values")):
        np.testing.assert_allclose(
            metrics.R2Score(ours)(y_true, y_pred, weight),
            of.r2_score(y_true, y_pred, multioutput=theirs, sample_weight=weight),
            rtol=1e-6,
        )


@pytest.mark.parametrize("level", [0.0, 5.1, 1e9])
def test_targets_that_do_not_vary(rng, level):
    """Also where the sums do not cancel quite."""
    y_true, weight = np.full((N, 1), level), rng.uniform(0, 2, N)
    assert metrics.R2Score()(y_true, y_true, weight) == 1.0
    assert metrics.R2Score()(y_true, y_true + 1.0, weight) == 0.0
