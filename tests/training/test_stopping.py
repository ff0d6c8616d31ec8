"""Early stopping: when it stops, which weights it gives back, what it refuses."""

from __future__ import annotations

import json

import pytest
from fake_model import FakeModel, losses, train

from brickwork.errors import ParameterError, ParameterTypeError
from brickwork.metrics import CategoricalAccuracy, MeanSquaredError
from brickwork.training.stopping import EarlyStopping


def epochs(callback, values, name="val_loss", **others):
    return len(train(callback, losses(values, name), **others))


@pytest.mark.parametrize(
    "arguments, values, ran",
    [
        ({}, [5, 4, 3, 3.5, 2], 4),
        ({}, [5, 5], 2),
        ({"patience": 1}, [5, 4, 4, 3], 3),
        ({"patience": 2}, [5, 4, 4, 3, 3, 3, 2], 6),
        ({"patience": 2}, [5, 6, 4, 5, 3], 5),
        ({"min_delta": 0.5}, [5, 4.6, 4], 2),
        ({"min_delta": -0.5}, [5, 4.6, 4], 2),
        ({"min_delta": 0.5}, [5, 4, 3, 2.5, 1], 4),
        ({"mode": "max"}, [1, 2, 3, 3, 4], 4),
        ({"mode": "max", "min_delta": 0.5}, [1, 1.4, 2], 2),
        ({"mode": "min"}, [3, 2, 1, 1, 0], 4),
        ({"baseline": 3.0, "patience": 2}, [5, 4, 3.5, 2], 4),
        ({"baseline": 3.0, "patience": 2}, [5, 4, 4, 2], 3),
        ({"start_from_epoch": 3}, [1, 2, 3, 4, 5, 1], 5),
        ({"start_from_epoch": 9}, [1, 2, 3, 4], 4),
    ],
)
def test_when_it_stops(arguments, values, ran):
    callback = EarlyStopping(**arguments)
    assert epochs(callback, values) == ran
    stopped = ran < len(values) or callback.model.stop_training
    assert callback.stopped_epoch == (ran - 1 if stopped else 0)


@pytest.mark.parametrize(
    "name, values, ran",
    [
        ("val_accuracy", [0.1, 0.2, 0.3, 0.2, 0.4], 4),
        ("acc", [0.1, 0.2, 0.1], 3),
        ("val_head_accuracy", [0.1, 0.2, 0.1], 3),
        ("val_mean_squared_error", [0.3, 0.2, 0.3], 3),
        ("head_loss", [0.3, 0.2, 0.3], 3),
    ],
)
def test_direction_from_the_name(name, values, ran):
    assert epochs(EarlyStopping(name), values, name) == ran


@pytest.mark.parametrize("name", ["val_score", "score", "val_head_score"])
def test_direction_from_the_metric_of_the_model(name):
    class Up(CategoricalAccuracy):
        pass

    rising, falling = Up(name="score"), MeanSquaredError(name="score")
    assert epochs(EarlyStopping(name), [1, 2, 3, 2], name, model=FakeModel(metrics=[rising])) == 4
    assert epochs(EarlyStopping(name), [1, 2, 3, 2], name, model=FakeModel(metrics=[falling])) == 2


def test_direction_that_nobody_knows():
    expected = (
        "EarlyStopping: `mode` must be 'min' or 'max' where the name of the metric does not tell its "
        "direction, as with monitor='val_score'; got mode='auto'. Write mode='max'"
    )
    with pytest.raises(ParameterError, match=expected):
        epochs(EarlyStopping("val_score"), [1, 2], "val_score")


@pytest.mark.parametrize(
    "restore, values, patience, weight",
    [(True, [5, 3, 4, 4], 2, 2.0), (False, [5, 3, 4, 4], 2, 4.0), (True, [5, 4, 3], 9, 3.0)],
)
def test_best_weights(restore, values, patience, weight):
    callback = EarlyStopping(patience=patience, restore_best_weights=restore)
    epochs(callback, values)
    assert float(callback.model.weight[0]) == weight


