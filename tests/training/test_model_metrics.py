"""Metrics of every kind in compile, fit, validation and evaluate, on every engine; arrays among the logs."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest

import brickwork as bw
from brickwork import layers, metrics
from brickwork.callbacks import CSVLogger, EarlyStopping
from brickwork.engines.native_module import load_native
from brickwork.errors import ParameterError, ShapeError
from brickwork.inspect.curves import draw_curves, read_history
from brickwork.training.progress import ProgressDisplay
from brickwork.training.run_folder import RunFolder

pytest.importorskip("jax")
ENGINES = ["reference", "jax", *(["native"] if load_native() else [])]
ROWS = 41


def every_metric():
    """Each metric of one-hot rows and probabilities, and which of them come as arrays."""
    return [
        metrics.TopKCategoricalAccuracy(2),
        metrics.MeanAbsolutePercentageError(),
        metrics.MeanSquaredLogarithmicError(),
        metrics.LogCoshError(),
        metrics.Poisson(),
        metrics.CosineSimilarity(),
        metrics.Hinge(),
        metrics.SquaredHinge(),
        metrics.CategoricalHinge(),
        metrics.KLDivergence(),
        metrics.BinaryCrossentropy(label_smoothing=0.1),
        metrics.CategoricalCrossentropy(),
        metrics.RootMeanSquaredError(),
        metrics.PearsonCorrelation(),
        metrics.ConcordanceCorrelation(),
        metrics.TruePositives(),
        metrics.FalsePositives([0.2, 0.6]),
        metrics.TrueNegatives(),
        metrics.FalseNegatives(),
        metrics.Precision(top_k=2),
        metrics.Recall(class_id=1),
        metrics.SensitivityAtSpecificity(0.5),
        metrics.PrecisionAtRecall(0.5),
        metrics.AUC(num_thresholds=30),
        metrics.AUC(curve="PR", multi_label=True),
        metrics.F1Score(),
        metrics.FBetaScore("macro", 2.0),
        metrics.ConfusionMatrix(),
        metrics.R2Score(),
    ]


def data(seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(ROWS, 4)).astype(np.float32)
    y = np.eye(3, dtype=np.float32)[(x[:, :3] + rng.normal(size=(ROWS, 3))).argmax(axis=1)]
    return x, y, rng.uniform(0, 2, ROWS).astype(np.float32)


def network(engine, found=None, weighted=None, loss="categorical_crossentropy", activation="softmax"):
    bw.utils.set_random_seed(3)
    model = bw.Sequential([bw.Input((4,)), layers.Dense(3, activation=activation)])
    model.compile("sgd", loss, metrics=found, weighted_metrics=weighted, engine=engine)
    return model


def same(found, wanted, tolerance=2e-4):
    assert list(found) == list(wanted)
    for name, value in wanted.items():
        assert np.shape(found[name]) == np.shape(value), name
        np.testing.assert_allclose(found[name], value, rtol=tolerance, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("engine", ENGINES)
def test_evaluate_gives_what_the_metrics_give_by_hand(engine):
    x, y, weight = data()
    model = network(engine, every_metric(), every_metric())
    found = model.evaluate(x, y, sample_weight=weight, batch_size=16, verbose=0, return_dict=True)
    p = model.predict(x, verbose=0)
    byhand = [metric(y, p) for metric in every_metric()]
    byhand += [metric(y, p, weight) for metric in every_metric()]
    assert len(found) == 1 + len(byhand)
    for (name, value), wanted in zip(list(found.items())[1:], byhand, strict=True):
        assert type(value) is (np.ndarray if np.ndim(wanted) else float), name
        np.testing.assert_allclose(value, wanted, rtol=1e-4, atol=1e-5, err_msg=name)


def test_fit_with_validation_is_the_same_on_every_engine():
    x, y, weight = data()
    histories = []
    for engine in ENGINES:
        model = network(engine, every_metric(), every_metric())
        options = {"sample_weight": weight, "validation_split": 0.3, "shuffle": False, "verbose": 0}
        histories.append(model.fit(x, y, epochs=2, batch_size=8, **options).history)
        assert set(name.removeprefix("val_") for name in histories[-1]) <= set(histories[-1])
    for history in histories[1:]:
        same(history, histories[0])


@pytest.mark.parametrize("engine", ENGINES)
def test_names_and_class_numbers(engine):
    x, y, _ = data()
    names = ["accuracy", "sparse_top_k_categorical_accuracy", "confusion_matrix"]
    names += ["sparse_categorical_crossentropy"]
    model = network(engine, names, loss="sparse_categorical_crossentropy")
    labels = y.argmax(axis=1)
    loss, accuracy, top, matrix, crossentropy = model.evaluate(x, labels, batch_size=9, verbose=0)
    assert top == 1.0 and matrix.sum() == ROWS
    assert np.trace(matrix) / ROWS == pytest.approx(accuracy)
    assert crossentropy == pytest.approx(loss, rel=1e-5)


@pytest.mark.skipif(load_native() is None, reason="the native module is not built")
def test_losses_as_metrics_are_native():
    """Those that are a brick and nothing else; the others are called back."""
    x, y, weight = data()
    logits = {"from_logits": True}
    plain = [
        metrics.MeanAbsolutePercentageError(),
        metrics.MeanSquaredLogarithmicError(),
        metrics.LogCoshError(),
        metrics.Hinge(),
        metrics.SquaredHinge(),
        metrics.CategoricalHinge(),
        metrics.KLDivergence(),
        metrics.BinaryCrossentropy(**logits),
        metrics.CategoricalCrossentropy(**logits),
    ]
    model = network("native", plain, plain, activation=None, loss=bw.losses.CategoricalCrossentropy(**logits))
    made = model._plan._pass("evaluate", 16)
    assert not made.text_metrics and len(made.measured) == 2 * len(plain)
    sparse = metrics.SparseCategoricalCrossentropy(**logits)
    other = network("native", [sparse], loss="sparse_categorical_crossentropy", activation=None)
    assert not other._plan._pass("evaluate", 16).text_metrics
    found = model.evaluate(x, y, sample_weight=weight, batch_size=16, verbose=0)
    y_pred = model.predict(x, verbose=0)
    for index, metric in enumerate(plain):
        metric.reset_state()
        assert found[1 + index] == pytest.approx(metric(y, y_pred), rel=3e-5)
        metric.reset_state()
        assert found[1 + len(plain) + index] == pytest.approx(metric(y, y_pred, weight), rel=3e-5)


@pytest.mark.parametrize("engine", ENGINES)
def test_arrays_among_the_logs(engine, tmp_path):
    """Tables leave them out; the history and a file of comma-separated values keep them."""
    x, y, _ = data()
    found = [metrics.ConfusionMatrix(), metrics.F1Score(), metrics.F1Score("macro", name="mean_f1")]
    stream = io.StringIO()
    written = CSVLogger(str(tmp_path / "log.csv"))
    kept = [written, ProgressDisplay(stream=stream), RunFolder(str(tmp_path / "run"))]
    model = network(engine, found)
    told = model.fit(x, y, epochs=2, validation_split=0.3, verbose=0, callbacks=kept)
    assert "mean_f1" in repr(told) and "confusion_matrix" not in repr(told)
    assert [value.shape for value in told.history["val_confusion_matrix"]] == [(3, 3)] * 2
    assert "mean_f1" in stream.getvalue() and "confusion" not in stream.getvalue()
    rows = list(csv.DictReader(io.StringIO((tmp_path / "log.csv").read_text())))
    assert rows[1]["f1_score"].count(",") == 2 and float(rows[1]["mean_f1"]) == told.history["mean_f1"][1]
    drawn = read_history(tmp_path / "log.csv")
    assert drawn["val_mean_f1"] == told.history["val_mean_f1"] and "val_f1_score" not in drawn
    draw_curves(told.history, tmp_path / "curves.png")
    header = (tmp_path / "run" / "history.csv").read_text().splitlines()[0]
    assert "mean_f1" in header and "confusion" not in header
    text = model.evaluate(x, y, verbose=1)
    assert np.shape(text[1]) == (3, 3)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_training_with_arrays_goes_on(engine, tmp_path):
    """Taken up in the midst of an epoch, totals and history end as they would have."""
    x, y, _ = data()

    class Stop(bw.callbacks.Callback):
        def __init__(self, step):
            self.step = step

        def on_train_batch_end(self, batch, logs=None):
            if self.model._plan.step_number == self.step:
                raise KeyboardInterrupt

    def train(stop=0, **options):
        model = network(engine, [metrics.ConfusionMatrix(), metrics.AUC()])
        folder = RunFolder(str(tmp_path / "run"), monitor="loss")
        return model.fit(x, y, epochs=3, batch_size=10, verbose=0, callbacks=[folder, Stop(stop)], **options)

    whole = train().history
    with pytest.raises(KeyboardInterrupt):
        train(7)
    again = train(resume_from=str(tmp_path / "run" / "last.safetensors")).history
    assert list(again) == list(whole)
    for name, values in whole.items():
        np.testing.assert_array_equal(again[name], values, err_msg=name)


def test_a_monitor_of_an_array_is_refused():
    x, y, _ = data()
    model = network("reference", [metrics.F1Score()])
    message = (
        r"`monitor` must name a single number in the logs; got monitor='f1_score', an array of .*'macro'"
    )
    with pytest.raises(ParameterError, match=message):
        model.fit(x, y, callbacks=[EarlyStopping("f1_score", mode="max")], verbose=0)
    model = network("reference", [metrics.F1Score("macro")])
    model.fit(x, y, callbacks=[EarlyStopping("f1_score")], epochs=2, verbose=0)


def test_one_metric_for_two_outputs_of_different_widths_is_refused():
    x = bw.Input((4,))
    outputs = [layers.Dense(units, "softmax")(x) for units in (2, 3)]
    model = bw.Model(x, outputs)
    with pytest.raises(
        ShapeError, match=r"F1Score 'f1_score' counts 2 classes; it received 3\. Make another"
    ):
        model.compile("sgd", "categorical_crossentropy", metrics=[metrics.F1Score()])
