"""Learning rates that follow the step."""

from __future__ import annotations

import pytest

from brickwork.errors import ParameterTypeError
from brickwork.optimizers.schedules import CosineDecay, ExponentialDecay, LearningRateSchedule
from wrong_arguments import assert_refuses, wrong_arguments


def test_exponential_decay():
    schedule = ExponentialDecay(0.8, decay_steps=2, decay_rate=0.25)
    assert [schedule(step) for step in range(5)] == pytest.approx([0.8, 0.4, 0.2, 0.1, 0.05])


def test_staircase():
    schedule = ExponentialDecay(0.8, decay_steps=2, decay_rate=0.25, staircase=True)
    assert [schedule(step) for step in range(5)] == pytest.approx([0.8, 0.8, 0.2, 0.2, 0.05])


def test_cosine_decay():
    schedule = CosineDecay(0.1, decay_steps=100)
    rates = [schedule(step) for step in (0, 25, 50, 100, 101)]
    assert rates == pytest.approx([0.1, 0.1 * (2 + 2**0.5) / 4, 0.05, 0.0, 0.0], abs=1e-12)


def test_cosine_decay_with_warm_up_is_that_of_keras():
    schedule = CosineDecay(0.1, 100, alpha=0.1, warmup_target=0.5, warmup_steps=10)
    found = [schedule(step) for step in (0, 5, 9, 10, 11, 60, 109, 110, 200)]
    keras = [0.1, 0.3, 0.46, 0.5, 0.499889, 0.275, 0.050111, 0.05, 0.05]  # Keras 3.15.1, rounded
    assert found == pytest.approx(keras, abs=1e-6)


@pytest.mark.parametrize("cls, name, value", wrong_arguments(CosineDecay))
def test_cosine_decay_refuses_wrong_arguments(cls, name, value):
    assert_refuses(cls, name, value, initial_learning_rate=1, decay_steps=2)


def test_configuration_has_keras_names():
    assert ExponentialDecay(0.8, 2, 0.25).get_config() == {
        "initial_learning_rate": 0.8,
        "decay_steps": 2,
        "decay_rate": 0.25,
        "staircase": False,
        "name": "ExponentialDecay",
    }


@pytest.mark.parametrize("cls, name, value", wrong_arguments(ExponentialDecay))
def test_refuses_wrong_arguments(cls, name, value):
    assert_refuses(cls, name, value, **{"initial_learning_rate": 1, "decay_steps": 2, "decay_rate": 0.5})


def test_names_what_is_missing():
    with pytest.raises(
        ParameterTypeError, match="ExponentialDecay needs `decay_rate`; it received nothing for it"
    ):
        ExponentialDecay(0.1, 10)


def test_a_schedule_of_the_users_own():
    class Halves(LearningRateSchedule):
        def __call__(self, step):
            return 0.5**step

    from brickwork.optimizers import SGD

    assert SGD(Halves()).rates(0, 3).tolist() == [1, 0.5, 0.25]