def test_best_weights_where_no_epoch_beats_the_baseline():
    callback = EarlyStopping(patience=3, baseline=1.0, restore_best_weights=True)
    assert epochs(callback, [5, 3, 4, 4]) == 3
    assert callback.best_epoch == 1
    assert float(callback.model.weight[0]) == 2.0


def test_another_training_begins_anew():
    callback = EarlyStopping(patience=1)
    assert epochs(callback, [1, 2, 3]) == 2
    assert epochs(callback, [9, 8, 9, 9]) == 3


@pytest.mark.parametrize("cut", range(1, 6))
def test_goes_on_after_an_interruption(cut):
    values = [5, 4, 4.5, 3, 3.5, 3.2, 1]
    whole = EarlyStopping(patience=2, restore_best_weights=True)
    assert epochs(whole, values) == 6
    first, second, model = (
        (EarlyStopping(patience=2, restore_best_weights=True) for _ in range(2)),
        None,
        FakeModel(),
    )
    first, second = first
    train(first, losses(values[:cut]), model=model, end=False)
    state = json.loads(json.dumps(first.get_state()))
    second.set_state(state)
    second.set_arrays(first.get_arrays())
    train(second, losses(values[cut:]), model=model, first=cut)
    assert second.get_state() == whole.get_state()
    assert float(model.weight[0]) == float(whole.model.weight[0]) == 4.0


def test_says_what_it_does(capsys):
    epochs(EarlyStopping(verbose=1, restore_best_weights=True), [1, 2])
    assert capsys.readouterr().out == (
        "Epoch 2: val_loss no longer improves; training stops\n"
        "The model gets the weights of its best epoch, 1\n"
    )
    epochs(EarlyStopping(restore_best_weights=True), [1, 2])
    assert capsys.readouterr().out == ""


def test_a_name_that_the_logs_do_not_have():
    expected = (
        "EarlyStopping: `monitor` must be one of the names in the logs, 'loss', 'val_accuracy'; "
        r"got monitor='val_acuracy'. Did you mean 'val_accuracy'\?"
    )
    with pytest.raises(ParameterError, match=expected):
        epochs(EarlyStopping("val_acuracy"), [1], "val_accuracy")
    with pytest.raises(
        ParameterError, match=r"got monitor='auc'. Name the metric in compile\(metrics=\[…\]\)."
    ):
        epochs(EarlyStopping("auc"), [1], "val_accuracy")


def test_validation_that_was_forgotten():
    expected = "got monitor='val_loss'. Pass validation_data or validation_split to fit or monitor 'loss'."
    with pytest.raises(ParameterError, match=expected):
        train(EarlyStopping(), [{"loss": 1.0}])


def test_epochs_without_validation_are_passed_over():
    callback = EarlyStopping(patience=1)
    callback.set_params({"validation_freq": 2})
    values = [{"loss": 1.0}, *losses([3]), {"loss": 1.0}, *losses([4]), {"loss": 1.0}]
    assert len(train(callback, values)) == 4


@pytest.mark.parametrize(
    "name, value",
    [("patience", -1), ("patience", 1.5), ("mode", "lowest"), ("monitor", ""), ("baseline", "low")],
)
def test_wrong_arguments(name, value):
    with pytest.raises((ParameterError, ParameterTypeError), match=f"EarlyStopping: `{name}` must be"):
        EarlyStopping(**{name: value})


def test_unknown_argument():
    with pytest.raises(ParameterTypeError, match=r"it received `patient`. Did you mean 'patience'\?"):
        EarlyStopping(patient=3)


def test_tells_its_arguments():
    callback = EarlyStopping("loss", patience=3)
    assert repr(callback) == "EarlyStopping(monitor='loss', patience=3)"
    assert EarlyStopping.from_config(callback.get_config()).get_config() == callback.get_config()
