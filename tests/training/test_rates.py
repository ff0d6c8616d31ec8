"""Callbacks that change the learning rate."""

from __future__ import annotations

import json

import numpy as np
import pytest
from fake_model import FakeModel, losses, train

from brickwork.errors import ParameterError, ParameterTypeError
from brickwork.optimizers.schedules import ExponentialDecay
from brickwork.training.rates import LearningRateScheduler, ReduceLROnPlateau


def rates(callback, values, model=None, **others):
    seen = train(callback, losses(values), model=model or FakeModel(1.0), **others)
    return [logs["learning_rate"] for logs in seen] + [callback.model.optimizer.learning_rate]


@pytest.mark.parametrize(
    "arguments, values, expected",
    [
        ({"patience": 1}, [3, 3, 2, 2], [1, 1, 0.5, 0.5, 0.25]),
        ({"patience": 2}, [3, 3, 3, 3], [1, 1, 1, 0.5, 0.5]),
        ({"patience": 0}, [3, 3, 3], [1, 1, 0.5, 0.25]),
        ({"patience": 1, "min_delta": 1.0}, [3, 2.5, 1, 0.5], [1, 1, 0.5, 0.5, 0.25]),
        ({"patience": 1, "min_delta": -1.0}, [3, 2.5, 1, 0.5], [1, 1, 0.5, 0.5, 0.25]),
        ({"patience": 1, "cooldown": 2}, [3, 3, 3, 3, 3, 3], [1, 1, 0.5, 0.5, 0.25, 0.25, 0.125]),
        ({"patience": 1, "min_lr": 0.4}, [3, 3, 3, 3], [1, 1, 0.5, 0.4, 0.4]),
        ({"patience": 1, "mode": "max"}, [3, 4, 4, 5], [1, 1, 1, 0.5, 0.5]),
    ],
)
def test_reduction(arguments, values, expected):
    assert rates(ReduceLROnPlateau(factor=0.5, **arguments), values) == expected


def test_reduction_starts_anew_with_each_training():
    callback = ReduceLROnPlateau(factor=0.5, patience=1)
    assert rates(callback, [1, 1]) == [1, 1, 0.5]
    assert rates(callback, [9, 8]) == [1, 1, 1]


@pytest.mark.parametrize("cut", range(1, 7))
def test_reduction_goes_on_after_an_interruption(cut):
    values = [3, 3, 3, 2, 2, 2, 2, 2]
    arguments = {"factor": 0.5, "patience": 2, "cooldown": 1}
    whole = ReduceLROnPlateau(**arguments)
    expected = rates(whole, values)
    model, first, second = FakeModel(1.0), ReduceLROnPlateau(**arguments), ReduceLROnPlateau(**arguments)
    before = rates(first, values[:cut], model, end=False)[:-1]
    second.set_state(json.loads(json.dumps(first.get_state())))
    assert before + rates(second, values[cut:], model, first=cut) == expected
    assert second.get_state() == whole.get_state()


def test_reduction_says_what_it_does(capsys):
    rates(ReduceLROnPlateau(factor=0.5, patience=1, verbose=1), [3, 3])
    assert capsys.readouterr().out == "Epoch 2: val_loss no longer improves; the learning rate becomes 0.5\n"


def test_nothing_happens_at_the_lowest_rate(capsys):
    callback = ReduceLROnPlateau(patience=1, min_lr=1.0, cooldown=5, verbose=1)
    assert rates(callback, [3, 3, 3]) == [1, 1, 1, 1]
    assert callback.wait == 2 and not callback.in_cooldown()
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("factor", [0.0, 1.0, 1.5, -0.5])
def test_factor_is_between_0_and_1(factor):
    with pytest.raises(ParameterError, match=r"ReduceLROnPlateau: `factor` must be in \(0, 1\); got factor="):
        ReduceLROnPlateau(factor=factor)


def test_former_name_of_an_argument():
    with pytest.raises(
        ParameterTypeError, match="`epsilon` is a name of an earlier Keras; today it is `min_delta`"
    ):
        ReduceLROnPlateau(epsilon=0.1)


@pytest.mark.parametrize("made", [ReduceLROnPlateau(), LearningRateScheduler(lambda epoch, lr: lr)])
def test_a_schedule_cannot_be_overruled(made):
    model = FakeModel(ExponentialDecay(0.1, 10, 0.5))
    expected = (
        f"{type(made).__name__} sets the learning rate, which must be a number then; the optimizer has "
        r"learning_rate=ExponentialDecay\(.*\). Compile with a number, or drop the callback."
    )
    with pytest.raises(ParameterError, match=expected):
        rates(made, [1], model)


@pytest.mark.parametrize(
    "schedule",
    [
        lambda epoch, lr: lr * 0.5,
        lambda epoch: 0.5 ** (epoch + 1),
        lambda epoch, lr: np.float32(lr * 0.5),
        lambda epoch, lr: np.asarray(lr * 0.5),
        lambda epoch, lr=1.0: lr * 0.5,
    ],
)
def test_scheduler(schedule):
    assert rates(LearningRateScheduler(schedule), [1, 1, 1]) == [0.5, 0.25, 0.125, 0.125]


def test_scheduler_says_what_it_does(capsys):
    rates(LearningRateScheduler(lambda epoch, lr: 0.25, verbose=1), [1])
    assert capsys.readouterr().out == "Epoch 1: the learning rate is 0.25\n"


@pytest.mark.parametrize("value", [None, -1.0, float("nan"), float("inf"), "0.1", True, np.zeros(2)])
def test_scheduler_must_give_a_rate(value):
    expected = "the schedule must give a finite number of at least 0; for epoch 0 and lr=1.0 it gave "
    with pytest.raises(ParameterError, match=expected):
        rates(LearningRateScheduler(lambda epoch, lr: value), [1])


def test_an_error_inside_the_schedule_is_left_as_it_is():
    def broken(epoch, lr):
        return lr + "0.1"

    with pytest.raises(TypeError, match="unsupported operand"):
        rates(LearningRateScheduler(broken), [1])


@pytest.mark.parametrize("wrong", [0.1, "exponential", None, float])
def test_scheduler_takes_a_function(wrong):
    with pytest.raises(
        ParameterTypeError, match=r"`schedule` must be a function of \(epoch, lr\); got schedule="
    ):
        LearningRateScheduler(wrong)
